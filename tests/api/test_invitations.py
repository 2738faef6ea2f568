"""Invitations over REST: who may invite, and how a link is used."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from carechat.domain.users import Role
from carechat.services.context import Backend
from tests.answers import code, post
from tests.conftest import Clock, Records
from tests.factories import PASSWORD, a_caller, a_doctor, a_patient, a_user, bearer

Client = httpx.AsyncClient
NEW = {"email": "New@Example.com", "name": "Nora New"}


async def an_invitation(client: Client, backend: Backend) -> str:
    """Return the token of an invitation."""
    answer = await client.post("/invitations", json=NEW, headers=bearer(await a_doctor(backend)))
    return parse_qs(urlsplit(answer.json()["url"]).query)["token"][0]


async def test_a_doctor_is_given_a_link(client: Client, backend: Backend) -> None:
    answer = await client.post("/invitations", json=NEW, headers=bearer(await a_doctor(backend)))
    assert answer.status_code == 201
    assert answer.json().keys() == {"url", "expires_at"}
    assert answer.json()["url"].startswith("http://localhost:8000/")
    assert answer.json()["expires_at"] == "2099-01-22T14:30:00.000Z"


async def test_an_existing_patient_is_assigned(client: Client, backend: Backend) -> None:
    patient = await a_patient(backend)
    body = {"email": patient.user.email, "name": "x"}
    answer = await client.post("/invitations", json=body, headers=bearer(await a_doctor(backend)))
    assert (answer.status_code, answer.json()) == (201, {"assigned": True})


async def test_another_account_is_a_conflict(client: Client, backend: Backend) -> None:
    body = {"email": (await a_user(backend, Role.ADMIN)).email, "name": "x"}
    answer = await client.post("/invitations", json=body, headers=bearer(await a_doctor(backend)))
    assert code(answer) == (409, "conflict")


@pytest.mark.parametrize("role", [Role.PATIENT, Role.ADMIN])
async def test_nobody_but_a_doctor_invites(client: Client, backend: Backend, role: Role) -> None:
    caller = await a_caller(backend, await a_user(backend, role))
    answer = await client.post("/invitations", json=NEW, headers=bearer(caller))
    assert code(answer) == (403, "forbidden")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"email": "x", "name": "x"},
        {"email": {"$ne": ""}, "name": "x"},
        {"email": "new@example.com", "name": ""},
        {"email": "new@example.com", "name": "x" * 101},
        {"email": "new@example.com", "name": {"$gt": ""}},
        {"email": "new@example.com", "name": "a\0"},
        {"email": "new@example.com", "name": "\ud800"},
    ],
)
async def test_a_bad_invitation_is_refused(
    client: Client, backend: Backend, records: Records, body: dict[str, Any]
) -> None:
    answer = await post(client, "/invitations", body, bearer(await a_doctor(backend)))
    assert code(answer) == (422, "invalid")
    assert records["invitations"].count_documents({}) == 0


async def test_accepting_signs_in_once(client: Client, backend: Backend) -> None:
    body = {"token": await an_invitation(client, backend), "password": PASSWORD}
    answer = await client.post("/invitations/accept", json=body)
    assert answer.status_code == 201
    assert answer.json()["user"] == {
        "email": "new@example.com",
        "name": "Nora New",
        "role": "patient",
    }
    token = answer.json()["access_token"]
    me = await client.get("/auth/me", headers={"Authorization": f"Bearer {token}"})
    assert me.status_code == 200
    assert code(await client.post("/invitations/accept", json=body)) == (404, "not_found")


async def test_an_expired_link_is_not_found(client: Client, backend: Backend, clock: Clock) -> None:
    body = {"token": await an_invitation(client, backend), "password": PASSWORD}
    clock.advance(days=7)
    assert code(await client.post("/invitations/accept", json=body)) == (404, "not_found")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"password": "short"}, (422, "invalid")),
        ({"password": "x" * 73}, (422, "invalid")),
        ({"password": {"$ne": ""}}, (422, "invalid")),
        ({"token": {"$ne": ""}}, (422, "invalid")),
        ({"token": "made up"}, (404, "not_found")),
        ({"token": ""}, (404, "not_found")),
    ],
)
async def test_a_link_is_not_used_up_by_what_is_refused(
    client: Client, backend: Backend, change: dict[str, Any], expected: tuple[int, str]
) -> None:
    good = {"token": await an_invitation(client, backend), "password": PASSWORD}
    assert code(await client.post("/invitations/accept", json=good | change)) == expected
    assert (await client.post("/invitations/accept", json=good)).status_code == 201
