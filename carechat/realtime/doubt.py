"""Doubt: for how long it was, or is, not sure that this process hears what others tell."""

import asyncio
import time


class Doubt:
    """What happened between `since` and `until` may not have been heard here.

    Whoever can reads it instead, and says with `settle` that it was read. Times are of a clock that
    only goes on, in seconds.
    """

    def __init__(self) -> None:
        self.since = 0.0
        self.until = 0.0
        self._is_cast = asyncio.Event()

    def cast(self, since: float, seconds: float) -> None:
        """Doubt what happened since then, and what will happen in so many seconds."""
        self.since = min(self.since, since) if self._is_cast.is_set() else since
        self.until = max(self.until, time.monotonic() + seconds)
        self._is_cast.set()

    async def wait(self) -> None:
        """Wait until there is one."""
        await self._is_cast.wait()

    def settle(self, read_until: float) -> bool:
        """Note that everything was read that was stored until then; returns whether that is all."""
        if read_until <= self.until:
            return False
        self._is_cast.clear()
        return True
