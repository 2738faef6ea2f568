"""Doubt: from when to when something may have been missed, and when that is settled."""

import asyncio
import time

from carechat.realtime.doubt import Doubt


async def test_a_doubt_begins_with_the_earliest_and_ends_with_the_last() -> None:
    doubt, now = Doubt(), time.monotonic()
    doubt.cast(now - 5, 10)
    doubt.cast(now - 9, 1)
    assert doubt.since == now - 9
    assert doubt.until >= now + 10


async def test_it_is_settled_only_by_reading_beyond_its_end() -> None:
    doubt = Doubt()
    doubt.cast(1.0, 10)
    assert not doubt.settle(read_until=time.monotonic())
    await asyncio.wait_for(doubt.wait(), 1)
    assert doubt.settle(read_until=doubt.until + 1)
    doubt.cast(7.0, 10)
    assert doubt.since == 7.0
