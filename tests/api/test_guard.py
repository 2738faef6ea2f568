"""The guard, over a real server: headers on every answer, limits, and redirects that stay here."""

import asyncio
import base64
import hashlib
import io
import json
import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from carechat import logs
from carechat.api.guard import Guard, content_policy
from carechat.services.context import Backend, Context
from tests import serving
from tests.answers import code
from tests.conftest import ORIGIN
from tests.factories import PASSWORD, a_doctor, bearer
from tests.serving import PAGE, Server

Client = httpx.AsyncClient
HTML = {"Accept": "text/html"}


@pytest.fixture
async def doctor(backend: Backend) -> Context:
    """Return a doctor, signed in."""
    return await a_doctor(backend)


@pytest.fixture
async def outside(server: Server) -> AsyncGenerator[Client]:
    """Give a client that reaches the server under the name that is let in."""
    async with serving.a_client(server, Host="localhost:8000") as client:
        yield client


@pytest.fixture
def broken(app: FastAPI) -> None:
    """Let one path of the API fail in a way that nobody has thought of."""

    @app.get("/auth/broken")
    async def broken() -> None:
        raise RuntimeError("a secret of the server")

    app.router.routes.insert(0, app.router.routes.pop())


SAFE = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}

PATHS = [
    ("GET", "/", 200),
    ("GET", "/dashboard/", 200),
    ("GET", "/assets/app.js", 200),
    ("GET", "/nothing", 404),
    ("GET", "/deep/folder", 307),
    ("GET", "/healthz", 200),
    ("GET", "/readyz", 200),
    ("GET", "/docs", 200),
    ("GET", "/openapi.json", 200),
    ("GET", "/auth/me", 401),
    ("POST", "/auth/login", 422),
    ("POST", "/auth/session", 403),
    ("DELETE", "/messages/a/b", 405),
    ("GET", "/conversations/nothing/at/all", 404),
    ("GET", "/auth/broken", 500),
]


@pytest.mark.parametrize(("method", "path", "status"), PATHS)
async def test_every_answer_has_the_security_headers(
    broken: None, outside: Client, method: str, path: str, status: int
) -> None:
    answer = await outside.request(method, path)
    assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in SAFE} == SAFE
    assert "unsafe-eval" not in answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "camera=()" in answer.headers["permissions-policy"]
    assert "cache-control" in answer.headers
    assert "strict-transport-security" not in answer.headers


async def test_a_page_runs_its_own_scripts_only_and_none_from_a_string(outside: Client) -> None:
    answer = await outside.get("/dashboard/")
    policy = dict(
        part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; ")
    )
    inline = base64.b64encode(hashlib.sha256(b"1").digest()).decode()
    assert PAGE.count("<script>1</script>") == 1
    assert policy["script-src"] == f"'self' 'sha256-{inline}'"
    assert policy["object-src"] == policy["frame-ancestors"] == "'none'"
    assert policy["connect-src"] == policy["base-uri"] == policy["form-action"] == "'self'"


def test_without_built_pages_there_is_a_policy_too(tmp_path: Path) -> None:
    assert "script-src 'self';" in content_policy(tmp_path / "nothing")


async def test_answers_with_personal_data_are_not_stored(outside: Client, doctor: Context) -> None:
    email = doctor.user.email
    login = {"email": email, "password": PASSWORD}
    answers = [
        await outside.get("/auth/me", headers=bearer(doctor)),
        await outside.get("/conversations", headers=bearer(doctor)),
        await outside.get(f"/messages/{email}/x@example.com", headers=bearer(doctor)),
        await outside.post("/auth/login", json=login),
        await outside.get("/login/"),
    ]
    assert [answer.headers["cache-control"] for answer in answers] == ["no-store"] * 5


async def test_files_with_a_digest_in_their_name_are_kept_for_ever(outside: Client) -> None:
    assert "immutable" in (await outside.get("/assets/app.js")).headers["cache-control"]


async def test_a_failure_nobody_thought_of_tells_nothing(broken: None, outside: Client) -> None:
    answer = await outside.get("/auth/broken")
    assert code(answer) == (500, "unavailable")
    for word in ("secret", "Traceback", "RuntimeError", ".py"):
        assert word not in answer.text


async def test_every_answer_has_an_id_that_was_made_here(broken: None, outside: Client) -> None:
    """Whatever a client calls its request: its words do not reach the log."""
    own = {"X-Request-ID": "maria@example.com"}
    answers = [await outside.request(method, path, headers=own) for method, path, _ in PATHS]
    ids = [answer.headers["x-request-id"] for answer in answers]
    assert len(set(ids)) == len(PATHS)
    assert all(re.fullmatch("[0-9a-f]{12}", one) for one in ids)
    problems = [answer for answer in answers if "problem" in answer.headers.get("content-type", "")]
    assert [one.json()["request_id"] for one in problems] == [
        one.headers["x-request-id"] for one in problems
    ]


async def test_a_failure_is_found_in_the_log_by_its_id(broken: None, outside: Client) -> None:
    stream = io.StringIO()
    handler = logs.Lines(stream)
    logging.getLogger("carechat").addHandler(handler)
    try:
        answer = await outside.get("/auth/broken")
    finally:
        logging.getLogger("carechat").removeHandler(handler)
    assert json.loads(stream.getvalue())["request"] == answer.json()["request_id"]


async def test_health_is_answered_to_a_head_without_a_body(outside: Client) -> None:
    answers = [await outside.head(path) for path in ("/healthz", "/readyz")]
    assert [(answer.status_code, answer.content) for answer in answers] == [(200, b"")] * 2


@pytest.mark.parametrize("path", ["/auth/login", "/auth/session", "/dashboard", "/nothing"])
async def test_a_body_over_64_kib_is_too_large(outside: Client, path: str) -> None:
    answer = await outside.post(path, content=b"x" * 65_537)
    assert code(answer) == (413, "too_large")


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
async def test_a_body_that_hides_its_length_is_too_large_as_well(
    outside: Client, kind: str
) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(7):
            yield b"x" * 10_000
            await asyncio.sleep(0)

    headers = {"Content-Type": kind, "Origin": ORIGIN}
    path = "/auth/login" if "json" in kind else "/auth/session"
    answer = await outside.post(path, content=endless(), headers=headers)
    assert code(answer) == (413, "too_large")


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "[::1]:8000", "127.0.0.1"])
async def test_a_page_asked_for_under_another_loopback_name_is_redirected(
    outside: Client, host: str
) -> None:
    answer = await outside.get("/chat?email=a%40b", headers={**HTML, "Host": host})
    assert answer.status_code == 307
    assert answer.headers["location"] == "http://localhost:8000/chat?email=a%40b"


async def test_what_is_no_page_is_answered_under_any_loopback_name(outside: Client) -> None:
    elsewhere = {"Host": "127.0.0.1:8000"}
    assert (await outside.get("/healthz", headers=elsewhere)).status_code == 200
    login = await outside.post("/auth/login", json={}, headers={**HTML, **elsewhere})
    assert login.status_code == 422


@pytest.mark.parametrize("host", ["evil.test", "[", "a:b:c", "", "localhost:9"])
async def test_whatever_host_is_claimed_a_page_is_a_page(guarded: Guard, host: str) -> None:
    transport = httpx.ASGITransport(guarded)
    async with Client(transport=transport, base_url=ORIGIN) as client:
        answer = await client.get("/dashboard/", headers={**HTML, "Host": host})
        assert answer.status_code == 200
        redirect = await client.get("/deep/folder", headers={**HTML, "Host": host})
        assert "evil" not in redirect.headers["location"]


@pytest.mark.parametrize(
    "path",
    ["/deep/folder", "//deep/folder", "//evil.test/..//deep/folder", "///evil.test/../deep/folder"],
)
async def test_a_redirect_is_relative_and_stays_here(outside: Client, path: str) -> None:
    url = httpx.URL(str(outside.base_url)).copy_with(raw_path=path.encode())
    answer = await outside.get(url)
    location = answer.headers.get("location", "/")
    assert location.startswith("/")
    assert not location.startswith(("//", "/\\"))


async def test_a_page_is_found_without_its_slash(outside: Client) -> None:
    assert (await outside.get("/dashboard")).text == PAGE


@pytest.fixture
def secured(app: FastAPI, tmp_path: Path) -> Guard:
    """Return the guard of a deployment with https."""
    return serving.guarded(app, tmp_path / "pages", "https://chat.example.com")


async def test_over_https_browsers_are_told_to_stay_there(secured: Guard) -> None:
    transport = httpx.ASGITransport(secured)
    async with Client(transport=transport, base_url="https://chat.example.com") as client:
        answer = await client.get("/healthz", headers={**HTML, "Host": "127.0.0.1"})
    assert answer.status_code == 200
    assert answer.headers["strict-transport-security"].startswith("max-age=31536000")


async def test_names_and_messages_with_markup_stay_text(
    outside: Client, backend: Backend, doctor: Context
) -> None:
    other = await a_doctor(backend, name="<script>alert(1)</script>")
    answer = await outside.get("/auth/me", headers=bearer(other))
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["name"] == "<script>alert(1)</script>"
