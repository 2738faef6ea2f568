"""Conversations as they are kept: when what was sent arrived, noted with each move."""

import bson
import pytest

from carechat.domain.conversations import Conversation
from carechat.domain.receipts import Arrival
from carechat.services.context import Backend, Context
from carechat.storage import conversations as kept
from carechat.storage.conversations import Conversations, Progress
from tests.conftest import Clock, Records
from tests.factories import a_conversation, a_pair


@pytest.fixture
async def pair(backend: Backend) -> tuple[Context, Context]:
    """Return a doctor and a patient."""
    return await a_pair(backend)


@pytest.fixture
def store(backend: Backend) -> Conversations:
    """Return the conversations."""
    return backend.store.conversations


@pytest.fixture
async def talk(pair: tuple[Context, Context]) -> Conversation:
    """Return the conversation of the two, without a message."""
    return await a_conversation(*pair)


@pytest.fixture
def email(pair: tuple[Context, Context]) -> str:
    """Return the address of the one who gets what is sent."""
    return pair[0].user.email


async def advance(store: Conversations, talk: Conversation, email: str, last: int) -> None:
    """Note that everything up to that number has arrived."""
    await store.advance({talk.id: Progress(arrived={email: (1, last)})})


async def test_each_move_is_noted_with_its_time(
    store: Conversations, talk: Conversation, email: str, clock: Clock
) -> None:
    noted = [Arrival(0, clock.time)]
    for seq, move in ((2, "advance"), (3, "deliver"), (5, "read")):
        clock.advance(minutes=1)
        if move == "advance":
            await advance(store, talk, email, seq)
        elif move == "deliver":
            await store.deliver(talk.id, email, seq, seq)
        else:
            await store.read(talk.id, email, seq)
        noted.append(Arrival(seq, clock.time))
        assert await store.arrivals(talk.id, email) == noted


async def test_what_does_not_move_is_not_noted(
    store: Conversations, talk: Conversation, pair: tuple[Context, Context], email: str
) -> None:
    await advance(store, talk, email, 3)
    noted = await store.arrivals(talk.id, email)
    await advance(store, talk, email, 3)
    await advance(store, talk, email, 2)
    await store.advance({talk.id: Progress(arrived={email: (5, 6)})})
    await store.advance({talk.id: Progress()})
    assert await store.deliver(talk.id, email, 1, 3) is None
    assert await store.deliver(talk.id, email, 5, 6) is None
    moved = await store.read(talk.id, email, 2)
    assert moved
    assert (moved.member(email).delivered_seq, moved.member(email).read_seq) == (3, 2)
    assert await store.arrivals(talk.id, email) == noted
    assert [one.seq for one in await store.arrivals(talk.id, pair[1].user.email)] == [0]


async def test_only_the_newest_are_kept(
    store: Conversations, talk: Conversation, email: str
) -> None:
    for seq in range(1, kept.MAX_ARRIVALS + 4):
        await (store.read if seq % 2 else store.deliver)(talk.id, email, *_numbers(seq))
    await advance(store, talk, email, 60)
    seqs = [one.seq for one in await store.arrivals(talk.id, email)]
    assert seqs == [*range(5, kept.MAX_ARRIVALS + 4), 60]


def _numbers(seq: int) -> tuple[int, ...]:
    return (seq,) if seq % 2 else (seq, seq)


async def test_a_conversation_from_before_begins_with_its_next_move(
    store: Conversations, talk: Conversation, email: str, records: Records
) -> None:
    records["conversations"].update_many({}, {"$unset": {"members.$[].arrivals": True}})
    assert await store.arrivals(talk.id, email) == []
    await advance(store, talk, email, 3)
    assert [one.seq for one in await store.arrivals(talk.id, email)] == [3]


async def test_a_stranger_and_a_missing_conversation_have_none(
    store: Conversations, talk: Conversation
) -> None:
    assert await store.arrivals(talk.id, "stranger@example.com") == []
    assert await store.arrivals("5" * 24, "stranger@example.com") == []


async def test_no_other_read_brings_them(
    backend: Backend, talk: Conversation, monkeypatch: pytest.MonkeyPatch, records: Records
) -> None:
    """What is read of a conversation is as small after many moves as before."""
    store, email = backend.store.conversations, talk.emails[0]
    read: list[int] = []

    def measured(document: kept.Document) -> Conversation:
        read.append(len(bson.encode(document)))
        return as_it_was(document)

    as_it_was = kept.from_document
    monkeypatch.setattr(kept, "from_document", measured)

    async def sizes() -> list[int]:
        read.clear()
        since = await backend.store.changes.now()
        users = [await backend.store.users.find(one) for one in talk.emails]
        doctor, patient = (one for one in users if one)
        await store.assign(doctor, patient)
        await store.find(talk.id)
        await store.between(*talk.emails)
        await store.of(email)
        await store.page(email, 10, None)
        seq = (await store.arrivals(talk.id, email))[-1].seq
        await advance(store, talk, email, seq + 1)
        await store.deliver(talk.id, email, seq + 2, seq + 2)
        await store.read(talk.id, email, seq + 3)
        async with backend.store.changes.written(since) as changes:
            while len(read) < 11:
                await anext(changes)
        return list(read)

    before = await sizes()
    for seq in range(10, 70):
        await store.read(talk.id, email, seq)
    document = records["conversations"].find_one()
    assert document
    assert len(bson.encode(document)) > 2 * max(before)
    assert await sizes() == before
