"""Drafts in doubt: asked for until there is an answer, told once if they are stored."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime

import pytest

from carechat.domain import errors
from carechat.domain.messages import Draft, Message
from carechat.storage import in_doubt
from carechat.storage.in_doubt import InDoubt
from tests.listening import SECONDS

DRAFTS = [
    Draft("conversation", f"c{number}", "doctor@example.com", "patient@example.com", "Hello")
    for number in range(in_doubt.MAX_ASKED + 1)
]


def stored(draft: Draft) -> Message:
    """Return the message that a draft became."""
    return Message(id="m", seq=1, timestamp=datetime(2026, 1, 1, tzinfo=UTC), **asdict(draft))


class Database:
    """What is stored; it answers with that, or not at all for a while."""

    def __init__(self) -> None:
        self.found: dict[Draft, Message] = {}
        self.away = 0
        self.answers = asyncio.Event()
        self.answers.set()
        self.asked: list[int] = []
        self.told: list[Message] = []

    async def read(self, drafts: Sequence[Draft]) -> dict[Draft, Message]:
        self.asked.append(len(drafts))
        await self.answers.wait()
        if self.away:
            self.away -= 1
            raise errors.UnavailableError("away")
        return {draft: self.found[draft] for draft in drafts if draft in self.found}

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until it does."""
        async with asyncio.timeout(SECONDS):
            while not holds():  # noqa: ASYNC110 nobody says when it has been asked
                await asyncio.sleep(0)


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setattr(in_doubt, "ASK_SECONDS", 0.0)
    return Database()


@pytest.fixture
async def doubts(database: Database) -> AsyncGenerator[InDoubt]:
    doubts = InDoubt(database.read)
    yield doubts
    await doubts.close()


async def test_what_is_stored_is_told(doubts: InDoubt, database: Database) -> None:
    message = database.found[DRAFTS[0]] = stored(DRAFTS[0])
    doubts.note(DRAFTS[0], database.told.append)
    await database.until(lambda: bool(database.told))
    assert (database.told, database.asked) == ([message], [1])


async def test_it_is_asked_again_while_the_database_does_not_answer(
    doubts: InDoubt, database: Database
) -> None:
    database.away = 2 * in_doubt.ANSWERS
    database.found[DRAFTS[0]] = stored(DRAFTS[0])
    doubts.note(DRAFTS[0], database.told.append)
    await database.until(lambda: bool(database.told))
    assert len(database.asked) == 2 * in_doubt.ANSWERS + 1


async def test_what_is_not_there_is_given_up(doubts: InDoubt, database: Database) -> None:
    doubts.note(DRAFTS[0], database.told.append)
    await database.until(lambda: len(database.asked) >= in_doubt.ANSWERS)
    for _ in range(100):
        await asyncio.sleep(0)
    assert len(database.asked) == in_doubt.ANSWERS
    assert not doubts.settle(DRAFTS[0])


async def test_what_is_known_before_is_not_asked_for(doubts: InDoubt, database: Database) -> None:
    doubts.note(DRAFTS[0], database.told.append)
    assert doubts.settle(DRAFTS[0])
    for _ in range(100):
        await asyncio.sleep(0)
    assert (database.asked, database.told) == ([], [])


async def test_what_is_known_while_it_is_asked_for_is_not_told(
    doubts: InDoubt, database: Database
) -> None:
    database.found[DRAFTS[0]] = stored(DRAFTS[0])
    database.answers.clear()
    doubts.note(DRAFTS[0], database.told.append)
    await database.until(lambda: bool(database.asked))
    assert doubts.settle(DRAFTS[0])
    database.answers.set()
    for _ in range(100):
        await asyncio.sleep(0)
    assert database.told == []


async def test_another_text_under_its_id_is_not_told(doubts: InDoubt, database: Database) -> None:
    database.found[DRAFTS[0]] = replace(stored(DRAFTS[0]), message="Another")
    doubts.note(DRAFTS[0], database.told.append)
    await database.until(lambda: bool(database.asked))
    await asyncio.sleep(0)
    assert database.told == []
    assert not doubts.settle(DRAFTS[0])


async def test_of_many_all_are_asked_for_some_at_once(doubts: InDoubt, database: Database) -> None:
    for draft in DRAFTS:
        database.found[draft] = stored(draft)
        doubts.note(draft, database.told.append)
    await database.until(lambda: len(database.told) == len(DRAFTS))
    assert database.asked == [in_doubt.MAX_ASKED, 1]


async def test_of_too_many_the_oldest_are_not_remembered(
    doubts: InDoubt, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_doubt, "MAX_DRAFTS", 1)
    for draft in DRAFTS[:2]:
        doubts.note(draft, database.told.append)
    assert [doubts.settle(draft) for draft in DRAFTS[:2]] == [False, True]
