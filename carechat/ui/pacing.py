"""Events as they come, and moments of rest between them in which to show what they have changed."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

from carechat.domain.events import Event


async def paced(events: AsyncIterator[Event], seconds: float) -> AsyncGenerator[Event | None]:
    """Give each event at once, and None that many seconds after the first that no None followed.

    Close it before the events are closed: it may be waiting for the next one.
    """
    now = asyncio.get_running_loop().time
    coming: asyncio.Task[Event | None] | None = None
    due: float | None = None
    try:
        while True:
            coming = coming or asyncio.create_task(_next(events))
            if not await _is_there(coming, None if due is None else due - now()):
                due = None
                yield None
                continue
            event, coming = coming.result(), None
            if event is None:
                return
            due = now() + seconds if due is None else due
            yield event
    finally:
        if coming:
            coming.cancel()
            await asyncio.wait({coming})


async def _next(events: AsyncIterator[Event]) -> Event | None:
    return await anext(events, None)


async def _is_there(coming: asyncio.Task[Event | None], seconds: float | None) -> bool:
    """Whether it comes within that time; if there is none left nothing counts as come."""
    if seconds is not None and seconds <= 0:
        return False
    await asyncio.wait({coming}, timeout=seconds)
    return coming.done()
