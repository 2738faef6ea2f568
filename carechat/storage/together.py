"""Reading together: who asks while MongoDB is busy with others is answered with the next query."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping
from itertools import islice
from typing import Any, Generic, TypeVar

from carechat.domain import errors
from carechat.storage.database import UNAVAILABLE
from carechat.storage.lanes import Lanes, Work

MAX_KEYS = 100
"""What is asked for with one query."""

LANES = 2
"""Queries of one kind that are under way at once: if all come back at once, none waits for a
connection."""

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
Outcome = Value | errors.CareChatError | None


class Together(Generic[Key, Value]):
    """Looks up values by their keys, those of many who ask with one query.

    Each is asked for by a query that begins after somebody wants it, so nobody gets what is older
    than the question. `read` gives what is there of some keys.
    """

    def __init__(
        self,
        read: Callable[[Collection[Key]], Awaitable[Mapping[Key, Value]]],
        max_keys: int = MAX_KEYS,
    ) -> None:
        self._read = read
        self._max_keys = max_keys
        self._waiting: dict[Key, asyncio.Future[Outcome[Value]]] = {}
        self._lanes = Lanes(LANES, self._next)

    async def get(self, key: Key) -> Value | None:
        """Return what is there under that key; raises what the query for it raises."""
        answer = self._waiting.get(key)
        if answer is None:
            answer = self._waiting[key] = asyncio.get_running_loop().create_future()
            self._lanes.open()
        # Others wait for the same answer, and one of them may give up.
        outcome = await asyncio.shield(answer)
        if isinstance(outcome, errors.CareChatError):
            raise outcome
        return outcome

    async def close(self) -> None:
        """Ask no more; whoever still waits hears that there is no answer."""
        _fail(self._waiting)
        self._waiting.clear()
        await self._lanes.close()

    def _next(self) -> Work | None:
        return self._run() if self._waiting else None

    async def _run(self) -> None:
        while asked := self._take():
            try:
                await self._answer(asked)
            finally:
                _fail(asked)

    async def _answer(self, asked: Mapping[Key, "asyncio.Future[Outcome[Value]]"]) -> None:
        found: Mapping[Key, Outcome[Value]]
        try:
            found = await self._read(asked.keys())
        except errors.CareChatError as error:
            found = dict.fromkeys(asked, error)
        for key, answer in asked.items():
            if not answer.done():
                answer.set_result(found.get(key))

    def _take(self) -> dict[Key, "asyncio.Future[Outcome[Value]]"]:
        keys = list(islice(self._waiting, self._max_keys))
        return {key: self._waiting.pop(key) for key in keys}


def _fail(asked: Mapping[Any, "asyncio.Future[Outcome[Any]]"]) -> None:
    for answer in asked.values():
        if not answer.done():
            answer.set_result(errors.UnavailableError(UNAVAILABLE))
