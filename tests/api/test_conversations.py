"""The list of conversations over REST."""

import httpx
import pytest

from carechat.domain.users import Role
from carechat.services import conversations
from carechat.services.context import Backend
from tests.answers import code
from tests.conftest import Clock
from tests.factories import a_caller, a_doctor, a_pair, a_patient, a_user, bearer, says, to

Client = httpx.AsyncClient


async def test_a_conversation_has_every_field_of_the_contract(
    client: Client, backend: Backend
) -> None:
    doctor, patient = await a_pair(backend)
    sent = await says(patient, doctor, "Hello", "c1")
    answer = await client.get("/conversations", headers=bearer(doctor))
    assert answer.status_code == 200
    (listed,) = answer.json()
    assert listed.pop("last_message")["id"] == sent.id
    assert listed == {
        "id": sent.conversation_id,
        "kind": "direct",
        "title": None,
        "members": [
            {"email": doctor.user.email, "name": doctor.user.name, "role": "doctor"},
            {"email": patient.user.email, "name": patient.user.name, "role": "patient"},
        ],
        "partner_email": patient.user.email,
        "last_seq": 1,
        "unread": 1,
        "muted": False,
    }


async def test_without_a_message_a_conversation_is_there_already(
    client: Client, backend: Backend
) -> None:
    _, patient = await a_pair(backend)
    (listed,) = (await client.get("/conversations", headers=bearer(patient))).json()
    assert (listed["last_message"], listed["last_seq"], listed["unread"]) == (None, 0, 0)


async def test_the_last_message_comes_first_and_next_leads_to_the_end(
    client: Client, backend: Backend, clock: Clock
) -> None:
    doctor = await a_doctor(backend)
    patients = [await a_patient(backend, doctor) for _ in range(5)]
    for patient in patients[1:4]:
        clock.advance(seconds=1)
        await says(patient, doctor)
    path, pages = "/conversations?limit=2", list[list[str]]()
    while path:
        answer = await client.get(path, headers=bearer(doctor))
        pages.append([one["partner_email"] for one in answer.json()])
        path = answer.links["next"]["url"] if "next" in answer.links else ""
    assert [len(page) for page in pages] == [2, 2, 1]
    listed = [email for page in pages for email in page]
    emails = [patient.user.email for patient in patients]
    assert listed[:3] == [emails[3], emails[2], emails[1]]
    assert set(listed) == set(emails)


async def test_only_own_conversations_are_listed(client: Client, backend: Backend) -> None:
    await a_pair(backend)
    stranger = await a_doctor(backend)
    admin = await a_caller(backend, await a_user(backend, Role.ADMIN))
    for ctx in (stranger, admin):
        assert (await client.get("/conversations", headers=bearer(ctx))).json() == []


async def test_an_administrator_reads_no_conversation(client: Client, backend: Backend) -> None:
    doctor, patient = await a_pair(backend)
    conversation = (await conversations.find(doctor, to(patient))).conversation
    admin = await a_caller(backend, await a_user(backend, Role.ADMIN))
    path = f"/conversations/{conversation.id}/messages"
    assert code(await client.get(path, headers=bearer(admin))) == (404, "not_found")
    path = f"/messages/{doctor.user.email}/{patient.user.email}"
    assert code(await client.get(path, headers=bearer(admin))) == (403, "forbidden")


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "cursor=x", "cursor=1-x", "cursor=%00", "cursor=$"]
)
async def test_a_page_that_cannot_be_is_invalid(
    client: Client, backend: Backend, query: str
) -> None:
    doctor = await a_doctor(backend)
    answer = await client.get(f"/conversations?{query}", headers=bearer(doctor))
    assert code(answer) == (422, "invalid")


async def test_who_is_nobody_has_no_list(client: Client) -> None:
    assert code(await client.get("/conversations")) == (401, "unauthenticated")
