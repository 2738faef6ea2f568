"""The relay: tells the other processes of the clinic through Redis, and hears what they tell."""

import asyncio
import itertools
import logging
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from carechat import metrics
from carechat.domain.events import Event
from carechat.realtime import wire
from carechat.realtime.channel import ANSWER_SECONDS, FAILURES, Channel
from carechat.realtime.doubt import Doubt
from carechat.realtime.seal import SEAL_BYTES, Seal
from carechat.realtime.wire import Batch, Bye, Happened, Hello, Item, Lost

BEAT_SECONDS = 0.4
"""How long a process is silent at most: so others know that it lives, and it that it hears them."""

PACE_SECONDS = 0.01
"""Between two batches: what happens meanwhile is told together, and the first of it at once."""

CANCEL_SECONDS = 0.1
"""How soon to cancel again what goes on although it was cancelled."""

RETRY_SECONDS = 0.4
"""Between two tries to reach Redis."""

PEER_SECONDS = 2.0
"""How long another process may be silent."""

LINGER_SECONDS = 2.5
"""How long a doubt outlasts its cause: others may find their way back a little later."""

MAX_WAITING = 5_000
"""What waits to be told; beyond that all of it is dropped, and the others are told that."""

MAX_BATCH = 500

MAX_ORIGINS = 1_000
"""Processes, also ended ones, of which it is known what was heard last."""

COMPLAIN_SECONDS = 60.0
"""Between two lines about what is not understood, as long as there is more of it."""

logger = logging.getLogger(__name__)


class Ears(Protocol):
    """Who acts on what other processes tell."""

    def is_wanted(self, email: str) -> bool:
        """Whether anybody here wants events for that address."""
        ...

    def greeting(self) -> list[Item]:
        """Return what a process must know that has just begun to listen."""
        ...

    def hear(self, origin: str, item: Item) -> None:
        """Act on what that process told."""
        ...

    def miss(self, origin: str) -> None:
        """Act on its not being heard any more, because it ended or for another reason."""
        ...


@dataclass(frozen=True, slots=True)
class _Peer:
    """Another process: the number of its last batch, and when that came."""

    number: int
    heard_at: float


@dataclass(frozen=True, slots=True)
class _Told:
    """What this process has told and not yet heard itself: its number, when, and how it begins."""

    number: int
    at: float
    seal: bytes


@dataclass(slots=True)
class Counts:
    """What has passed so far."""

    told: int = 0
    heard: int = 0
    dropped: int = 0
    garbled: int = 0
    outages: int = 0


class Relay:
    """The other processes, as far as Redis lets them be heard.

    `tell` never waits and never fails. What may not have been heard here is a `doubt`; of what may
    not have been heard from here `unheard_seconds` tells. Both are somebody else's to settle from
    the database.
    """

    _ears: Ears

    def __init__(self, url: str, name: str, secret: str) -> None:
        """Hear those alone who know the secret and mean the same `name`; nothing is opened yet.

        Raises `ValueError` if the address cannot be understood.
        """
        self.counts = Counts()
        self.doubt = Doubt()
        self.is_heard = False
        self._is_away = False
        self._seal = Seal(secret, name)
        self._channel = Channel(url, self._seal.channel)
        self._origin = secrets.token_hex(6)
        self._numbers = itertools.count(1)
        self._waiting: deque[Item] = deque()
        self._waits = asyncio.Event()
        self._told: deque[_Told] = deque()
        self._confirmed_at = self._heard_at = time.monotonic()
        self._unheard_since: float | None = None
        self._peers: dict[str, _Peer] = {}
        self._newest: OrderedDict[str, int] = OrderedDict()
        self._complained_at = -COMPLAIN_SECONDS

    @property
    def waiting(self) -> int:
        """How much waits to be told."""
        return len(self._waiting)

    @property
    def unheard_seconds(self) -> float | None:
        """How long ago something happened of which others may not have heard, None if nothing."""
        if self.is_heard or self._unheard_since is None:
            return None
        return time.monotonic() - self._unheard_since

    def excuse(self) -> None:
        """Forget the events of which others may not have heard: they know of them otherwise."""
        self._unheard_since = None

    def happened(self, event: Event, emails: tuple[str, ...]) -> None:
        """Tell the others of an event for those addresses, if it is one that concerns them."""
        if isinstance(event, wire.RELAYED):
            self.tell(Happened(event, emails))

    def tell(self, item: Item) -> None:
        """Tell the others, without waiting for it."""
        if len(self._waiting) >= MAX_WAITING:
            logger.warning("redis: too much waits to be told, others will read it from MongoDB")
            # What waits longest has done so since the last was told, at most.
            self._drop(since=self._told[-1].at if self._told else self._confirmed_at)
        if self.is_heard:
            self._waiting.append(item)
            self._waits.set()
        else:
            self._be_unheard(time.monotonic())
            self._count_dropped(1)

    async def run(self, ears: Ears) -> None:
        """Tell and hear until cancelled, whether or not Redis is there."""
        self._ears = ears
        try:
            while True:
                try:
                    await self._until_it_fails()
                except Exception as failure:  # without this loop nobody would be heard again
                    # Its text may quote the address.
                    self._note_outage(type(failure).__name__)
                self._lose_touch()
                await asyncio.sleep(RETRY_SECONDS)
        finally:
            await self._leave()

    async def _until_it_fails(self) -> None:
        async with self._channel.listen() as said:
            await _first_failure(self._hear_all(said), self._tell_all(), self._watch())

    async def _tell_all(self) -> None:
        """What waits while the last is being told, and shortly after, is told together."""
        items: list[Item] = [Hello(), *self._ears.greeting()]
        while True:
            await self._say(items)
            await asyncio.sleep(PACE_SECONDS)
            if not self._waiting:
                with suppress(TimeoutError):
                    async with asyncio.timeout(BEAT_SECONDS):
                        await self._waits.wait()
            self._waits.clear()
            items = self._next()

    def _next(self) -> list[Item]:
        items = [self._waiting.popleft() for _ in range(min(MAX_BATCH, len(self._waiting)))]
        if self.is_heard and self._unheard_since is not None:
            items.insert(0, Lost(time.monotonic() - self._unheard_since))
            self.excuse()
        return items

    async def _say(self, items: list[Item]) -> None:
        batch = Batch(self._origin, next(self._numbers), items)
        data = self._seal.close(wire.encode(batch))
        self._told.append(_Told(batch.number, time.monotonic(), data[:SEAL_BYTES]))
        await self._channel.say(data)
        self.counts.told += len(items)

    async def _hear_all(self, said: AsyncIterator[bytes]) -> None:
        async for data in said:
            self._heard_at = time.monotonic()
            # Half of what is heard are its own words, which need not be opened again.
            if self._told and data.startswith(self._told[0].seal):
                self._newest[self._origin] = self._told[0].number
                self._confirm(self._told[0].number)
                continue
            try:
                batch = wire.decode(self._seal.open(data), self._ears.is_wanted)
            except wire.GarbledError:
                self._complain()
                self._ignore()
            else:
                self._hear(batch)

    def _complain(self) -> None:
        if self._heard_at - self._complained_at >= COMPLAIN_SECONDS:
            self._complained_at = self._heard_at
            logger.warning("redis: what is said there is not ours; is it of another version?")

    def _ignore(self) -> None:
        """It may have told something all the same: that is read instead."""
        self.counts.garbled += 1
        metrics.unheard("garbled")
        self.doubt.cast(self._heard_at, LINGER_SECONDS)

    def _hear(self, batch: Batch) -> None:
        if self._is_old(batch):
            self._ignore()
        elif batch.origin == self._origin:
            self._confirm(batch.number)
        else:
            self._hear_peer(batch)

    def _is_old(self, batch: Batch) -> bool:
        """Whether it came before: somebody says again what they heard, or it is too late."""
        newest = self._newest.get(batch.origin, 0)
        self._newest[batch.origin] = max(newest, batch.number)
        self._newest.move_to_end(batch.origin)
        if len(self._newest) > MAX_ORIGINS:
            self._newest.popitem(last=False)
        return batch.number <= newest

    def _hear_peer(self, batch: Batch) -> None:
        peer = self._peers.get(batch.origin)
        self._peers[batch.origin] = _Peer(batch.number, self._heard_at)
        if batch.number != (peer.number + 1 if peer else 1):
            # It may have told something before; at least it has not told who is there.
            self.doubt.cast(peer.heard_at if peer else self._heard_at, LINGER_SECONDS)
            self.tell(Hello())
        for item in batch.items:
            self._act(batch.origin, item)

    def _act(self, origin: str, item: Item) -> None:
        self.counts.heard += 1
        match item:
            case Hello():
                for one in self._ears.greeting():
                    self.tell(one)
            case Lost(seconds):
                self.doubt.cast(self._heard_at - seconds, LINGER_SECONDS)
            case Bye():
                self._miss(origin)
            case _:
                self._ears.hear(origin, item)

    def _confirm(self, number: int) -> None:
        """Whoever listens has heard what was told until then."""
        while self._told and self._told[0].number <= number:
            self._confirmed_at = self._told.popleft().at
        if not self.is_heard:
            self.is_heard = True
            self._waits.set()
        if self._is_away:
            self._is_away = False
            logger.warning("redis: answers again")

    async def _watch(self) -> None:
        """Raise `TimeoutError` if this process does not hear itself; miss those who are silent."""
        while True:
            await asyncio.sleep(BEAT_SECONDS / 2)
            if self._told and time.monotonic() - self._told[0].at > ANSWER_SECONDS:
                raise TimeoutError
            for origin, peer in list(self._peers.items()):
                # By what was heard since, not by the time: this process may have been slow itself.
                if self._heard_at - peer.heard_at > PEER_SECONDS:
                    self._miss(origin)

    def _miss(self, origin: str) -> None:
        peer = self._peers.pop(origin)
        # What it stored last it may not have told, be it before its good-bye or after it.
        self.doubt.cast(peer.heard_at, LINGER_SECONDS)
        self._ears.miss(origin)

    def _note_outage(self, kind: str) -> None:
        if not self._is_away:
            self._is_away = True
            self.counts.outages += 1
            logger.warning("redis: does not answer (%s), trying again", kind)

    def _lose_touch(self) -> None:
        """Nobody is heard for now, and nobody hears this process."""
        if self.is_heard:
            self.is_heard = False
            self._drop(since=self._confirmed_at)
        self._told.clear()
        self.doubt.cast(self._confirmed_at, LINGER_SECONDS)
        for origin in list(self._peers):
            self._miss(origin)

    def _drop(self, since: float) -> None:
        self._count_dropped(len(self._waiting))
        self._waiting.clear()
        self._be_unheard(since)

    def _count_dropped(self, number: int) -> None:
        self.counts.dropped += number
        metrics.unheard("dropped", number)

    def _be_unheard(self, since: float) -> None:
        if self._unheard_since is None or since < self._unheard_since:
            self._unheard_since = since

    async def _leave(self) -> None:
        """Say what still waits, and good-bye, if that can be done at once."""
        with suppress(*FAILURES):
            async with asyncio.timeout(ANSWER_SECONDS):
                if self.is_heard:
                    await self._say([*self._next(), *self._next(), Bye()])
        await self._channel.close()


async def _first_failure(*sides: Coroutine[Any, Any, None]) -> None:
    """Raise what the first one raises, after the others were stopped."""
    tasks = [asyncio.create_task(side) for side in sides]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        done.pop().result()
    finally:
        # Not a TaskGroup, which cancels once: before Python 3.12 asyncio.wait_for, which the
        # client of Redis uses, may lose that.
        while left := [task for task in tasks if not task.done()]:
            for task in left:
                task.cancel()
            await asyncio.wait(left, timeout=CANCEL_SECONDS)
        await asyncio.gather(*tasks, return_exceptions=True)
