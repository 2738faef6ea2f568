"""Lanes: so many pieces of work of one kind are under way at once, as long as there is any."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

Work = Coroutine[Any, Any, None]


class Lanes:
    """Tasks that are started when there is work and fewer than `most` are under way.

    `work` gives what the next one is to do, None if there is nothing.
    """

    def __init__(self, most: int, work: Callable[[], Work | None]) -> None:
        self._most = most
        self._work = work
        self._tasks: set[asyncio.Task[None]] = set()

    def open(self) -> None:
        """Start one more, if one may and there is something to do."""
        if len(self._tasks) < self._most and (work := self._work()):
            task = asyncio.create_task(work)
            self._tasks.add(task)
            task.add_done_callback(self._close_one)

    async def close(self) -> None:
        """Stop those that are under way."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _close_one(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        # Something may have come after its last look, or was left behind when it broke off.
        self.open()
