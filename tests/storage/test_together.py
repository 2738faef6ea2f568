"""Reading together: many who ask at once share few queries, each no older than the question."""

import asyncio
from collections.abc import Collection

import pytest

from carechat.domain import errors
from carechat.storage import together
from carechat.storage.together import Together


class Shelf:
    """What is asked: numbers, which it answers with themselves, once it is told to."""

    def __init__(self) -> None:
        self.queries: list[list[int]] = []
        self.answers = asyncio.Event()
        self.answers.set()
        self.fails = False

    async def read(self, keys: Collection[int]) -> dict[int, int]:
        """Answer a query; there are no negative numbers."""
        self.queries.append(list(keys))
        await self.answers.wait()
        if self.fails:
            raise errors.UnavailableError("Not now.")
        return {key: key for key in keys if key >= 0}


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


async def test_everybody_gets_what_they_asked_for(shelf: Shelf) -> None:
    some = Together(shelf.read, max_keys=7)
    answers = await asyncio.gather(*(some.get(number) for number in range(-5, 50)))
    assert answers == [None] * 5 + list(range(50))


async def test_who_asks_meanwhile_shares_the_next_query(shelf: Shelf) -> None:
    some = Together(shelf.read)
    shelf.answers.clear()
    first = [asyncio.create_task(some.get(number)) for number in range(together.LANES)]
    await _until_asked(shelf, 1)
    others = [asyncio.create_task(some.get(number % 10)) for number in range(500)]
    await asyncio.sleep(0)
    shelf.answers.set()
    await asyncio.gather(*first, *others)
    assert len(shelf.queries) <= together.LANES + 1


async def test_who_asks_while_it_is_read_gets_what_is_read_afterwards(shelf: Shelf) -> None:
    some = Together(shelf.read)
    shelf.answers.clear()
    first = asyncio.create_task(some.get(1))
    await _until_asked(shelf, 1)
    second = asyncio.create_task(some.get(1))
    await _until_asked(shelf, 2)
    shelf.answers.set()
    assert (await first, await second, shelf.queries) == (1, 1, [[1], [1]])


async def test_one_who_gives_up_takes_nothing_from_the_others(shelf: Shelf) -> None:
    some = Together(shelf.read)
    shelf.answers.clear()
    asking = [asyncio.create_task(some.get(1)) for _ in range(3)]
    await _until_asked(shelf, 1)
    asking[0].cancel()
    await asyncio.sleep(0)
    shelf.answers.set()
    assert await asyncio.gather(*asking[1:]) == [1, 1]


async def test_whoever_asks_in_whatever_moment_is_answered(shelf: Shelf) -> None:
    """Also in the one in which the last query is over and nobody has noted that yet."""
    some = Together(shelf.read)

    async def late(turns: int) -> int | None:
        for _ in range(turns):
            await asyncio.sleep(0)
        return await some.get(3)

    async with asyncio.timeout(5):
        for turns in range(10):
            assert await asyncio.gather(some.get(1), some.get(2), late(turns)) == [1, 2, 3]


async def test_a_failure_is_everybodys_who_asked_and_not_of_who_asks_then(shelf: Shelf) -> None:
    some = Together(shelf.read)
    shelf.fails = True
    outcomes = await asyncio.gather(*(some.get(1) for _ in range(3)), return_exceptions=True)
    assert [type(one) for one in outcomes] == [errors.UnavailableError] * 3
    shelf.fails = False
    assert await some.get(1) == 1


async def test_at_the_end_nobody_is_left_waiting(shelf: Shelf) -> None:
    some = Together(shelf.read)
    shelf.answers.clear()
    asking = [asyncio.create_task(some.get(number)) for number in range(together.LANES)]
    await _until_asked(shelf, 1)
    asking.append(asyncio.create_task(some.get(100)))
    await asyncio.sleep(0)
    await some.close()
    outcomes = await asyncio.gather(*asking, return_exceptions=True)
    assert [type(one) for one in outcomes] == [errors.UnavailableError] * len(asking)


async def _until_asked(shelf: Shelf, queries: int) -> None:
    async with asyncio.timeout(5):
        while len(shelf.queries) < queries:  # noqa: ASYNC110 nobody tells of it
            await asyncio.sleep(0)
