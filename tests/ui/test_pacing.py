"""Events and the moments of rest between them, in which a page paints what they have changed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from carechat.domain.events import Event, FellBehind, PresenceChanged
from carechat.ui.pacing import paced

SOON = 0.05
COMES = PresenceChanged("doctor@example.com", present=True)


async def some(*events: Event) -> AsyncIterator[Event]:
    """Give these events at once, and then nothing more for a long time."""
    for event in events:
        yield event
    await asyncio.sleep(60)


async def endless() -> AsyncIterator[Event]:
    """Give events without a pause."""
    while True:
        await asyncio.sleep(0)
        yield COMES


async def test_events_come_at_once_and_a_rest_after_the_last() -> None:
    async with aclosing(paced(some(COMES, FellBehind()), SOON)) as happenings:
        assert [await anext(happenings) for _ in range(3)] == [COMES, FellBehind(), None]


async def test_a_flood_of_events_has_its_rests_too() -> None:
    async with aclosing(paced(endless(), SOON)) as happenings:
        async with asyncio.timeout(5):
            async for event in happenings:
                if event is None:
                    break
        assert await anext(happenings) == COMES


async def test_without_events_there_is_no_rest() -> None:
    async with aclosing(paced(some(COMES), SOON)) as happenings:
        assert [await anext(happenings) for _ in range(2)] == [COMES, None]
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(happenings), 4 * SOON)


async def test_it_ends_with_the_events() -> None:
    async def one() -> AsyncIterator[Event]:
        yield COMES

    assert [event async for event in paced(one(), SOON)] == [COMES]


async def test_closing_it_leaves_nobody_who_waits_for_the_next_event() -> None:
    events = some(COMES)
    async with aclosing(paced(events, SOON)) as happenings:
        assert [await anext(happenings) for _ in range(2)] == [COMES, None]
    assert [event async for event in events] == []
