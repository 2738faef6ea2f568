"""R5 to R7: one message 10,000 times, one conversation on all sockets, one who never reads."""

import asyncio
import itertools
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.faults import frames, load, product
from tests.faults.devices import Device
from tests.faults.figures import Line, line
from tests.faults.frames import Frame
from tests.faults.ledger import Ack
from tests.faults.load import Load
from tests.faults.people import Pair, Person
from tests.faults.plan import Plan
from tests.faults.product import Product

SOCKETS = 18
AT_ONCE_EACH = 10
REQUESTS_AT_ONCE = 20
"""So 200 at once; the sender's other two sockets of twenty listen."""

RUN_SECONDS = 600.0
WINDOW = 4
"""Messages of one socket under way at once in a crowd."""

LONG = "x" * 4_000
DEAF_WINDOW = 40
PAUSE = 0.05
CUT_SECONDS = 120.0
POLL_SECONDS = 0.05
ESTABLISHED = "01"
STILL_THERE = "**not cut off**"


class Repeating:
    """A sender that says the same thing again as soon as it is answered, on a socket."""

    def __init__(self, frame: Frame, count: "itertools.count[int]", times: int) -> None:
        self._frame = frame
        self._count = count
        self._times = times
        self._wire: frames.Wire | None = None
        self._under_way = 0
        self.acks: set[Ack] = set()
        self.answered = 0
        self.refused: list[str] = []
        self.pushed = 0
        self.done = asyncio.Event()

    async def run(self, port: int, person: Person, at_once: int) -> None:
        """Send with so many under way at once, until all was sent and answered."""
        self._wire = await frames.connect(port, person.email, person.token, self._take)
        for _ in range(at_once):
            self._again()
        await self.done.wait()

    def close(self) -> None:
        """Close the socket."""
        if self._wire:
            self._wire.abort()

    def _again(self) -> None:
        if next(self._count) < self._times:
            assert self._wire
            self._wire.send(self._frame)
            self._under_way += 1
        elif not self._under_way:
            self.done.set()

    def _take(self, frame: Frame) -> None:
        match frame["type"]:
            case "message":
                self.pushed += 1
            case "ack" | "error":
                self._under_way -= 1
                self._note(frame)
                self._again()
            case _:
                pass

    def _note(self, frame: Frame) -> None:
        if frame["type"] == "error":
            self.refused.append(frame["code"])
        else:
            self.answered += 1
            self.acks.add(Ack(frame["id"], frame["seq"], frame["timestamp"]))


async def repeated(folder: Path, plan: Plan) -> Line:
    """R5: one `client_id` again and again, over sockets and REST; return what became of it."""
    async with product.served(folder) as served:
        pairs = await served.admit(1)
        async with load.among(served, pairs, writing=0, listening=1) as listening:
            await _repeat(listening, pairs[0], plan.repeats)
            await listening.settle()
    done = (
        f"one client_id {plan.repeats:,} times, 200 at once over {SOCKETS} sockets and "
        f"{REQUESTS_AT_ONCE} requests"
    )
    pushed = [one.pushed for one in listening.listeners]
    measured = f"stored {len(listening.ledger.sends)}, pushed to the listening: {pushed}"
    return line("r5", done, listening.ledger, measured, "stored once, pushed once, same ack")


async def _repeat(listening: Load, pair: Pair, times: int) -> None:
    ledger, sender = listening.ledger, pair.doctor
    key = (pair.conversation, sender.email, "the-same")
    text = {"message": load.TEXT, "client_id": key[2]}
    ledger.sending(key, load.TEXT)
    count = itertools.count()
    sockets = [
        Repeating({"conversation_id": pair.conversation, **text}, count, times)
        for _ in range(SOCKETS)
    ]
    port = listening.product.port
    async with asyncio.timeout(RUN_SECONDS), httpx.AsyncClient(timeout=30) as api:
        path = f"{listening.product.url}/conversations/{pair.conversation}/messages"
        by_rest = Requests(api, path, sender, text)
        await asyncio.gather(
            *(one.run(port, sender, AT_ONCE_EACH) for one in sockets),
            *(by_rest.run(count, times) for _ in range(REQUESTS_AT_ONCE)),
        )
        await asyncio.gather(*(one.catch_up() for one in listening.devices))
    ledger.tries = times
    for ack in by_rest.acks.union(*(one.acks for one in sockets)):
        ledger.note_ack(key, ack)
    _check_answers(listening, sockets, by_rest, times)
    for one in sockets:
        one.close()


class Requests:
    """The same by REST."""

    def __init__(
        self, api: httpx.AsyncClient, path: str, sender: Person, body: dict[str, Any]
    ) -> None:
        self._api = api
        self._path = path
        self._sender = sender
        self._body = body
        self.acks: set[Ack] = set()
        self.created = 0
        self.answered = 0

    async def run(self, count: "itertools.count[int]", times: int) -> None:
        """Send one request after the other until all was sent."""
        while next(count) < times:
            answer = await self._api.post(self._path, json=self._body, headers=self._sender.headers)
            stored = answer.raise_for_status().json()
            self.answered += 1
            self.created += answer.status_code == httpx.codes.CREATED
            self.acks.add(Ack(stored["id"], stored["seq"], stored["timestamp"]))


def _check_answers(
    listening: Load, sockets: list[Repeating], by_rest: Requests, times: int
) -> None:
    damage = listening.ledger.damage
    answered = by_rest.answered + sum(one.answered for one in sockets)
    if answered != times:
        refused = sorted({code for one in sockets for code in one.refused})
        damage.note("unanswered", f"{times - answered} of {times} ({refused})", times - answered)
    if by_rest.created > 1:
        damage.note("twice", f"{by_rest.created} requests were told that they made it")
    for one in sockets:
        if one.pushed > 1:
            damage.note("twice", f"a sending socket was told {one.pushed} times")
    for device in listening.listeners:
        if device.pushed != 1:
            kind = "twice" if device.pushed else "lost"
            damage.note(kind, f"{device.person.email} was told {device.pushed} times")


async def crowded(folder: Path, plan: Plan) -> Line:
    """R6: all sockets that two people may have write into one conversation."""
    sockets = plan.crowd_sockets
    async with (
        product.served(folder) as served,
        load.among(served, await served.admit(1), writing=sockets, listening=0) as crowd,
    ):
        began = time.monotonic()
        count = itertools.count(1)
        writers = itertools.product(crowd.writers, range(WINDOW))
        await asyncio.gather(*(_write(one, count, plan.crowd_messages) for one, _ in writers))
        seconds = time.monotonic() - began
        await crowd.settle()
    done = f"{plan.crowd_messages:,} messages in one conversation over {2 * sockets} sockets"
    cut = sum(len(one.codes) for one in crowd.devices)
    measured = (
        f"{plan.crowd_messages / seconds:,.0f} messages/s, "
        f"{sum(one.pushed for one in crowd.devices) / seconds:,.0f} pushed/s, {cut} sockets cut off"
    )
    return line("r6", done, crowd.ledger, measured, "every seq once")


async def _write(device: Device, count: "itertools.count[int]", last: int) -> None:
    while (number := next(count)) <= last:
        await device.send(f"{number}", load.TEXT)


async def deaf(folder: Path, plan: Plan) -> Line:
    """R7: one socket never reads; return what that costs the server and everybody else."""
    async with (
        product.served(folder) as served,
        load.among(served, await served.admit(2), listening=0) as talk,
    ):
        pair, neighbours = talk.pairs
        await _write_long(talk, pair, plan.deaf_messages // 10)
        talk.write(PAUSE, talk.of(neighbours, talk.writers))
        await talk.more(1)
        before = served.memory()
        async with _peak(served) as peak, _never_reading(served, pair.patient) as own_port:
            _, cut_off = await asyncio.gather(
                _write_long(talk, pair, plan.deaf_messages), _cut_off(talk, own_port)
            )
        after_all = Device(served.port, pair.patient, pair.conversation, talk.ledger)
        talk.listeners.append(after_all)
        after_all.start()
        await talk.settle()
    done = f"a socket that never reads, {plan.deaf_messages:,} messages of 4,000 characters to it"
    measured = (
        f"memory {(max(peak) - before) / 1_000_000:+.1f} MB, {cut_off}; a neighbour's longest "
        f"time without an ack {talk.ledger.longest_pause(neighbours.conversation):.2f} s; "
        f"`sync` brought {len(after_all.known):,}"
    )
    if cut_off == STILL_THERE:
        talk.ledger.damage.note("unanswered", "the socket that never reads is still there")
    return line("r7", done, talk.ledger, measured, "≤ +8 MB, then cut off; nobody else waits")


async def _write_long(talk: Load, pair: Pair, count: int) -> None:
    [writer, _] = talk.of(pair, talk.writers)
    numbers = iter(range(count))
    begin = len(talk.ledger.sends)

    async def write() -> None:
        for number in numbers:
            await writer.send(f"long-{begin + number}", LONG)

    await asyncio.gather(*(write() for _ in range(DEAF_WINDOW)))


@asynccontextmanager
async def _peak(served: Product) -> AsyncGenerator[list[int]]:
    """Give the bytes that the server has resident, again and again."""
    found = [served.memory()]

    async def look() -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            found.append(served.memory())

    looking = asyncio.create_task(look())
    try:
        yield found
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


@asynccontextmanager
async def _never_reading(served: Product, person: Person) -> AsyncGenerator[int]:
    """Give the port of a socket that reads nothing once it is open."""
    silent = await frames.connect(served.port, person.email, person.token, _ignore, narrow=True)
    try:
        yield silent.fall_silent()
    finally:
        silent.abort()


def _ignore(_frame: Frame) -> None:
    pass


async def _cut_off(talk: Load, own_port: int) -> str:
    """Wait until the server has let go of that connection, which hears nothing of it itself."""
    began = time.monotonic()
    while _state(talk.product.port, own_port) == ESTABLISHED:
        if time.monotonic() > began + CUT_SECONDS:
            return STILL_THERE
        await asyncio.sleep(POLL_SECONDS)
    return f"cut off after {time.monotonic() - began:.1f} s"


def _state(port: int, own_port: int) -> str:
    """What the system says of the server's end of a connection; nothing if it is gone."""
    for listed in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, state = listed.split()[:4]
        if local.endswith(f":{port:04X}") and remote.endswith(f":{own_port:04X}"):
            return state
    return ""
