"""Messages over REST: who may read and write, the shape of the answers, and every refusal."""

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import settings as rounds
from hypothesis import strategies as st

from carechat.api import schemas
from carechat.services import conversations, users
from carechat.services.context import Backend, Context
from tests.answers import code, post
from tests.conftest import Records
from tests.factories import a_doctor, a_pair, a_patient, bearer, days_of_talk, says, to

Client = httpx.AsyncClient


@pytest.fixture
async def pair(backend: Backend) -> tuple[Context, Context]:
    """Return a doctor and a patient of theirs."""
    return await a_pair(backend)


@pytest.fixture
def doctor(pair: tuple[Context, Context]) -> Context:
    """Return the doctor."""
    return pair[0]


@pytest.fixture
def patient(pair: tuple[Context, Context]) -> Context:
    """Return the patient."""
    return pair[1]


@pytest.fixture
async def posts(doctor: Context, patient: Context) -> str:
    """Return the path at which messages of their conversation are read and sent."""
    found = await conversations.find(doctor, to(patient))
    return f"/conversations/{found.conversation.id}/messages"


def between(doctor: Context, patient: Context) -> str:
    """Return the path of the messages of two people."""
    return f"/messages/{doctor.user.email}/{patient.user.email}"


async def test_a_message_has_every_field_of_the_contract(
    client: Client, doctor: Context, patient: Context
) -> None:
    sent = await says(doctor, patient, "How are you feeling today?", "c1")
    answer = await client.get(between(doctor, patient), headers=bearer(doctor))
    assert answer.status_code == 200
    assert answer.json() == [
        {
            "id": sent.id,
            "conversation_id": sent.conversation_id,
            "seq": 1,
            "client_id": "c1",
            "sender_email": doctor.user.email,
            "receiver_email": patient.user.email,
            "message": "How are you feeling today?",
            "timestamp": "2099-01-15T14:30:00.000Z",
            "delivered": False,
            "read": False,
            "edited_at": None,
            "deleted_at": None,
            "reply_to": None,
            "attachments": [],
            "reactions": [],
        }
    ]


async def test_both_may_read_in_either_order_and_any_case(
    client: Client, doctor: Context, patient: Context
) -> None:
    await says(doctor, patient)
    for ctx in (doctor, patient):
        for path in (between(doctor, patient), between(patient, doctor).upper()):
            path = path.replace("/MESSAGES/", "/messages/")
            answer = await client.get(path, headers=bearer(ctx))
            assert [one["seq"] for one in answer.json()] == [1]


async def test_who_is_not_one_of_the_two_is_forbidden(
    client: Client, backend: Backend, doctor: Context, patient: Context
) -> None:
    stranger = await a_doctor(backend)
    answer = await client.get(between(doctor, patient), headers=bearer(stranger))
    assert code(answer) == (403, "forbidden")


async def test_a_partner_who_is_none_is_not_found(
    client: Client, backend: Backend, doctor: Context
) -> None:
    stranger = await a_patient(backend)
    for email in (stranger.user.email, "nobody@example.com", doctor.user.email, "x", "%00"):
        answer = await client.get(f"/messages/{doctor.user.email}/{email}", headers=bearer(doctor))
        assert code(answer) == (404, "not_found")


async def test_the_newest_page_comes_first_and_prev_leads_to_the_beginning(
    client: Client, doctor: Context, patient: Context
) -> None:
    await days_of_talk(doctor, patient, 5)
    path, pages = f"{between(doctor, patient)}?limit=2", list[list[int]]()
    while path:
        answer = await client.get(path, headers=bearer(doctor))
        pages.append([one["seq"] for one in answer.json()])
        path = answer.links["prev"]["url"] if "prev" in answer.links else ""
        assert "next" not in answer.links
    assert pages == [[4, 5], [2, 3], [1]]


async def test_after_a_number_next_leads_to_the_end_or_to_before(
    client: Client, doctor: Context, patient: Context
) -> None:
    await days_of_talk(doctor, patient, 6)
    path, pages = f"{between(doctor, patient)}?limit=2&after=1&before=6", list[list[int]]()
    while path:
        answer = await client.get(path, headers=bearer(doctor))
        pages.append([one["seq"] for one in answer.json()])
        path = answer.links["next"]["url"] if "next" in answer.links else ""
    assert pages == [[2, 3], [4, 5]]


async def test_without_a_limit_there_are_fifty(
    client: Client, doctor: Context, patient: Context, posts: str
) -> None:
    await days_of_talk(doctor, patient, 52)
    for path in (between(doctor, patient), posts):
        answer = await client.get(path, headers=bearer(doctor))
        assert [one["seq"] for one in answer.json()] == list(range(3, 53))


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "before=-1", "after=x", "before=1e9", "after="]
)
async def test_a_range_that_cannot_be_is_invalid(
    client: Client, doctor: Context, patient: Context, posts: str, query: str
) -> None:
    for path in (between(doctor, patient), posts):
        answer = await client.get(f"{path}?{query}", headers=bearer(doctor))
        assert code(answer) == (422, "invalid")


async def test_sending_creates_and_sending_again_finds(
    client: Client, doctor: Context, posts: str
) -> None:
    body = {"message": "  Hello\r\nthere ", "client_id": "c1"}
    first = await client.post(posts, json=body, headers=bearer(doctor))
    again = await client.post(posts, json=body, headers=bearer(doctor))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["message"] == "Hello\nthere"
    other = await client.post(posts, json={**body, "message": "x"}, headers=bearer(doctor))
    assert code(other) == (409, "conflict")


async def test_without_a_client_id_each_is_a_message_of_its_own(
    client: Client, doctor: Context, posts: str
) -> None:
    answers = [
        await client.post(posts, json={"message": "Hello"}, headers=bearer(doctor)) for _ in "ab"
    ]
    assert [answer.json()["seq"] for answer in answers] == [1, 2]
    assert len({answer.json()["client_id"] for answer in answers}) == 2


async def test_a_reply_names_a_message_of_the_same_conversation(
    client: Client, backend: Backend, doctor: Context, patient: Context, posts: str
) -> None:
    first = await says(patient, doctor)
    other = await says(await a_patient(backend, doctor), doctor)
    good = {"message": "Yes", "reply_to": first.id}
    answer = await client.post(posts, json=good, headers=bearer(doctor))
    assert (answer.status_code, answer.json()["reply_to"]) == (201, first.id)
    for reply_to in (other.id, "f" * 24, "", "x", "\ud800"):
        bad = {"message": "Yes", "reply_to": reply_to}
        answer = await post(client, posts, bad, bearer(doctor))
        assert code(answer) == (422, "invalid")


BAD_BODIES: list[Any] = [
    {},
    [],
    None,
    "Hello",
    {"message": ""},
    {"message": " \n\t "},
    {"message": "x" * 5_001},
    {"message": "a\0b"},
    {"message": "bell\x07"},
    {"message": "tail\x0c"},
    {"message": "half \ud800"},
    {"message": None},
    {"message": 1},
    {"message": ["Hello"]},
    {"message": {"$ne": ""}},
    {"message": "x", "client_id": ""},
    {"message": "x", "client_id": "c" * 65},
    {"message": "x", "client_id": 1},
    {"message": "x", "client_id": {"$gt": ""}},
    {"message": "x", "client_id": "\ud800"},
    {"message": "x", "reply_to": {"$ne": None}},
    {"message": "x", "attachment_ids": ["a"]},
    {"message": "x", "attachment_ids": "a"},
    {"message": "x", "attachment_ids": {"$size": 0}},
]


@pytest.mark.parametrize("body", BAD_BODIES, ids=lambda body: repr(body)[:40])
async def test_bad_input_is_refused_and_stores_nothing(
    client: Client, doctor: Context, posts: str, records: Records, body: object
) -> None:
    answer = await post(client, posts, body, bearer(doctor))
    assert code(answer) == (422, "invalid")
    assert records["messages"].count_documents({}) == 0


async def test_five_thousand_code_points_after_trimming_are_taken(
    client: Client, doctor: Context, posts: str
) -> None:
    text = "😀" * 5_000
    answer = await client.post(posts, json={"message": f" {text}\n"}, headers=bearer(doctor))
    assert (answer.status_code, answer.json()["message"]) == (201, text)


async def test_what_is_no_json_is_invalid(client: Client, doctor: Context, posts: str) -> None:
    headers = {**bearer(doctor), "Content-Type": "application/json"}
    for body in (b"{", b"\xff", b'{"message": "x"', b"[" * 20_000, b""):
        answer = await client.post(posts, content=body, headers=headers)
        assert answer.status_code in {400, 422}
        assert code(answer)[1] == "invalid"


async def test_another_kind_of_content_is_unsupported(
    client: Client, doctor: Context, posts: str
) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        headers = {**bearer(doctor), "Content-Type": kind}
        answer = await client.post(posts, content=b'{"message": "x"}', headers=headers)
        assert code(answer) == (415, "unsupported_media")


async def test_nobody_and_strangers_cannot_send(
    client: Client, backend: Backend, posts: str, records: Records
) -> None:
    body = {"message": "x"}
    assert code(await client.post(posts, json=body)) == (401, "unauthenticated")
    stranger = await a_doctor(backend)
    answer = await client.post(posts, json=body, headers=bearer(stranger))
    assert code(answer) == (404, "not_found")
    assert code(await client.get(posts, headers=bearer(stranger))) == (404, "not_found")
    assert records["messages"].count_documents({}) == 0


@pytest.mark.parametrize("identifier", ["f" * 24, "x", "%00", "$ne", "..%2f", "[object]"])
async def test_a_conversation_that_is_none_is_not_found(
    client: Client, doctor: Context, identifier: str
) -> None:
    path = f"/conversations/{identifier}/messages"
    answer = await client.post(path, json={"message": "x"}, headers=bearer(doctor))
    assert code(answer) == (404, "not_found")


async def test_after_the_assignment_both_read_and_nobody_writes(
    client: Client, backend: Backend, doctor: Context, patient: Context, posts: str
) -> None:
    await says(doctor, patient, "before")
    await users.unassign(backend, doctor.user.email, patient.user.email)
    for ctx in (doctor, patient):
        refused = await client.post(posts, json={"message": "x"}, headers=bearer(ctx))
        assert code(refused) == (403, "forbidden")
        assert refused.json()["detail"].endswith(".")
        answer = await client.get(posts, headers=bearer(ctx))
        assert [one["message"] for one in answer.json()] == ["before"]


async def test_marking_read_counts_once(client: Client, doctor: Context, patient: Context) -> None:
    await days_of_talk(doctor, patient, 3)
    path = f"/messages/mark-read/{patient.user.email.upper()}"
    answers = [await client.patch(path, headers=bearer(doctor)) for _ in "ab"]
    assert [(one.status_code, one.json()) for one in answers] == [
        (200, {"updated": 3}),
        (200, {"updated": 0}),
    ]


async def test_marking_read_a_stranger_is_not_found(client: Client, doctor: Context) -> None:
    answer = await client.patch("/messages/mark-read/x@example.com", headers=bearer(doctor))
    assert code(answer) == (404, "not_found")


async def test_too_many_at_once_are_told_when_to_try_again(
    client: Client, backend: Backend, doctor: Context, posts: str
) -> None:
    backend.sends.rate, backend.sends.burst = 1, 2
    answers = [
        await client.post(posts, json={"message": str(n)}, headers=bearer(doctor)) for n in range(3)
    ]
    assert [answer.status_code for answer in answers[:2]] == [201, 201]
    assert code(answers[2]) == (429, "rate_limited")
    assert answers[2].headers["retry-after"] == "1"


async def test_what_the_sender_chose_is_stored_and_told(
    client: Client, doctor: Context, patient: Context, posts: str
) -> None:
    answered = await says(patient, doctor, "Is it bad?")
    chosen = {"message": "No.", "client_id": "c1", "reply_to": answered.id}
    answer = await client.post(posts, json=chosen, headers=bearer(doctor))
    read = await client.get(posts, headers=bearer(patient))
    assert chosen.items() <= answer.json().items()
    assert chosen.items() <= read.json()[-1].items()


@rounds(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    )
)
def test_nothing_but_a_good_body_is_taken_for_one(body: object) -> None:
    try:
        new = schemas.NewMessage.model_validate(body)
    except ValueError:
        return
    assert isinstance(body, dict)
    assert new.message == body["message"]
