"""Pairs of people whose sockets talk: each as fast as it can, or all together to a plan."""

import asyncio
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial

import orjson

from tests.bench import texts
from tests.bench.outcome import Outcome, Record
from tests.cheap_sockets import Socket

WARM_UP = 0.5
"""Seconds at the beginning of which no time is counted; every message is."""

PATIENCE = 60.0
"""Seconds after the end for whatever is still under way."""

RETRY_SECONDS = 1.0
"""Before a message is sent again of which a server cannot say whether it is stored."""


class Pair:
    """Two people's sockets, of whom the first writes, and the numbers that each was told."""

    def __init__(self, writer: Socket, reader: Socket, reader_email: str) -> None:
        self.writer = writer
        self.reader = reader
        self._to = f'{{"receiver_email":"{reader_email}"'.encode()
        self.acked: set[int] = set()
        self.arrived: set[int] = set()

    def say(self, client_id: str) -> None:
        """Send a message; its `client_id` marks the text, so that no two say the same."""
        what = client_id.encode(), texts.of(client_id).encode()
        self.writer.say(b'%s,"client_id":"%s","message":"%s"}' % (self._to, *what))

    def gaps(self) -> int:
        """Return how many numbers are missing in what each of the two was told."""
        told = [numbers for numbers in (self.acked, self.arrived) if numbers]
        return sum(max(one) - min(one) + 1 - len(one) for one in told)


class Run:
    """One run of those pairs; what comes late from a run before would be found out."""

    def __init__(self, pairs: Sequence[Pair]) -> None:
        self._pairs = pairs
        self._record = Record()
        self._until = 0.0
        """Until then an acknowledgement is answered with the next message."""
        for pair in pairs:
            pair.acked, pair.arrived = set(), set()
            pair.writer.heard = partial(self._writer_heard, pair)
            pair.reader.heard = partial(self._reader_heard, pair)

    async def fast(self, seconds: float) -> Outcome:
        """Let each pair send the next message as soon as the one before is acknowledged."""
        used = time.process_time()
        self._until = time.perf_counter() + WARM_UP + seconds
        for pair in self._pairs:
            self._say(pair, time.perf_counter())
        await asyncio.sleep(WARM_UP + seconds)
        return await self._outcome((self._until - seconds, self._until), used)

    async def planned(self, rate: float, seconds: float, seed: int) -> Outcome:
        """Send messages of any pairs at random times, so many a second (a Poisson process)."""
        used = time.process_time()
        loop = asyncio.get_running_loop()
        begin, end = time.perf_counter(), WARM_UP + seconds

        def pace() -> None:
            for pair, after in _plan(self._pairs, rate, end, seed):
                time.sleep(max(0.0, begin + after - time.perf_counter()))
                loop.call_soon_threadsafe(self._say, pair, begin + after)

        # A thread, because the loop's own timers may be a millisecond late.
        await asyncio.to_thread(pace)
        return await self._outcome((begin + WARM_UP, begin + end), used)

    def _say(self, pair: Pair, due: float) -> None:
        pair.say(self._record.begin(due))

    def _writer_heard(self, pair: Pair, text: bytes) -> None:
        now = time.perf_counter()
        frame = orjson.loads(text)
        match frame["type"]:
            case "ack":
                pair.acked.add(frame["seq"])
                self._record.acked(frame["client_id"], now)
                if now < self._until:
                    self._say(pair, now)
            case "error" if frame["code"] == "unavailable":
                again = partial(pair.say, frame["client_id"])
                asyncio.get_running_loop().call_later(RETRY_SECONDS, again)
            case "error":
                self._record.refused += 1

    def _reader_heard(self, pair: Pair, text: bytes) -> None:
        now = time.perf_counter()
        frame = orjson.loads(text)
        if frame["type"] == "message":
            pair.arrived.add(frame["seq"])
            self._record.arrived(frame["client_id"], frame["message"], now)

    async def _outcome(self, window: tuple[float, float], used: float) -> Outcome:
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self._record.complete.wait()
        gaps = sum(pair.gaps() for pair in self._pairs)
        return self._record.outcome(window, gaps, time.process_time() - used)


def _plan(
    pairs: Sequence[Pair], rate: float, seconds: float, seed: int
) -> Iterator[tuple[Pair, float]]:
    chance = random.Random(seed)  # noqa: S311 a load that can be repeated
    after = chance.expovariate(rate)
    while after < seconds:
        yield chance.choice(pairs), after
        after += chance.expovariate(rate)
