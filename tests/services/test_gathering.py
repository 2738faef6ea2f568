"""Gathering: what waits is joined and written together, not too much at once, nothing twice."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from carechat.domain import errors
from carechat.services import gathering
from carechat.services.gathering import Gathering


class Records:
    """What was written, one dict for each write; it may be away for a while."""

    def __init__(self) -> None:
        self.writes: list[dict[str, int]] = []
        self.away = 0
        self.has_written = asyncio.Event()

    async def write(self, values: dict[str, int]) -> None:
        await asyncio.sleep(0)
        if self.away:
            self.away -= 1
            raise errors.UnavailableError("away")
        self.writes.append(values)
        self.has_written.set()

    @property
    def kept(self) -> dict[str, int]:
        return {key: value for written in self.writes for key, value in written.items()}


@pytest.fixture
def records() -> Records:
    return Records()


@pytest.fixture
async def gathered(records: Records) -> AsyncGenerator[Gathering[int]]:
    gathered = Gathering("numbers", records.write, max)
    yield gathered
    await gathered.close()


async def test_what_waits_is_joined_and_written_once(
    gathered: Gathering[int], records: Records
) -> None:
    for value in (1, 3, 2):
        gathered.put("a", value)
    gathered.put("b", 7)
    await gathered.settle()
    assert records.writes == [{"a": 3, "b": 7}]


async def test_it_is_written_without_being_asked_for(
    gathered: Gathering[int], records: Records
) -> None:
    gathered.put("a", 1)
    async with asyncio.timeout(5):
        await records.has_written.wait()
    assert records.kept == {"a": 1}


async def test_much_is_written_in_parts(gathered: Gathering[int], records: Records) -> None:
    for number in range(3 * gathering.AT_ONCE):
        gathered.put(str(number), number)
    await gathered.settle()
    assert [len(written) for written in records.writes] == 3 * [gathering.AT_ONCE]
    assert len(records.kept) == 3 * gathering.AT_ONCE


async def test_what_waits_is_written_soon_however_much_comes_meanwhile(records: Records) -> None:
    async def write(values: dict[str, int]) -> None:
        gathered.put("another", len(records.writes))
        await records.write(values)

    gathered = Gathering[int]("numbers", write, max)
    for number in range(2 * gathering.AT_ONCE):
        gathered.put(str(number), number)
    async with asyncio.timeout(1):
        await gathered.settle()
    await gathered.close()
    assert records.kept.items() >= {str(n): n for n in range(2 * gathering.AT_ONCE)}.items()


async def test_what_could_not_be_written_is_joined_with_what_has_come_since(
    gathered: Gathering[int], records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "RETRY_SECONDS", 0.01)
    records.away = 2
    gathered.put("a", 1)
    gathered.put("b", 9)
    await gathered.settle()
    gathered.put("a", 2)
    gathered.put("b", 8)
    async with asyncio.timeout(5):
        await records.has_written.wait()
    assert records.writes == [{"a": 2, "b": 9}]


async def test_what_comes_while_it_is_written_is_written_after_it(
    gathered: Gathering[int], records: Records
) -> None:
    gathered.put("a", 1)
    settling = asyncio.create_task(gathered.settle())
    await asyncio.sleep(0)
    gathered.put("a", 2)
    await settling
    await gathered.settle()
    assert records.kept == {"a": 2}
