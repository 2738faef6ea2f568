"""The API as a whole: every path below its prefixes answers as the API, and says what it can."""

import asyncio
from dataclasses import replace

import httpx
import pytest
from fastapi import FastAPI
from starlette.applications import Starlette

from carechat.realtime.relay import Relay
from carechat.services import watch
from carechat.services.context import Backend
from tests.answers import code
from tests.conftest import ORIGIN, SECRET
from tests.unreliable import Unreliable

Client = httpx.AsyncClient


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/messages/a/b", "GET"),
        ("POST", "/messages/a/b", "GET"),
        ("GET", "/messages/mark-read/a/", ""),
        ("GET", "/auth/login", "POST"),
        ("PUT", "/auth/session", "POST"),
        ("DELETE", "/conversations/x/messages", "GET, POST"),
        ("POST", "/conversations", "GET"),
        ("GET", "/invitations", "POST"),
        ("POST", "/healthz", "GET, HEAD"),
        ("DELETE", "/readyz", "GET, HEAD"),
        ("POST", "/docs", "GET"),
        ("POST", "/openapi.json", "GET, HEAD"),
        ("TRACE", "/auth/me", "GET"),
        ("BREW", "/auth/me", "GET"),
    ],
)
async def test_another_method_is_not_allowed_and_told_which_are(
    client: Client, method: str, path: str, allowed: str
) -> None:
    answer = await client.request(method, path)
    expected = (405, "method_not_allowed") if allowed else (404, "not_found")
    assert code(answer) == expected
    assert answer.headers.get("allow", "") == allowed


@pytest.mark.parametrize(
    "path",
    [
        "/auth",
        "/auth/",
        "/auth/nothing",
        "/messages",
        "/messages/a",
        "/messages/a/b/c",
        "/conversations/x",
        "/conversations/",
        "/invitations/x",
        "/ws",
        "/ws/doctor@example.com",
        "/docs/nothing",
        "/healthz/x",
        "/openapi.json/x",
    ],
)
@pytest.mark.parametrize(
    "method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"]
)
async def test_a_path_below_the_api_that_is_none_is_a_problem(
    client: Client, path: str, method: str
) -> None:
    assert code(await client.request(method, path)) == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "path"),
    [("TRACE", "/auth/me"), ("BREW", "/messages/a/b"), ("POST", "/openapi.json")],
)
async def test_no_method_reaches_the_pages_below_the_api(
    app: FastAPI, client: Client, method: str, path: str
) -> None:
    """Reflex mounts the pages as an application of their own, which refuses in plain text."""
    app.mount("", Starlette())
    assert code(await client.request(method, path)) == (405, "method_not_allowed")


async def test_health_says_that_the_process_lives_and_the_database_answers(
    client: Client,
) -> None:
    assert (await client.get("/healthz")).status_code == 200
    ready = await client.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"database": "reachable"})


async def test_health_may_be_asked_for_with_head(client: Client, app: FastAPI) -> None:
    assert (await client.head("/healthz")).status_code == 200
    assert (await client.head("/readyz")).status_code == 200
    app.state.backend = None
    assert (await client.head("/readyz")).status_code == 503


async def test_without_a_database_the_process_lives_and_is_not_ready(
    client: Client, app: FastAPI, fragile: Backend, failing: Unreliable
) -> None:
    app.state.backend = fragile
    failing.fail(["ping"], errorCode=8000)
    assert (await client.get("/healthz")).status_code == 200
    assert code(await client.get("/readyz")) == (503, "unavailable")
    failing.heal()
    assert (await client.get("/readyz")).status_code == 200


async def test_a_process_whose_database_takes_no_writes_is_not_ready(
    client: Client, app: FastAPI, fragile: Backend, failing: Unreliable
) -> None:
    app.state.backend = fragile
    failing.fail(["update"], errorCode=8000)
    fragile.spawn(watch.database(fragile))
    async with asyncio.timeout(20):
        while (answer := await client.get("/readyz")).status_code == 200:
            pass
    assert code(answer) == (503, "unavailable")
    assert answer.json()["detail"] == "The database takes no writes."
    failing.heal()
    async with asyncio.timeout(20):
        while (await client.get("/readyz")).status_code != 200:
            pass


async def test_without_redis_a_process_that_needs_it_is_not_ready(
    client: Client, app: FastAPI, backend: Backend
) -> None:
    app.state.backend = replace(backend, relay=Relay("redis://127.0.0.1:1/0", "clinic", SECRET))
    assert (await client.get("/healthz")).status_code == 200
    answer = await client.get("/readyz")
    assert code(answer) == (503, "unavailable")
    assert answer.json()["detail"] == watch.REDIS_AWAY


async def test_a_call_that_the_database_fails_is_unavailable(
    client: Client, app: FastAPI, fragile: Backend, failing: Unreliable
) -> None:
    app.state.backend = fragile
    failing.fail(["find"], errorCode=8000)
    body = {"email": "doctor@example.com", "password": "x"}
    assert code(await client.post("/auth/login", json=body)) == (503, "unavailable")
    form = await client.post("/auth/session", data=body, headers={"Origin": ORIGIN})
    assert form.headers["location"].startswith("/login?error=unavailable")


async def test_while_it_starts_the_api_says_so(client: Client, app: FastAPI) -> None:
    app.state.backend = None
    assert code(await client.get("/auth/me")) == (503, "unavailable")
    assert code(await client.get("/readyz")) == (503, "unavailable")
    assert (await client.get("/healthz")).status_code == 200


async def test_the_documentation_needs_nothing_from_elsewhere(client: Client) -> None:
    page = await client.get("/docs")
    assert "//" not in page.text.replace("<!doctype html>", "")
    assert "unsafe-eval" not in page.headers["content-security-policy"]
    for asset in ("swagger-ui.css", "swagger-ui-bundle.js"):
        assert f"/docs/assets/{asset}" in page.text
        assert (await client.get(f"/docs/assets/{asset}")).status_code == 200
    assert "/openapi.json" in (await client.get("/docs/start.js")).text


async def test_the_description_has_every_call_of_the_contract(client: Client) -> None:
    described = (await client.get("/openapi.json")).json()["paths"]
    calls = {f"{method.upper()} {path}" for path, ways in described.items() for method in ways}
    assert calls == {
        "POST /auth/login",
        "POST /auth/logout",
        "GET /auth/me",
        "POST /auth/password",
        "POST /invitations",
        "POST /invitations/accept",
        "GET /conversations",
        "GET /messages/{email1}/{email2}",
        "PATCH /messages/mark-read/{partner_email}",
        "GET /conversations/{conversation_id}/messages",
        "POST /conversations/{conversation_id}/messages",
        "GET /healthz",
        "GET /readyz",
        "GET /metrics",
    }
