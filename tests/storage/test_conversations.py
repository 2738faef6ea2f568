"""Conversations as they are kept: when what was sent arrived, noted with each move."""

from collections.abc import Iterator
from typing import Any, cast

import bson
import pytest
from pymongo import AsyncMongoClient
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)

from carechat.domain.conversations import Conversation
from carechat.domain.receipts import Arrival
from carechat.services.context import Backend, Context
from carechat.storage.changes import Changes
from carechat.storage.conversations import MAX_ARRIVALS, Conversations, Progress
from carechat.storage.database import Document, durable
from carechat.storage.heard import Heard
from carechat.storage.sessions import Sessions
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
    for seq in range(1, MAX_ARRIVALS + 4):
        await (store.read if seq % 2 else store.deliver)(talk.id, email, *_numbers(seq))
    await advance(store, talk, email, 60)
    seqs = [one.seq for one in await store.arrivals(talk.id, email)]
    assert seqs == [*range(5, MAX_ARRIVALS + 4), 60]


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


class Answers(CommandListener):
    """The sizes of all conversations that MongoDB has answered with, in bytes."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def started(self, event: CommandStartedEvent) -> None:
        """Wait for the answer."""

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Note the conversations in the answer."""
        self.sizes += [len(bson.encode(one)) for one in _conversations_in(event.reply)]

    def failed(self, event: CommandFailedEvent) -> None:
        """Fail, as nothing in these tests may."""
        raise AssertionError(event.failure)


def _conversations_in(answer: object) -> Iterator[dict[str, Any]]:
    if isinstance(answer, list):
        for one in cast("list[object]", answer):
            yield from _conversations_in(one)
    elif isinstance(answer, dict):
        fields = cast("dict[str, Any]", answer)
        if "members" in fields:
            yield fields
        yield from _conversations_in([*fields.values()])


async def test_no_other_read_brings_them(
    backend: Backend, talk: Conversation, mongodb_uri: str, clock: Clock, records: Records
) -> None:
    """What is read of a conversation is as small after many moves as before."""
    answers, heard, email = Answers(), Heard(), talk.emails[0]
    client = AsyncMongoClient[Document](mongodb_uri, tz_aware=True, event_listeners=[answers])
    database = durable(client, records.name)
    store = Conversations(database["conversations"], heard, clock)
    changes = Changes(database, Sessions(database["sessions"], heard), store.recent, heard)
    users = [await backend.store.users.find(one) for one in talk.emails]
    doctor, patient = (one for one in users if one)

    async def sizes() -> set[int]:
        seq = (await store.arrivals(talk.id, email))[-1].seq
        answers.sizes.clear()
        since = await changes.now()
        await store.assign(doctor, patient)
        await store.find(talk.id)
        await store.between(*talk.emails)
        await store.of(email)
        await store.page(email, 10, None)
        await advance(store, talk, email, seq + 1)
        await store.deliver(talk.id, email, seq + 2, seq + 2)
        await store.read(talk.id, email, seq + 3)
        async with changes.written(since) as written:
            while len(answers.sizes) < 11:
                await anext(written)
        return set(answers.sizes)

    async with client:
        before = await sizes()
        for seq in range(10, 70):
            await store.read(talk.id, email, seq)
        document = records["conversations"].find_one()
        assert document
        assert len(bson.encode(document)) > 2 * max(before)
        assert await sizes() == before
        await store.close()
