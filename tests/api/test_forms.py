"""The forms of the pages: cookies that no script reads, and redirects that stay at home."""

from collections.abc import AsyncGenerator
from http.cookies import SimpleCookie
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from carechat.api import app as api
from carechat.api.forms import own_path
from carechat.services import invitations
from carechat.services.context import Backend, Context
from carechat.services.invitations import Link
from tests.answers import code
from tests.conftest import ORIGIN
from tests.factories import PASSWORD, a_doctor, a_token

Client = httpx.AsyncClient
OWN = {"Origin": ORIGIN}
HTTPS = "https://chat.example.com"


@pytest.fixture
async def doctor(backend: Backend) -> Context:
    """Return a doctor, signed in."""
    return await a_doctor(backend)


async def submit(client: Client, path: str, origin: str = ORIGIN, **fields: str) -> httpx.Response:
    """Return the answer to a form."""
    return await client.post(path, data=fields, headers={"Origin": origin})


def where(answer: httpx.Response) -> str:
    """Return where a form leads."""
    assert answer.status_code == 303
    return answer.headers["location"]


async def test_signing_in_sets_a_cookie_that_no_script_reads(
    client: Client, doctor: Context
) -> None:
    answer = await submit(client, "/auth/session", email=doctor.user.email, password=PASSWORD)
    assert where(answer) == "/dashboard"
    cookie = SimpleCookie(answer.headers["set-cookie"])["carechat_session"]
    assert cookie["httponly"]
    assert not cookie["secure"]
    assert (cookie["samesite"], cookie["path"], cookie["domain"]) == ("lax", "/", "")
    me = await client.get("/auth/me")
    assert me.json()["email"] == doctor.user.email


@pytest.fixture
async def over_https(backend: Backend) -> AsyncGenerator[Client]:
    """Give a client of a deployment with https."""
    app = api.create([HTTPS])
    app.state.backend = backend
    transport = httpx.ASGITransport(app)
    async with Client(transport=transport, base_url=HTTPS) as client:
        yield client


async def test_over_https_the_cookie_is_secure_and_bound_to_the_host(
    over_https: Client, doctor: Context
) -> None:
    fields = {"email": doctor.user.email, "password": PASSWORD}
    answer = await submit(over_https, "/auth/session", HTTPS, **fields)
    cookie = SimpleCookie(answer.headers["set-cookie"])["__Host-carechat_session"]
    assert cookie["secure"]
    assert (cookie["path"], cookie["domain"]) == ("/", "")
    assert (await over_https.get("/auth/me")).status_code == 200
    ended = await submit(over_https, "/auth/session/end", HTTPS)
    assert SimpleCookie(ended.headers["set-cookie"])["__Host-carechat_session"]["secure"]


async def test_over_https_the_plain_cookie_is_not_read(over_https: Client, doctor: Context) -> None:
    over_https.cookies.set("carechat_session", a_token(doctor))
    assert code(await over_https.get("/auth/me")) == (401, "unauthenticated")


async def test_a_wrong_password_leads_back_with_the_reason(client: Client) -> None:
    fields = {"email": "x@example.com", "password": "wrong", "next": "/chat?email=a%40example.com"}
    answer = await submit(client, "/auth/session", **fields)
    parts = urlsplit(where(answer))
    assert parts.path == "/login"
    assert parse_qs(parts.query) == {"error": ["unauthenticated"], "next": [fields["next"]]}
    assert "set-cookie" not in answer.headers
    assert "wrong" not in where(answer)


async def test_an_empty_form_is_a_failed_sign_in(client: Client) -> None:
    assert where(await submit(client, "/auth/session")).startswith("/login?error=unauthenticated")


async def test_after_ten_failures_the_page_says_to_wait(client: Client) -> None:
    fields = {"email": "x@example.com", "password": "x"}
    for _ in range(10):
        await submit(client, "/auth/session", **fields)
    answer = await submit(client, "/auth/session", **fields)
    assert where(answer).startswith("/login?error=rate_limited")


async def test_the_right_password_leads_to_where_one_wanted_to_go(
    client: Client, doctor: Context
) -> None:
    fields = {"email": doctor.user.email, "password": PASSWORD}
    answer = await submit(client, "/auth/session", **fields, next="/chat?email=a%40example.com")
    assert where(answer) == "/chat?email=a%40example.com"


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.test",
        "//evil.test",
        "///evil.test",
        "/\\evil.test",
        "\\\\evil.test",
        "/\t/evil.test",
        "/a\r\nSet-Cookie: x=y",
        "javascript:alert(1)",
        "evil.test",
        "",
        "//[",
        "http://[",
        "/\u2028",
        "\ud800",
    ],
)
async def test_nobody_is_led_to_a_foreign_page(path: str) -> None:
    assert own_path(path) == "/dashboard"


@given(st.text(st.sampled_from("/\\.:@?#[]ab \t\n%")) | st.text())
def test_whatever_is_followed_is_a_path_of_our_own(text: str) -> None:
    path = own_path(text)
    assert path.startswith("/")
    assert not path.startswith(("//", "/\\"))
    assert urlsplit(f"{ORIGIN}{path}").netloc == "localhost:8000"


async def test_signing_out_clears_the_cookie_and_ends_the_session(
    client: Client, doctor: Context
) -> None:
    client.cookies.set("carechat_session", a_token(doctor))
    answer = await submit(client, "/auth/session/end")
    assert where(answer) == "/login"
    assert 'carechat_session=""' in answer.headers["set-cookie"]
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert await doctor.store.sessions.find(doctor.session.id) is None


async def test_signing_out_again_leads_to_the_sign_in_page_too(client: Client) -> None:
    assert where(await submit(client, "/auth/session/end")) == "/login"


@pytest.mark.parametrize("path", ["/auth/session", "/auth/session/end", "/auth/join"])
@pytest.mark.parametrize("origin", [None, "null", "http://evil.test", "http://localhost:80000"])
async def test_a_foreign_page_cannot_submit_a_form(
    client: Client, doctor: Context, path: str, origin: str | None
) -> None:
    client.cookies.set("carechat_session", a_token(doctor))
    fields = {"email": doctor.user.email, "password": PASSWORD}
    headers = {"Origin": origin} if origin else {}
    answer = await client.post(path, data=fields, headers=headers)
    assert code(answer) == (403, "forbidden")
    assert "set-cookie" not in answer.headers
    assert await doctor.store.sessions.find(doctor.session.id)


async def test_joining_signs_the_browser_in(client: Client, doctor: Context) -> None:
    link = await invitations.invite(doctor, "new@example.com", "Nora New")
    assert isinstance(link, Link)
    token = parse_qs(urlsplit(link.url).query)["token"][0]
    refused = await submit(client, "/auth/join", token=token, password="short")
    assert where(refused) == f"/join?token={token}&error=invalid"
    assert where(await submit(client, "/auth/join", token=token, password=PASSWORD)) == "/dashboard"
    assert (await client.get("/auth/me")).json()["email"] == "new@example.com"
    again = await submit(client, "/auth/join", token=token, password=PASSWORD)
    assert where(again).endswith("error=not_found")


async def test_in_development_a_form_leads_back_to_the_pages_port(
    app: FastAPI, client: Client
) -> None:
    app.state.origins = (ORIGIN, "http://localhost:3000")
    answer = await submit(client, "/auth/session/end", "http://localhost:3000")
    assert where(answer) == "http://localhost:3000/login"


async def test_a_file_in_a_field_is_refused(client: Client) -> None:
    files = {"email": ("x.txt", b"x")}
    answer = await client.post("/auth/session", files=files, headers=OWN)
    assert answer.status_code in {415, 422}
