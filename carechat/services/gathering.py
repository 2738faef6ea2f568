"""Gathering: what moves again and again waits, and is written together; nobody waits for that."""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from itertools import islice
from typing import Generic, TypeVar

from carechat.domain import errors

logger = logging.getLogger(__name__)

AT_ONCE = 50
"""Values that are written together: more would keep everybody else waiting."""

REST = 4
"""After a write there is none for so many times as long as it took: what comes is gathered."""

SHORTEST_REST, LONGEST_REST = 0.1, 0.25
"""Seconds that such a rest takes at least and at most."""

RETRY_SECONDS = 0.5
"""Between two tries to write while the database does not answer."""

CLOSE_SECONDS = 1.0
"""How long to try at the end to write what still waits."""

MAX_WAITING = 10_000
"""Keys of which something may wait; what comes of further ones is left out."""

Value = TypeVar("Value")


class Gathering(Generic[Value]):
    """Values that wait by key, joined with those that wait there already, until they are written.

    What is lost with a process that dies has to come again by itself.
    """

    def __init__(
        self,
        name: str,
        write: Callable[[dict[str, Value]], Awaitable[None]],
        join: Callable[[Value, Value], Value],
    ) -> None:
        """`write` raises `UnavailableError` for what is to be written again.

        `join` makes one of an older and a newer value; `name` says in the log what it is about.
        """
        self._name = name
        self._write = write
        self._join = join
        self._waiting: dict[str, Value] = {}
        self._timer: asyncio.Handle | None = None
        self._due = 0.0
        self._writing: asyncio.Task[None] | None = None
        self._free_at = 0.0
        self._fails = False

    def put(self, key: str, value: Value, rest: float = 0.0) -> None:
        """Let the value be written; not before `rest` seconds, unless others are before that."""
        if key in self._waiting:
            self._waiting[key] = self._join(self._waiting[key], value)
        elif len(self._waiting) < MAX_WAITING:
            self._waiting[key] = value
        self._plan(max(self._free_at, rest and asyncio.get_running_loop().time() + rest))

    async def settle(self) -> None:
        """Return when what is waiting now is written, if the database takes it."""
        if self._writing:
            await asyncio.wait({self._writing})
        # What comes meanwhile waits behind it: while much comes there is always something.
        for _ in range(math.ceil(len(self._waiting) / AT_ONCE)):
            if self._waiting and not self._fails:
                await asyncio.wait({self._writing or self._start()})

    async def close(self) -> None:
        """Write what still waits, if that can be done soon, and stop."""
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.settle()
        except TimeoutError:
            logger.warning("%s: of %d not noted", self._name, len(self._waiting))
        if self._timer:
            self._timer.cancel()
        if self._writing:
            self._writing.cancel()
            await asyncio.wait({self._writing})

    def _plan(self, at: float) -> None:
        """Let it be written at that time of the loop, or before."""
        if self._writing or (self._timer and self._due <= at):
            return
        if self._timer:
            self._timer.cancel()
        self._due = at
        self._timer = asyncio.get_running_loop().call_at(at, self._start)

    def _start(self) -> asyncio.Task[None]:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        self._writing = asyncio.create_task(self._write_some())
        self._writing.add_done_callback(self._rest)
        return self._writing

    async def _write_some(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        some = {key: self._waiting.pop(key) for key in [*islice(self._waiting, AT_ONCE)]}
        try:
            await self._write(some)
        except errors.UnavailableError:
            self._put_back(some)
            self._fails = True
            self._free_at = loop.time() + RETRY_SECONDS
        else:
            self._fails = False
            rest = REST * (loop.time() - began)
            self._free_at = loop.time() + min(max(rest, SHORTEST_REST), LONGEST_REST)

    def _rest(self, _written: asyncio.Task[None]) -> None:
        self._writing = None
        if self._waiting:
            self._plan(self._free_at)

    def _put_back(self, some: dict[str, Value]) -> None:
        """What could not be written waits again, with what has come meanwhile."""
        for key, newer in self._waiting.items():
            some[key] = self._join(some[key], newer) if key in some else newer
        self._waiting = some
