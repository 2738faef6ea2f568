"""Who may read the metrics, and what is in them after something has happened."""

from collections.abc import AsyncGenerator

import httpx
import pytest
from fastapi import FastAPI

from carechat import metrics
from carechat.services import conversations, watch
from carechat.services.context import Backend, Context
from tests import serving
from tests.answers import code
from tests.conftest import ORIGIN
from tests.factories import PASSWORD, a_doctor, a_pair, a_token, bearer, to
from tests.scraping import Rise, here, read
from tests.serving import Server, a_socket

TOKEN = "a-token-for-metrics-only"


@pytest.fixture
async def outside(server: Server) -> AsyncGenerator[httpx.AsyncClient]:
    """Give a client on this machine, without a proxy."""
    async with serving.a_client(server, Host="localhost:8000") as client:
        yield client


async def test_a_program_on_this_machine_reads_them(outside: httpx.AsyncClient) -> None:
    answer = await outside.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert read(answer.text, "process_resident_memory_bytes") > 0


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "127.0.0.1"},
        {"x-forwarded-for": ""},
        {"Forwarded": "for=127.0.0.1"},
        {"X-Forwarded-Proto": "http"},
        {"X-Forwarded-Port": "80"},
        {"X-Real-IP": "127.0.0.1"},
        {"CF-Connecting-IP": "127.0.0.1"},
        {"True-Client-IP": "127.0.0.1"},
        {"Via": "1.1 proxy"},
        {"Host": "chat.example.com"},
        {"Authorization": f"Bearer {TOKEN}"},
    ],
)
async def test_nobody_reads_them_through_a_proxy_or_by_another_name(
    outside: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    """A page of another site could find this machine under its own name."""
    by_proxy = {"Via": "1.1 proxy"} | headers
    assert code(await outside.get("/metrics", headers=by_proxy)) == (403, "forbidden")
    if "Authorization" not in headers:
        assert code(await outside.get("/metrics", headers=headers)) == (403, "forbidden")


@pytest.mark.parametrize("peer", ["192.0.2.7", "2001:db8::7", "not an address"])
async def test_nobody_reads_them_from_elsewhere(app: FastAPI, peer: str) -> None:
    transport = httpx.ASGITransport(app, client=(peer, 1))
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        assert code(await client.get("/metrics")) == (403, "forbidden")


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
async def test_this_machine_has_several_names(app: FastAPI, peer: str) -> None:
    transport = httpx.ASGITransport(app, client=(peer, 1))
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        assert (await client.get("/metrics")).status_code == 200


@pytest.mark.parametrize(
    ("public", "status"),
    [
        ("https://chat.example.com", 403),
        ("http://192.0.2.7:8000", 403),
        ("http://127.0.0.1:8000", 200),
        ("https://localhost", 200),
    ],
)
async def test_where_others_come_in_this_machine_needs_the_token_too(
    outside: httpx.AsyncClient, app: FastAPI, public: str, status: int
) -> None:
    """A proxy that adds nothing, as nginx does if it is told nothing, looks like a program here."""
    app.state.origins = [public]
    app.state.metrics_token = TOKEN
    assert (await outside.get("/metrics")).status_code == status
    with_token = {"Authorization": f"Bearer {TOKEN}"}
    assert (await outside.get("/metrics", headers=with_token)).status_code == 200


@pytest.mark.parametrize(
    ("given", "status"),
    [(TOKEN, 200), (f"{TOKEN}x", 403), (TOKEN[:-1], 403), ("", 403), ("\xe9", 403)],
)
async def test_whoever_has_the_token_reads_them_from_anywhere(
    app: FastAPI, given: str, status: int
) -> None:
    app.state.metrics_token = TOKEN
    bearer = f"Bearer {given}".encode("latin-1")
    headers = {b"Authorization": bearer, b"X-Forwarded-For": b"1.2.3.4"}
    transport = httpx.ASGITransport(app, client=("192.0.2.7", 1))
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        assert (await client.get("/metrics", headers=headers)).status_code == status


async def test_a_persons_token_is_not_the_one(outside: httpx.AsyncClient, backend: Backend) -> None:
    headers = bearer(await a_doctor(backend)) | {"Via": "1.1 proxy"}
    assert code(await outside.get("/metrics", headers=headers)) == (403, "forbidden")


async def test_they_can_only_be_read(outside: httpx.AsyncClient) -> None:
    assert code(await outside.post("/metrics")) == (405, "method_not_allowed")


async def test_they_say_nothing_of_anybody(
    outside: httpx.AsyncClient, backend: Backend, server: Server
) -> None:
    doctor, patient = await a_pair(backend)
    async with a_socket(server, doctor) as socket:
        await socket.send(receiver_email=patient.user.email, message="my knee hurts")
        ack = await socket.until("ack")
        page = (await outside.get("/metrics")).text
    conversation = (await conversations.find(doctor, to(patient))).conversation
    secrets = [conversation.id, ack["id"], ack["client_id"], "knee"]
    for ctx in (doctor, patient):
        secrets += [ctx.user.email, ctx.user.name, ctx.user.id, ctx.session.id, a_token(ctx)]
    assert [secret for secret in secrets if secret in page] == []


async def test_an_open_socket_is_counted(
    outside: httpx.AsyncClient, backend: Backend, server: Server
) -> None:
    is_open = Rise("carechat_sockets", door="ws")
    async with a_socket(server, await a_doctor(backend)):
        assert is_open() == 1


async def test_passwords_are_counted_by_what_was_answered(
    outside: httpx.AsyncClient, backend: Backend
) -> None:
    doctor = await a_doctor(backend)
    right, wrong, limited = (
        Rise("carechat_sign_ins_total", answer=answer) for answer in ("right", "wrong", "limited")
    )
    limit = Rise("carechat_limits_total", limit="sign_in_tries")
    body = {"email": doctor.user.email, "password": PASSWORD}
    await outside.post("/auth/login", json=body)
    for _ in range(11):
        await outside.post("/auth/login", json=body | {"password": "not the right one"})
    assert (right(), wrong(), limited(), limit()) == (1, 10, 1, 1)


async def test_whether_the_database_answers_is_told(backend: Backend) -> None:
    doctor: Context = await a_doctor(backend)
    metrics.reachable("mongodb", answers=False)
    metrics.sessions(0)
    with backend.hub.listen(doctor.user.email, doctor.session.id, lambda _: None):
        watching = backend.spawn(watch.database(backend))
        while not here("carechat_sessions"):
            assert not watching.done()
            await backend.store.ping()
    assert here("carechat_up", service="mongodb") == 1
