"""The guard, over a real server: headers on every answer, limits, and redirects that stay here."""

import asyncio
import base64
import hashlib
import io
import json
import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack
from ipaddress import ip_network
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from carechat import logs
from carechat.api import guard
from carechat.api import socket as door
from carechat.api.guard import Guard, content_policy
from carechat.security.throttle import Seats
from carechat.services.context import Backend, Context
from tests import serving
from tests.answers import code
from tests.conftest import ORIGIN
from tests.factories import PASSWORD, a_doctor, bearer
from tests.scraping import Rise
from tests.serving import PAGE, SECONDS, Server, handshake
from tests.unreliable import Unreliable

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
    line = json.loads(stream.getvalue())
    assert line["request"] == answer.json()["request_id"]
    assert re.fullmatch(r"GET /auth/broken failed: RuntimeError at .+\.py:\d+", line["message"])


async def test_what_the_database_fails_is_found_in_the_log_by_its_id(
    app: FastAPI, fragile: Backend, failing: Unreliable, outside: Client
) -> None:
    """But not whoever asks all the time whether it is ready."""
    app.state.backend = fragile
    doctor = await a_doctor(fragile)
    stream = io.StringIO()
    handler = logs.Lines(stream)
    logging.getLogger("carechat").addHandler(handler)
    try:
        failing.fail(["find", "ping"], errorCode=8000)
        assert (await outside.get("/readyz")).status_code == 503
        answer = await outside.get("/conversations", headers=bearer(doctor))
    finally:
        logging.getLogger("carechat").removeHandler(handler)
    assert code(answer) == (503, "unavailable")
    line = json.loads(stream.getvalue())
    assert line["request"] == answer.json()["request_id"]
    assert line["message"] == "GET /conversations unavailable: OperationFailure 8000"


async def test_a_refused_socket_has_the_id_of_its_request_where_answers_have_it(
    server: Server,
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"ws://127.0.0.1:{server.port}/ws/doctor@example.com")
    answer = refused.value.response
    assert answer.headers["X-Request-ID"] == json.loads(answer.body or b"")["request_id"] != ""


async def fails(scope: Scope, receive: Receive, send: Send) -> None:
    """Fail as what lies beside the API could, before an answer has begun or after it."""
    if scope["path"] == "/late":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x", "more_body": True})
    elif scope["path"] == "/opened":
        await send({"type": "websocket.accept"})
        scope.clear()
    raise KeyError("a secret of the server")


@pytest.fixture
def failing_app(tmp_path: Path) -> Guard:
    """Return such an application behind the guard."""
    return Guard(fails, [ORIGIN], tmp_path)


async def test_what_fails_beside_the_api_is_counted_and_logged_once(
    failing_app: Guard, caplog: pytest.LogCaptureFixture
) -> None:
    """The server would log it itself, with all that the error says."""
    failures = Rise("carechat_failures_total")
    async with (
        serving.serve(failing_app) as server,
        serving.a_client(server) as client,
    ):
        answer = await client.get("/")
        assert code(answer) == (500, "unavailable")
        assert answer.json()["request_id"] == answer.headers["x-request-id"]
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get("/late")
        assert (await handshake(server, "/_event"))[0] == 500
        async with connect(f"ws://127.0.0.1:{server.port}/opened") as socket:
            await socket.wait_closed()
        assert socket.close_code == 1011
    told = [record.getMessage() for record in caplog.records if "KeyError" in record.getMessage()]
    assert [line.partition(" at ")[0] for line in told] == [
        "GET failed: KeyError",
        "GET failed: KeyError",
        "socket failed: KeyError",
        "socket failed: KeyError",
    ]
    assert failures() == 4
    assert "secret" not in caplog.text


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


async def test_a_body_that_does_not_come_is_not_waited_for(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.2)
    met = Rise("carechat_limits_total", limit="body_seconds")
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    head = "POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n"
    writer.write(f"{head}Content-Type: application/json\r\n\r\n{{".encode())
    async with asyncio.timeout(SECONDS):
        assert (await reader.readline()).startswith(b"HTTP/1.1 408 ")
    writer.close()
    assert met() == 1


class TestAddresses:
    """Where requests and sockets come from."""

    @pytest.fixture
    def proxied(self, app: FastAPI, tmp_path: Path) -> Guard:
        """Return the guard of a deployment behind a proxy, with two sockets for each address."""
        return Guard(
            door.beside(app, app),
            [ORIGIN],
            tmp_path,
            trusted=[ip_network("127.0.0.1")],
            seat=Seats(2, "sockets_of_address").seat,
        )

    @pytest.fixture
    async def behind(self, proxied: Guard) -> AsyncGenerator[Server]:
        """Give a server for that."""
        async with serving.serve(proxied) as server:
            yield server

    @staticmethod
    async def tries(server: Server, ctx: Context, forwarded: str) -> list[int]:
        """Return what is answered to eleven wrong passwords from there."""
        body = {"email": ctx.user.email, "password": "not the right one"}
        headers = {"X-Forwarded-For": forwarded} if forwarded else {}
        async with serving.a_client(server) as client:
            answers = [
                await client.post("/auth/login", json=body, headers=headers) for _ in range(11)
            ]
        return [answer.status_code for answer in answers]

    async def test_behind_a_trusted_proxy_each_network_has_its_own_tries(
        self, behind: Server, doctor: Context
    ) -> None:
        assert (await self.tries(behind, doctor, "192.0.2.7"))[-1] == 429
        assert (await self.tries(behind, doctor, "198.51.100.7"))[0] == 401
        claimed = "203.0.113.9, 192.0.2.8"
        assert (await self.tries(behind, doctor, claimed))[0] == 429

    async def test_nobody_else_chooses_where_they_come_from(
        self, server: Server, doctor: Context
    ) -> None:
        await self.tries(server, doctor, "192.0.2.7")
        assert (await self.tries(server, doctor, "198.51.100.7"))[0] == 429

    async def test_an_address_has_only_so_many_sockets(
        self, behind: Server, doctor: Context
    ) -> None:
        refused = Rise("carechat_limits_total", limit="sockets_of_address")
        path = f"/ws/{doctor.user.email}"
        here = [*bearer(doctor).items(), ("X-Forwarded-For", "192.0.2.7")]
        there = [*bearer(doctor).items(), ("X-Forwarded-For", "198.51.100.7")]
        async with AsyncExitStack() as sockets:
            for _ in range(2):
                await sockets.enter_async_context(
                    connect(f"{behind.url.replace('http', 'ws')}{path}", additional_headers=here)
                )
            status, problem = await handshake(behind, path, here)
            assert (status, problem["code"]) == (429, "rate_limited")
            assert (await handshake(behind, "/_event/", here))[0] == 429
            assert (await handshake(behind, path, there))[0] == 101
        async with asyncio.timeout(SECONDS):
            while (await handshake(behind, path, here))[0] != 101:
                pass
        assert refused() >= 2

    @pytest.mark.parametrize(
        ("peer", "counted"),
        [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8::7", "2001:db8::/64"),
            ("2001:db8::ffff:1:2:3", "2001:db8::/64"),
            ("2001:db8:0:1::7", "2001:db8:0:1::/64"),
            ("127.0.0.1", ""),
            ("::1", ""),
            ("a socket", ""),
        ],
    )
    def test_sockets_are_counted_by_address_or_household_and_not_on_this_machine(
        self, peer: str, counted: str
    ) -> None:
        """Each of an IPv6 household has more addresses than anybody could count."""
        assert guard.holder({"client": (peer, 1)}) == counted
        assert guard.holder({"client": None}) == ""


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
