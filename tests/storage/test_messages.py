"""Messages as they are kept: gapless, once, in order, whatever fails and whoever writes at once."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as rounds
from hypothesis import strategies as st

from carechat.domain import errors
from carechat.domain.conversations import Unread
from carechat.domain.messages import Draft
from carechat.settings import Settings
from carechat.storage import appending
from carechat.storage.messages import Messages
from carechat.storage.store import Store
from tests.conftest import Clock, Records

DOCTOR, PATIENT = "doctor@example.com", "patient@example.com"
CONVERSATION = "5" * 24
OTHER = "6" * 24


def a_draft(
    client_id: str,
    text: str = "Hello",
    sender: str = DOCTOR,
    conversation_id: str = CONVERSATION,
) -> Draft:
    """Return a message of one of the two to the other."""
    receiver = PATIENT if sender == DOCTOR else DOCTOR
    return Draft(conversation_id, client_id, sender, receiver, text)


@pytest.fixture
def built_stores(settings: Settings, mongodb_uri: str, clock: Clock) -> list[Store]:
    """Return two connections to the same database, as two processes have."""
    return [Store(mongodb_uri, settings.mongodb_database, clock) for _ in range(2)]


@pytest.fixture
async def stores(built_stores: list[Store]) -> AsyncGenerator[list[Store]]:
    """Give those two, with the database prepared."""
    await built_stores[0].open()
    yield built_stores
    for store in built_stores:
        await store.close()


@pytest.fixture
def kept(stores: list[Store]) -> Messages:
    """Return the messages of one of them."""
    return stores[0].messages


async def seqs(kept: Messages, conversation_id: str = CONVERSATION) -> list[int]:
    """Return the numbers of all messages of a conversation, as they are read."""
    return [one.seq for one in await kept.history(conversation_id, 1_000)]


async def test_the_first_message_has_number_one_and_every_field(
    kept: Messages, clock: Clock, records: Records
) -> None:
    message, created = await kept.append(a_draft("c1"))
    assert created
    stored = records["messages"].find_one()
    assert stored is not None
    assert str(stored.pop("_id")) == message.id
    assert stored == {
        "conversation_id": CONVERSATION,
        "seq": 1,
        "client_id": "c1",
        "sender_email": DOCTOR,
        "receiver_email": PATIENT,
        "message": "Hello",
        "timestamp": clock.time,
        "reply_to": None,
        "read": False,
    }


async def test_each_conversation_counts_for_itself(kept: Messages) -> None:
    for number in range(3):
        await kept.append(a_draft(f"c{number}"))
        await kept.append(a_draft(f"c{number}", conversation_id=OTHER))
    assert await seqs(kept) == await seqs(kept, OTHER) == [1, 2, 3]


async def test_many_at_once_get_every_number_once(kept: Messages) -> None:
    senders = [DOCTOR, PATIENT] * 30
    drafts = [a_draft(f"c{number}", sender=one) for number, one in enumerate(senders)]
    await asyncio.gather(*map(kept.append, drafts))
    assert await seqs(kept) == list(range(1, 61))


async def test_two_processes_at_once_leave_no_gap_and_lose_nothing(stores: list[Store]) -> None:
    async def write(store: Store, who: int) -> int:
        stored = 0
        for number in range(25):
            draft = a_draft(f"{who}-{number}")
            for _ in range(20):
                try:
                    await store.messages.append(draft)
                except errors.UnavailableError:
                    continue
                stored += 1
                break
        return stored

    assert await asyncio.gather(*(write(store, n) for n, store in enumerate(stores))) == [25, 25]
    assert await seqs(stores[0].messages) == list(range(1, 51))


async def test_another_process_that_was_faster_is_noticed(stores: list[Store]) -> None:
    one, other = (store.messages for store in stores)
    await one.append(a_draft("c1"))
    await other.append(a_draft("c2"))
    await other.append(a_draft("c3"))
    message, _ = await one.append(a_draft("c4"))
    assert message.seq == 4


async def test_a_client_id_is_stored_once_by_whichever_process(stores: list[Store]) -> None:
    one, other = (store.messages for store in stores)
    first, created = await one.append(a_draft("c1"))
    await one.append(a_draft("c2"))
    for store in (one, other):
        assert await store.append(a_draft("c1")) == (first, False)
    assert created
    assert await seqs(one) == [1, 2]


async def test_the_same_client_id_at_once_is_stored_once(stores: list[Store]) -> None:
    tries = [store.messages.append(a_draft("c1")) for store in stores * 5]
    answers = await asyncio.gather(*tries)
    assert len({message.id for message, _ in answers}) == 1
    assert sum(created for _, created in answers) == 1
    assert await seqs(stores[0].messages) == [1]


async def test_the_same_client_id_with_another_text_is_a_conflict(kept: Messages) -> None:
    await kept.append(a_draft("c1", "Hello"))
    with pytest.raises(errors.ConflictError):
        await kept.append(a_draft("c1", "Hello!"))
    assert await seqs(kept) == [1]


async def test_another_text_at_once_spoils_no_retry(kept: Messages) -> None:
    await kept.append(a_draft("c1", "Hello"))
    tries = [kept.append(a_draft("c1", text)) for text in ("Hello!", "Hello", "Hello!")]
    wrong, right, also_wrong = await asyncio.gather(*tries, return_exceptions=True)
    assert isinstance(wrong, errors.ConflictError)
    assert isinstance(also_wrong, errors.ConflictError)
    assert not isinstance(right, BaseException)
    assert right[0].message == "Hello"


async def test_one_bad_message_does_not_fail_its_neighbours(kept: Messages) -> None:
    texts = ("1", "2", "\ud800", "3")
    drafts = [a_draft(f"c{number}", text) for number, text in enumerate(texts)]
    told = await asyncio.gather(*map(kept.append, drafts), return_exceptions=True)
    assert [type(one) for one in told] == [tuple, tuple, errors.InvalidError, tuple]
    assert [one.message for one in await kept.history(CONVERSATION, 9)] == ["1", "2", "3"]


async def test_a_client_id_belongs_to_its_sender_and_conversation(kept: Messages) -> None:
    drafts = [
        a_draft("c1", "a"),
        a_draft("c1", "b", sender=PATIENT),
        a_draft("c1", "c", conversation_id=OTHER),
    ]
    assert [(await kept.append(draft))[1] for draft in drafts] == [True] * 3


async def test_times_rise_though_the_clock_stands_still(kept: Messages, clock: Clock) -> None:
    times = [(await kept.append(a_draft(f"c{number}")))[0].timestamp for number in range(3)]
    assert times == [clock.time + timedelta(milliseconds=number) for number in range(3)]


async def test_times_rise_though_the_clock_goes_back(stores: list[Store], clock: Clock) -> None:
    first, _ = await stores[0].messages.append(a_draft("c1"))
    clock.advance(hours=-1)
    second, _ = await stores[0].messages.append(a_draft("c2"))
    third, _ = await stores[1].messages.append(a_draft("c3"))
    clock.advance(hours=2)
    fourth, _ = await stores[1].messages.append(a_draft("c4"))
    step = timedelta(milliseconds=1)
    assert second.timestamp == first.timestamp + step
    assert third.timestamp == first.timestamp + 2 * step
    assert fourth.timestamp == clock.time


async def test_a_time_is_told_as_exactly_as_it_is_stored(kept: Messages, clock: Clock) -> None:
    clock.advance(microseconds=123_456)
    message, _ = await kept.append(a_draft("c1"))
    assert message.timestamp.microsecond == 123_000
    assert await kept.history(CONVERSATION, 1) == [message]


@pytest.fixture
async def ten(kept: Messages) -> Messages:
    """Return messages of which one conversation has ten."""
    for number in range(1, 11):
        await kept.append(a_draft(f"c{number}", str(number)))
    return kept


class Windows:
    """Reads parts of a conversation of ten messages from a test that is not a coroutine."""

    def __init__(self, built: Store, loop: asyncio.Runner) -> None:
        self._built = built
        self._loop = loop

    def read(self, limit: int, before: int | None, after: int | None) -> list[int]:
        """Return the numbers of the messages in that window."""
        found = self._built.messages.history(CONVERSATION, limit, before, after)
        return [one.seq for one in self._loop.run(found)]


@pytest.fixture
def windows(built_stores: list[Store]) -> Generator[Windows]:
    """Give the windows on ten messages."""
    store = built_stores[0]

    async def fill() -> None:
        await store.open()
        for number in range(1, 11):
            await store.messages.append(a_draft(f"c{number}"))

    with asyncio.Runner() as loop:
        loop.run(fill())
        yield Windows(store, loop)
        for one in built_stores:
            loop.run(one.close())


@rounds(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    limit=st.integers(1, 12),
    before=st.none() | st.integers(0, 13),
    after=st.none() | st.integers(0, 13),
)
def test_every_window_is_a_part_of_the_whole(
    windows: Windows, limit: int, before: int | None, after: int | None
) -> None:
    end = 11 if before is None else before
    inside = [seq for seq in range(1, 11) if (after or 0) < seq < end]
    expected = inside[:limit] if after is not None else inside[-limit:]
    assert windows.read(limit, before, after) == expected


async def test_a_conversation_without_a_message_is_empty(kept: Messages) -> None:
    assert await kept.history(CONVERSATION, 50) == []
    assert await kept.last_seq(CONVERSATION) == 0
    assert await kept.newest([CONVERSATION]) == {}


async def test_the_newest_of_each_conversation_is_found(ten: Messages) -> None:
    await ten.append(a_draft("x", "other", conversation_id=OTHER))
    newest = await ten.newest([CONVERSATION, OTHER, "7" * 24])
    assert {one: found.message for one, found in newest.items()} == {
        CONVERSATION: "10",
        OTHER: "other",
    }
    assert await ten.last_seq(CONVERSATION) == 10


async def test_unread_counts_what_was_received_and_since_when(ten: Messages) -> None:
    await ten.append(a_draft("p", sender=PATIENT))
    first = (await ten.history(CONVERSATION, 1, after=0))[0]
    assert await ten.unread(PATIENT) == {
        CONVERSATION: Unread(10, first.timestamp),
    }
    assert (await ten.unread(DOCTOR))[CONVERSATION].count == 1


async def test_unread_counts_up_to_a_number_where_it_is_asked_to(ten: Messages) -> None:
    await ten.append(a_draft("x", "other", conversation_id=OTHER))
    whole = await ten.unread(PATIENT)
    since = whole[CONVERSATION].since
    assert await ten.unread(PATIENT, {CONVERSATION: 4}) == {CONVERSATION: Unread(4, since)}
    await ten.mark_read(CONVERSATION, PATIENT, 4)
    assert await ten.unread(PATIENT, {CONVERSATION: 4, OTHER: 1}) == {OTHER: whole[OTHER]}
    assert await ten.unread(PATIENT, {}) == {}


async def test_marking_read_reaches_up_to_the_number_and_counts_only_news(ten: Messages) -> None:
    assert await ten.mark_read(CONVERSATION, PATIENT, 4) == 4
    assert await ten.mark_read(CONVERSATION, PATIENT, 6) == 2
    assert await ten.mark_read(CONVERSATION, PATIENT, 6) == 0
    assert await ten.mark_read(CONVERSATION, DOCTOR, 10) == 0
    assert [one.read for one in await ten.history(CONVERSATION, 10)] == [True] * 6 + [False] * 4
    assert (await ten.unread(PATIENT))[CONVERSATION].count == 4


async def test_each_message_keeps_when_it_was_read(ten: Messages, clock: Clock) -> None:
    first = clock.time
    await ten.mark_read(CONVERSATION, PATIENT, 4)
    clock.advance(minutes=1)
    await ten.mark_read(CONVERSATION, PATIENT, 6)
    found = [one.read_at for one in await ten.history(CONVERSATION, 10)]
    assert found == [first] * 4 + [clock.time] * 2 + [None] * 4


async def test_what_others_wrote_between_two_numbers_is_counted(ten: Messages) -> None:
    assert await ten.count_received(CONVERSATION, PATIENT, 2, 6) == 3
    assert await ten.count_received(CONVERSATION, DOCTOR, 2, 6) == 0


async def test_a_message_is_found_by_its_id_or_not_at_all(ten: Messages) -> None:
    message = (await ten.history(CONVERSATION, 1))[0]
    assert await ten.find(message.id) == message
    for nothing in ("", "no id", "f" * 24, '{"$ne": null}', "\ud800"):
        assert await ten.find(nothing) is None


async def test_the_remembered_numbers_have_a_bound(
    kept: Messages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(appending, "MAX_TAILS", 2)
    for digit in "123412341234":
        await kept.append(a_draft(f"c{digit}", conversation_id=digit * 24))
        await kept.append(a_draft(f"d{digit}", conversation_id=digit * 24))
    assert await seqs(kept, "1" * 24) == [1, 2]


async def test_the_queries_of_the_seed_work_as_they_are_written(
    ten: Messages, records: Records
) -> None:
    await ten.append(a_draft("p", "answer", sender=PATIENT))
    await ten.mark_read(CONVERSATION, PATIENT, 4)
    between = [
        {"sender_email": DOCTOR, "receiver_email": PATIENT},
        {"sender_email": PATIENT, "receiver_email": DOCTOR},
    ]
    found = list(records["messages"].find({"$or": between}).sort({"timestamp": 1}))
    assert [one["message"] for one in found] == [*map(str, range(1, 11)), "answer"]
    assert [one["seq"] for one in found] == list(range(1, 12))
    needed = {"_id", "sender_email", "receiver_email", "message", "timestamp", "read"}
    assert all(needed <= one.keys() for one in found)
    unread = {"receiver_email": PATIENT, "read": False}
    assert records["messages"].count_documents(unread) == 6
