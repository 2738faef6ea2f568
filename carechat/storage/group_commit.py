"""Group commit: what comes in while a batch is being written is the next batch; there is no timer.

As databases write their logs: DeWitt et al., Implementation Techniques for Main Memory Database
Systems, SIGMOD 1984.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from carechat import metrics
from carechat.domain import errors
from carechat.storage.database import UNAVAILABLE
from carechat.storage.lanes import Lanes, Work

MAX_WAITING = 10_000
"""Items that may wait before further ones are refused."""

MAX_BATCH = 200
"""Items that are written together."""

LIGHT = 8
"""Keys under way from which on no further batch is written beside them: to gather what comes in is
less work then."""

ATTEMPTS = 5
"""How often an item is written again before its sender is told to do so."""

Item = TypeVar("Item")
Result = TypeVar("Result")
Outcome = Result | errors.CareChatError | None
Settled = Callable[[Result | errors.CareChatError], None]
"""Takes what became of an item: a result, or the error with which it ended."""


@dataclass(slots=True, eq=False)
class _Entry(Generic[Item, Result]):
    key: str
    item: Item
    settled: Settled[Result]
    attempts: int = 0


class GroupCommit(Generic[Item, Result]):
    """Writes items in batches, `lanes` small ones at once, never two with one key at the same time.

    `write` gets a batch and gives what became of its items, in their order: a result, a refusal,
    or None for one that is to be written again. If it gives fewer, the others were not tried.
    """

    def __init__(
        self,
        write: Callable[[list[Item]], Awaitable[Sequence[Outcome[Result]]]],
        key: Callable[[Item], str],
        lanes: int,
    ) -> None:
        self._write = write
        self._key = key
        self._waiting: deque[_Entry[Item, Result]] = deque()
        self._busy: set[str] = set()
        self._lanes = Lanes(lanes, self._next)

    def put(self, item: Item, settled: Settled[Result]) -> None:
        """Let the item be written after those that wait already; `settled` hears what became of it.

        Raises `UnavailableError` if too many wait; nothing becomes of the item then.
        """
        if len(self._waiting) >= MAX_WAITING:
            metrics.limited("waiting_messages")
            raise errors.UnavailableError(UNAVAILABLE)
        self._waiting.append(_Entry(self._key(item), item, settled))
        self._lanes.open()

    async def close(self) -> None:
        """Stop writing; whoever still waits hears that the outcome is not known."""
        _fail(self._waiting)
        self._waiting.clear()
        await self._lanes.close()

    def _next(self) -> Work | None:
        batch = self._take()
        return self._run(batch) if batch else None

    async def _run(self, batch: list[_Entry[Item, Result]]) -> None:
        while batch:
            try:
                outcomes = await self._write([entry.item for entry in batch])
            except errors.CareChatError as error:
                outcomes = [error] * len(batch)
            except BaseException:
                _fail(batch)
                raise
            finally:
                self._busy.difference_update(entry.key for entry in batch)
            self._settle(batch, outcomes)
            batch = self._take()

    def _take(self) -> list[_Entry[Item, Result]]:
        """The next batch: as many as may be written now, in the order in which they came."""
        if len(self._busy) >= LIGHT:
            return []
        batch: list[_Entry[Item, Result]] = []
        rest: deque[_Entry[Item, Result]] = deque()
        for entry in self._waiting:
            free = len(batch) < MAX_BATCH and entry.key not in self._busy
            (batch if free else rest).append(entry)
        self._waiting = rest
        self._busy.update(entry.key for entry in batch)
        return batch

    def _settle(
        self, batch: list[_Entry[Item, Result]], outcomes: Sequence[Outcome[Result]]
    ) -> None:
        """Whoever waits goes on in the order of the batch: what was first is told first."""
        again: list[_Entry[Item, Result]] = []
        for entry, outcome in zip(batch, outcomes, strict=False):
            entry.attempts += 1
            if outcome is not None:
                _tell(entry, outcome)
            elif entry.attempts < ATTEMPTS:
                again.append(entry)
            else:
                _fail([entry])
        self._waiting.extendleft(reversed([*again, *batch[len(outcomes) :]]))


def _fail(entries: Sequence[_Entry[Item, Result]] | deque[_Entry[Item, Result]]) -> None:
    for entry in entries:
        _tell(entry, errors.UnavailableError(UNAVAILABLE))


def _tell(entry: _Entry[Item, Result], outcome: Result | errors.CareChatError) -> None:
    # Not at once: if it fails for one, it must not for the others.
    asyncio.get_running_loop().call_soon(entry.settled, outcome)
