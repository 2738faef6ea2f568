"""Drafts in doubt: nobody knows whether they are stored, until MongoDB says so."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from carechat.domain import errors
from carechat.domain.messages import Draft, Message
from carechat.storage.lanes import Lanes, Work

MAX_DRAFTS = 10_000
"""Drafts that are remembered."""

ASK_SECONDS = 2.0
"""Between two questions."""

ANSWERS = 3
"""After so many answers that a draft is not stored it is given up: by then MongoDB has taken or
dropped whatever was on its way."""

MAX_ASKED = 200
"""Drafts that are asked for with one query."""

Tell = Callable[[Message], None]


@dataclass(slots=True)
class _Doubt:
    tell: Tell
    answers: int = 0


class InDoubt:
    """Tells of each draft that turns out to be stored, whether or not its sender tries again.

    The sender may be gone, or try again with another process, which sees only that it is stored
    and tells nobody.
    """

    def __init__(
        self, read: Callable[[Sequence[Draft]], Awaitable[Mapping[Draft, Message]]]
    ) -> None:
        """`read` gives what is stored of some drafts, or raises `UnavailableError`.

        What MongoDB has taken, but a majority has not yet, must not count as not stored.
        """
        self._read = read
        self._doubts: OrderedDict[Draft, _Doubt] = OrderedDict()
        self._lanes = Lanes(1, self._next)

    def note(self, draft: Draft, tell: Tell) -> None:
        """Ask for the draft until there is an answer; `tell` hears of the message it became."""
        self._doubts[draft] = _Doubt(tell)
        if len(self._doubts) > MAX_DRAFTS:
            self._doubts.popitem(last=False)
        self._lanes.open()

    def settle(self, draft: Draft) -> bool:
        """The draft is known to be stored; returns whether that was in doubt until now."""
        return self._doubts.pop(draft, None) is not None

    async def close(self) -> None:
        """Ask no more."""
        self._doubts.clear()
        await self._lanes.close()

    def _next(self) -> Work | None:
        return self._ask() if self._doubts else None

    async def _ask(self) -> None:
        await asyncio.sleep(ASK_SECONDS)
        asked = list(islice(self._doubts, MAX_ASKED))
        if not asked:
            return
        with suppress(errors.UnavailableError):
            found = await self._read(asked)
            for draft in asked:
                if doubt := self._doubts.pop(draft, None):
                    self._answer(draft, doubt, found.get(draft))

    def _answer(self, draft: Draft, doubt: _Doubt, stored: Message | None) -> None:
        if stored is None:
            doubt.answers += 1
            if doubt.answers < ANSWERS:
                self._doubts[draft] = doubt
        elif draft.became(stored):
            # Not at once: if it fails for one, it must not for the others.
            asyncio.get_running_loop().call_soon(doubt.tell, stored)
