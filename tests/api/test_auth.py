"""Signing in and out over REST: what is answered, and how little a failure tells."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest

from carechat.domain.users import Role
from carechat.services import accounts, users
from carechat.services.context import Backend, Context
from tests.answers import code, post
from tests.conftest import ORIGIN, SECRET, Clock
from tests.factories import PASSWORD, a_caller, a_doctor, a_token, a_user, bearer

Client = httpx.AsyncClient
NEW = "another fine password"


async def login(client: Client, email: str, password: str = PASSWORD) -> httpx.Response:
    """Return the answer to a sign-in."""
    return await client.post("/auth/login", json={"email": email, "password": password})


@pytest.fixture
async def doctor(backend: Backend) -> Context:
    """Return a doctor, signed in."""
    return await a_doctor(backend)


async def test_signing_in_gives_a_bearer_token(client: Client, backend: Backend) -> None:
    user = await a_user(backend, Role.DOCTOR, name="Dr. Sarah Chen")
    answer = await login(client, user.email.upper())
    assert answer.status_code == 200
    token = answer.json().pop("access_token")
    assert answer.json() == {
        "access_token": token,
        "token_type": "bearer",
        "expires_in": 12 * 60 * 60,
        "user": {"email": user.email, "name": "Dr. Sarah Chen", "role": "doctor"},
    }
    me = await client.get("/auth/me", headers={"Authorization": f"bearer {token}"})
    assert me.json() == {"email": user.email, "name": "Dr. Sarah Chen", "role": "doctor"}


async def test_an_unknown_address_and_a_wrong_password_look_alike(
    client: Client, doctor: Context
) -> None:
    wrong = await login(client, doctor.user.email, "wrong")
    unknown = await login(client, "nobody@example.com")
    assert code(wrong) == code(unknown) == (401, "unauthenticated")
    assert wrong.json() == unknown.json()
    assert dict(wrong.headers) == dict(unknown.headers)


async def test_after_ten_failures_one_has_to_wait(client: Client, doctor: Context) -> None:
    for _ in range(10):
        assert (await login(client, doctor.user.email, "wrong")).status_code == 401
    answer = await login(client, doctor.user.email)
    assert code(answer) == (429, "rate_limited")
    assert answer.headers["retry-after"] == "900"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"email": "doctor@example.com"},
        {"email": {"$ne": ""}, "password": {"$ne": ""}},
        {"email": ["doctor@example.com"], "password": "x"},
        {"email": "doctor@example.com", "password": 12345678},
        {"email": "doctor@example.com", "password": None},
        {"email": "\ud800", "password": "x"},
        {"email": "x" * 1_001, "password": "x"},
    ],
)
async def test_what_is_no_address_and_password_is_invalid(
    client: Client, body: dict[str, Any]
) -> None:
    assert code(await post(client, "/auth/login", body)) == (422, "invalid")


async def test_signing_out_ends_the_session(client: Client, doctor: Context) -> None:
    answer = await client.post("/auth/logout", headers=bearer(doctor))
    assert (answer.status_code, answer.content) == (204, b"")
    assert code(await client.get("/auth/me", headers=bearer(doctor))) == (401, "unauthenticated")


async def test_a_changed_password_ends_the_other_sessions(
    client: Client, backend: Backend, doctor: Context
) -> None:
    other = await a_caller(backend, doctor.user)
    body = {"current": PASSWORD, "new": NEW}
    answer = await client.post("/auth/password", json=body, headers=bearer(doctor))
    assert answer.status_code == 204
    assert (await client.get("/auth/me", headers=bearer(doctor))).status_code == 200
    assert (await client.get("/auth/me", headers=bearer(other))).status_code == 401
    assert (await login(client, doctor.user.email, NEW)).status_code == 200


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"current": "wrong", "new": NEW}, (403, "forbidden")),
        ({"current": PASSWORD, "new": "short"}, (422, "invalid")),
        ({"current": PASSWORD, "new": "x" * 73}, (422, "invalid")),
        ({"current": PASSWORD, "new": "password"}, (422, "invalid")),
        ({"current": PASSWORD, "new": "nul\0nul\0nul"}, (422, "invalid")),
        ({"current": PASSWORD, "new": {"$set": 1}}, (422, "invalid")),
        ({"new": NEW}, (422, "invalid")),
    ],
)
async def test_a_password_that_may_not_be_changed_stays(
    client: Client, doctor: Context, body: dict[str, Any], refusal: tuple[int, str]
) -> None:
    answer = await client.post("/auth/password", json=body, headers=bearer(doctor))
    assert code(answer) == refusal
    assert (await login(client, doctor.user.email)).status_code == 200


def other_token(**other: object) -> Callable[[Context], str]:
    """Return how a token is made that differs from a good one in some claims."""

    def make(ctx: Context) -> str:
        claims = jwt.decode(a_token(ctx), options={"verify_signature": False})
        return jwt.encode(claims | other, SECRET)

    return make


def of_another_key(ctx: Context) -> str:
    """Return a token that somebody else has signed."""
    claims = jwt.decode(a_token(ctx), options={"verify_signature": False})
    return jwt.encode(claims, "another secret that is long enough")


def unsigned(ctx: Context) -> str:
    """Return a token that nobody has signed."""
    claims = jwt.decode(a_token(ctx), options={"verify_signature": False})
    return jwt.encode(claims, None, algorithm="none")


@pytest.mark.parametrize(
    "make",
    [
        lambda _: "",
        lambda _: "x",
        lambda ctx: a_token(ctx)[:-2],
        lambda ctx: a_token(ctx) + "A",
        other_token(exp=1),
        other_token(aud="somebody else"),
        other_token(iss="somebody else"),
        other_token(sid="another session"),
        other_token(sid={"$ne": ""}),
        other_token(sub="another person"),
        of_another_key,
        unsigned,
    ],
)
async def test_a_token_that_is_not_good_is_refused(
    client: Client, doctor: Context, make: Callable[[Context], str]
) -> None:
    headers = {"Authorization": f"Bearer {make(doctor)}"}
    answer = await client.get("/auth/me", headers=headers)
    assert code(answer) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("header", ["", "Basic eDp5", "Bearer", "Token x", "\xff"])
async def test_another_kind_of_proof_is_none(client: Client, header: str) -> None:
    headers = {"Authorization": header.encode("latin-1")}
    answer = await client.get("/auth/me", headers=headers)  # pyright: ignore[reportArgumentType]
    assert code(answer) == (401, "unauthenticated")


async def test_a_token_in_the_address_is_not_read(client: Client, doctor: Context) -> None:
    token = a_token(doctor)
    answer = await client.get(f"/auth/me?token={token}&access_token={token}")
    assert code(answer) == (401, "unauthenticated")


async def test_a_session_ends_by_idling_by_time_and_by_disabling(
    client: Client, backend: Backend, doctor: Context, clock: Clock
) -> None:
    clock.advance(minutes=14, seconds=59)
    assert (await client.get("/auth/me", headers=bearer(doctor))).status_code == 200
    await backend.activity.settle()
    clock.advance(minutes=14)
    assert (await client.get("/auth/me", headers=bearer(doctor))).status_code == 200
    await users.disable(backend, doctor.user.email)
    assert code(await client.get("/auth/me", headers=bearer(doctor))) == (401, "unauthenticated")


async def test_no_call_keeps_a_session_beyond_twelve_hours(
    client: Client, backend: Backend, doctor: Context, clock: Clock
) -> None:
    for _ in range(71):
        clock.advance(minutes=10)
        assert (await client.get("/auth/me", headers=bearer(doctor))).status_code == 200
        await backend.activity.settle()
    clock.advance(minutes=10)
    assert (await client.get("/auth/me", headers=bearer(doctor))).status_code == 401


CHANGES = [
    ("POST", "/auth/logout", None),
    ("POST", "/auth/password", {"current": PASSWORD, "new": NEW}),
    ("POST", "/invitations", {"email": "new@example.com", "name": "N"}),
    ("POST", f"/conversations/{'f' * 24}/messages", {"message": "x"}),
    ("PATCH", "/messages/mark-read/x@example.com", None),
]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("origin", [None, "null", "http://evil.test", "http://localhost:8001"])
async def test_a_cookie_changes_nothing_without_the_pages_own_origin(
    client: Client, doctor: Context, change: tuple[str, str, object], origin: str | None
) -> None:
    method, path, body = change
    client.cookies.set("carechat_session", a_token(doctor))
    headers = {"Origin": origin} if origin else {}
    answer = await client.request(method, path, json=body, headers=headers)
    assert code(answer) == (403, "forbidden")
    assert await accounts.resolve(doctor.backend, a_token(doctor))


async def test_a_cookie_reads_and_with_the_pages_origin_changes(
    client: Client, doctor: Context
) -> None:
    client.cookies.set("carechat_session", a_token(doctor))
    assert (await client.get("/auth/me")).status_code == 200
    answer = await client.post("/auth/logout", headers={"Origin": ORIGIN})
    assert answer.status_code == 204
    assert 'carechat_session=""' in answer.headers["set-cookie"]


async def test_a_header_of_another_kind_does_not_free_a_cookie_from_its_origin(
    client: Client, doctor: Context
) -> None:
    client.cookies.set("carechat_session", a_token(doctor))
    answer = await client.post("/auth/logout", headers={"Authorization": "Basic eDp5"})
    assert code(answer) == (403, "forbidden")


async def test_who_has_no_token_at_all_is_told_to_sign_in(client: Client) -> None:
    for method, path, body in CHANGES:
        answer = await client.request(method, path, json=body)
        assert code(answer) == (401, "unauthenticated")


async def test_a_bearer_token_needs_no_origin(client: Client, doctor: Context) -> None:
    headers = {**bearer(doctor), "Origin": "http://elsewhere.test"}
    assert (await client.post("/auth/logout", headers=headers)).status_code == 204


async def test_a_token_lasts_as_long_as_it_says(client: Client, backend: Backend) -> None:
    user = await a_user(backend)
    answer = (await login(client, user.email)).json()
    claims = jwt.decode(answer["access_token"], options={"verify_signature": False})
    assert timedelta(seconds=claims["exp"] - claims["iat"]) == timedelta(hours=12)
    assert claims["role"] == "patient"
