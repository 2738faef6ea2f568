"""Many people who write to each other while something is broken, and the reckoning afterwards."""

import asyncio
import itertools
import random
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.faults.devices import Device
from tests.faults.ledger import Damage, Ledger
from tests.faults.people import Pair
from tests.faults.product import Product

REACH_SECONDS = 120.0
"""How long so many acknowledgements may take before the run is given up."""

LOOK_SECONDS = 0.05
AT_ONCE = 50

TEXT = "How are you feeling today? I hope better."

_chance = random.Random(20260115)  # noqa: S311


@dataclass
class Load:
    """Pairs who write, each person with a device that does and one that only listens."""

    product: Product
    pairs: Sequence[Pair]
    ledger: Ledger = field(default_factory=Ledger)
    writers: list[Device] = field(default_factory=list[Device])
    listeners: list[Device] = field(default_factory=list[Device])
    _writing: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def devices(self) -> list[Device]:
        """Every device."""
        return [*self.writers, *self.listeners]

    def of(self, pair: Pair, devices: Sequence[Device]) -> list[Device]:
        """Return those of the devices that are in the pair's conversation."""
        return [one for one in devices if one.conversation == pair.conversation]

    def write(self, pause: float, devices: Sequence[Device] = ()) -> None:
        """Let everybody write from now on, with pauses of so many seconds on average."""
        self._writing += [
            asyncio.create_task(self._write(one, pause)) for one in devices or self.writers
        ]

    async def more(self, count: int) -> None:
        """Wait until so many more messages were acknowledged than now."""
        await self.ledger.reach(self.ledger.acked + count, REACH_SECONDS)

    async def finish(self) -> None:
        """Let everybody write no more once their last message is acknowledged."""
        self._over.set()
        await asyncio.gather(*self._writing)

    async def told(self, seconds: float) -> float:
        """Return after how long every device knows what was acknowledged, without asking.

        What is not there after so many seconds counts as lost.
        """
        began = time.monotonic()
        while missing := self._not_told():
            if time.monotonic() > began + seconds:
                self.ledger.damage.note("lost", "not told without being asked", missing)
                break
            await asyncio.sleep(LOOK_SECONDS)
        return time.monotonic() - began

    def _not_told(self) -> int:
        acked = [(key[0], ack.seq) for key, ack in self.ledger.sends.items() if ack]
        return sum(
            seq not in device.known
            for device in self.devices
            for conversation, seq in acked
            if conversation == device.conversation
        )

    async def settle(self) -> Damage:
        """Let everybody finish and get what is missing; returns what is wrong then."""
        await self.finish()
        await asyncio.gather(*(device.catch_up() for device in self.devices))
        stored = await self.product.stored([pair.conversation for pair in self.pairs])
        is_now = self.ledger.compare(stored)
        for pair in self.pairs:
            received = is_now.get(pair.conversation, {}), self.of(pair, self.devices)
            _check_received(self.ledger.damage, *received)
        return self.ledger.damage

    async def connect(self) -> None:
        """Every device is there."""
        # In the morning people come one after the other, too; all at once is what R8 is about.
        for first in range(0, len(self.devices), AT_ONCE):
            some = self.devices[first : first + AT_ONCE]
            for one in some:
                one.start()
            await asyncio.gather(*(one.ready() for one in some))

    async def end(self) -> None:
        """Stop everything at once."""
        for task in self._writing:
            task.cancel()
        await asyncio.gather(*self._writing, return_exceptions=True)
        await asyncio.gather(*(one.stop() for one in self.devices))

    async def _write(self, device: Device, pause: float) -> None:
        for number in itertools.count(1):
            if self._over.is_set():
                return
            await device.send(f"{device.number}-{number}", TEXT)
            await asyncio.sleep(_chance.uniform(0, 2 * pause))


def _check_received(damage: Damage, stored: dict[int, str], devices: Sequence[Device]) -> None:
    for device in devices:
        if missing := stored.keys() - device.known.keys():
            what = f"{device.person.email} never got {sorted(missing)[:3]}"
            damage.note("lost", what, len(missing))
        if made_up := device.known.items() - stored.items():
            damage.note("lost", f"{device.person.email} got {sorted(made_up)[:3]}", len(made_up))


@asynccontextmanager
async def among(
    product: Product, pairs: Sequence[Pair], *, writing: int = 1, listening: int = 1
) -> AsyncGenerator[Load]:
    """Give a load of those pairs, connected, each person with so many devices of each kind."""
    load = Load(product, pairs)

    def device(pair: Pair, index: int) -> Device:
        return Device(product.port, list(pair)[index], pair.conversation, load.ledger)

    for pair, index in itertools.product(pairs, (0, 1)):
        load.writers += [device(pair, index) for _ in range(writing)]
        load.listeners += [device(pair, index) for _ in range(listening)]
    try:
        await load.connect()
        yield load
    finally:
        await load.end()
