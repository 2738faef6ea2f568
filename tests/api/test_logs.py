"""What is logged: never a text, a name, an address, a password or a token, whatever goes wrong."""

import logging
from collections.abc import AsyncGenerator

import httpx
import pytest
from fastapi import FastAPI

from carechat.domain.events import DatabaseChanged
from carechat.services import conversations, invitations, watch
from carechat.services.context import Backend, Context
from carechat.services.invitations import Link
from tests import serving
from tests.conftest import ORIGIN
from tests.factories import PASSWORD, a_doctor, a_pair, a_token, bearer, to
from tests.listening import a_screen
from tests.serving import Server, a_socket
from tests.unreliable import Unreliable

TEXT = "my knee hurts since Tuesday"
WRONG = "a password that is wrong"


@pytest.fixture(autouse=True)
def _everything(caplog: pytest.LogCaptureFixture) -> None:
    """Let every record of CareChat and its libraries be kept."""
    caplog.set_level(logging.INFO)
    caplog.set_level(logging.DEBUG, logger="carechat")


@pytest.fixture
async def pair(backend: Backend) -> tuple[Context, Context]:
    """Return a doctor and a patient of theirs."""
    return await a_pair(backend)


@pytest.fixture
async def outside(server: Server) -> AsyncGenerator[httpx.AsyncClient]:
    """Give a client of a real server."""
    async with serving.a_client(server) as client:
        yield client


def ours(caplog: pytest.LogCaptureFixture) -> str:
    """Return all that was logged by the product, exceptions and their traces included."""
    tests = {"httpx", "httpcore", "websockets.client", "asyncio"}
    records = [record for record in caplog.records if record.name not in tests]
    return "\n".join(caplog.handler.format(record) for record in records)


def nothing_of(log: str, *people: Context) -> bool:
    """Whether the log gives nothing away about these people and what they wrote."""
    secrets = [TEXT, PASSWORD, WRONG, "knee"]
    for ctx in people:
        secrets += [ctx.user.email, ctx.user.name, a_token(ctx), ctx.session.id]
    return [secret for secret in secrets if secret in log] == []


async def test_sending_and_reading(
    outside: httpx.AsyncClient,
    server: Server,
    pair: tuple[Context, Context],
    caplog: pytest.LogCaptureFixture,
) -> None:
    doctor, patient = pair
    async with a_socket(server, doctor) as socket:
        await socket.send(receiver_email=patient.user.email, message=TEXT)
        await socket.until("ack")
        await socket.send(receiver_email="nobody@example.com", message=TEXT)
        await socket.until("error")
        await socket.send_raw(TEXT)
        await socket.until("error")
    conversation = (await conversations.find(doctor, to(patient))).conversation
    path = f"/conversations/{conversation.id}/messages"
    await outside.post(path, json={"message": TEXT}, headers=bearer(patient))
    await outside.post(path, json={"message": TEXT * 500}, headers=bearer(patient))
    await outside.get(path, headers=bearer(doctor))
    assert nothing_of(ours(caplog), doctor, patient)


async def test_failed_sign_ins_and_bad_tokens(
    outside: httpx.AsyncClient,
    pair: tuple[Context, Context],
    caplog: pytest.LogCaptureFixture,
) -> None:
    doctor, patient = pair
    body = {"email": doctor.user.email, "password": WRONG}
    for _ in range(12):
        await outside.post("/auth/login", json=body)
    await outside.post("/auth/session", data=body, headers={"Origin": ORIGIN})
    await outside.get("/auth/me", headers={"Authorization": f"Bearer {a_token(patient)}x"})
    assert nothing_of(ours(caplog), doctor, patient)


async def test_an_invitation(
    backend: Backend, outside: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    doctor = await a_doctor(backend)
    link = await invitations.invite(doctor, "new@example.com", "Nora New")
    assert isinstance(link, Link)
    token = link.url.partition("=")[2]
    await outside.post("/invitations/accept", json={"token": token, "password": "short"})
    await outside.post("/invitations/accept", json={"token": token, "password": PASSWORD})
    log = ours(caplog)
    assert nothing_of(log, doctor)
    assert [secret for secret in (token, "new@example.com", "Nora") if secret in log] == []


@pytest.fixture
def broken(app: FastAPI) -> None:
    """Let one path of the API fail with a text in its error."""

    @app.get("/auth/broken")
    async def broken() -> None:
        raise RuntimeError(TEXT)

    app.router.routes.insert(0, app.router.routes.pop())


async def test_a_failure_that_nobody_thought_of(
    broken: None,
    outside: httpx.AsyncClient,
    pair: tuple[Context, Context],
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    answer = await outside.get("/auth/broken", headers=bearer(pair[0]))
    assert answer.status_code == 500
    log = ours(caplog)
    assert "RuntimeError" in log
    assert nothing_of(log + "".join(capfd.readouterr()), *pair)


@pytest.fixture
def away(app: FastAPI, fragile: Backend) -> Backend:
    """Let the API work with a database that can be told to fail."""
    app.state.backend = fragile
    return fragile


async def test_a_database_that_is_away(
    away: Backend,
    failing: Unreliable,
    outside: httpx.AsyncClient,
    server: Server,
    caplog: pytest.LogCaptureFixture,
) -> None:
    doctor, patient = await a_pair(away)
    async with a_socket(server, doctor) as socket, a_screen(doctor) as screen:
        failing.fail(["find", "insert", "ping", "aggregate"], errorCode=8000)
        away.spawn(watch.database(away))
        away.spawn(watch.changes(away))
        await screen.until(DatabaseChanged)
        await socket.send(receiver_email=patient.user.email, message=TEXT, client_id="c1")
        assert (await socket.until("error"))["code"] == "unavailable"
        await outside.get("/auth/me", headers=bearer(patient))
        body = {"email": doctor.user.email, "password": PASSWORD}
        await outside.post("/auth/login", json=body)
        failing.heal()
    log = ours(caplog)
    assert "does not answer" in log
    assert "GET /auth/me unavailable: OperationFailure 8000" in log
    assert nothing_of(log, doctor, patient)
