"""Devices: clients that keep to the contract, so that nothing may be lost whatever is cut."""

import asyncio
import itertools
import random
import time
from typing import Any

from tests.faults import frames
from tests.faults.frames import Frame, Wire
from tests.faults.ledger import Ack, Key, Ledger
from tests.faults.people import Person

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 2.0
"""Seconds: between two tries lies a random part of a pause that doubles up to that."""

ANSWER_SECONDS = 15.0
"""A server that leaves a send without any answer for so long is given up, and asked anew."""

PATIENCE_SECONDS = 90.0
"""For so long a message is sent again and again before it counts as unanswered."""

CATCH_UP_SECONDS = 60.0

_numbers = itertools.count(1)
_chance = random.Random(20260115)  # noqa: S311


def pause(tries: int) -> float:
    """Return how long to wait (s) before the next try, after so many."""
    return _chance.uniform(0, min(LONGEST_PAUSE, FIRST_PAUSE * 2**tries))


class Device:
    """One person's device in one conversation; comes back whenever its socket is cut."""

    def __init__(self, port: int, person: Person, conversation: str, ledger: Ledger) -> None:
        self.number = next(_numbers)
        self.person = person
        self.conversation = conversation
        self.known: dict[int, str] = {}
        self.codes: list[int] = []
        self.pushed = 0
        self.synced_at = 0.0
        self._port = port
        self._ledger = ledger
        self._whole = 0
        self._last_push = 0
        self._pushes: set[int] = set()
        self._wire: Wire | None = None
        self._ready = asyncio.Event()
        self._synced = asyncio.Event()
        self._answers: dict[str, asyncio.Future[bool]] = {}
        self._living: asyncio.Task[None] | None = None

    @property
    def is_synced(self) -> bool:
        """Whether it is connected and has what was stored before."""
        return self._ready.is_set() and self._synced.is_set()

    def start(self) -> None:
        """Connect, and again whenever it is cut, until `stop`."""
        self._living = asyncio.create_task(self._live())

    async def stop(self) -> None:
        """Connect no more."""
        if self._living:
            self._living.cancel()
            await asyncio.gather(self._living, return_exceptions=True)

    async def ready(self, seconds: float = CATCH_UP_SECONDS) -> None:
        """Wait until it is connected and has what was stored before."""
        async with asyncio.timeout(seconds):
            while not self.is_synced:
                await self._ready.wait()
                await self._synced.wait()

    def count_as_gone(self) -> None:
        """Wait for the next connection from now on, though it may not have noticed the end yet."""
        self._ready.clear()
        self._synced.clear()

    async def send(self, client_id: str, text: str) -> None:
        """Send a message again and again until it is acknowledged, or patience is at its end.

        Its `client_id` leads the text, so that no two messages say the same.
        """
        text = f"{client_id} {text}"
        key = (self.conversation, self.person.email, client_id)
        give_up = time.monotonic() + PATIENCE_SECONDS
        tries = 0
        while time.monotonic() < give_up:
            if await self._try(key, text):
                return
            await asyncio.sleep(pause(tries))
            tries += 1

    async def catch_up(self) -> None:
        """Ask for everything that is missing, and wait until it is there."""
        give_up = time.monotonic() + CATCH_UP_SECONDS
        while time.monotonic() < give_up:
            await self.ready()
            self._ask_for_missing()
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    await self._synced.wait()
            except TimeoutError:
                self._cut()
            if self.is_synced:
                return
        raise TimeoutError(f"{self.person.email} could not catch up")

    def _cut(self) -> None:
        if self._wire:
            self._wire.abort()

    async def _try(self, key: Key, text: str) -> bool:
        """Whether it need not be sent again."""
        client_id = key[2]
        answer = self._answers[client_id] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._ready.wait()
                assert self._wire
                self._ledger.sending(key, text)
                self._wire.send(
                    {"conversation_id": key[0], "message": text, "client_id": client_id}
                )
                return await answer
        except TimeoutError:
            if self._ready.is_set():
                self._cut()
            return False
        finally:
            self._answers.pop(client_id, None)

    async def _live(self) -> None:
        tries = 0
        while True:
            try:
                await self._connect()
            except (OSError, TimeoutError):
                tries += 1
            else:
                tries = 0
                await self._until_cut()
            await asyncio.sleep(pause(tries))

    async def _connect(self) -> None:
        self._pushes.clear()
        self._last_push = 0
        person = self.person
        self._wire = await frames.connect(self._port, person.email, person.token, self._take)
        self._ask_for_missing()
        self._ready.set()

    async def _until_cut(self) -> None:
        assert self._wire
        try:
            self.codes.append(await asyncio.shield(self._wire.closed))
        finally:
            self._wire.abort()
            self._ready.clear()
            self._synced.clear()
            for answer in list(self._answers.values()):
                _settle(answer, False)

    def _ask_for_missing(self) -> None:
        assert self._wire
        self._synced.clear()
        self._wire.send({"type": "sync", "after": {self.conversation: self._whole}})

    def _take(self, frame: Frame) -> None:
        match frame["type"]:
            case "message":
                self._take_message(frame)
            case "ack":
                self._take_ack(frame)
            case "synced":
                self.synced_at = time.monotonic()
                self._synced.set()
            case "error":
                self._take_error(frame)
            case _:
                pass

    def _take_message(self, frame: Frame) -> None:
        seq = frame["seq"]
        self.pushed += 1
        # While a sync is under way nobody can tell what it brings from what comes by itself.
        if self._synced.is_set():
            self._check_push(seq)
        key = (frame["conversation_id"], frame["sender_email"], frame["client_id"])
        self._ledger.note_told(key, frame["message"])
        self._know(frame)

    def _check_push(self, seq: int) -> None:
        """What comes by itself comes once and in order, as long as the socket lives."""
        if seq in self._pushes:
            self._complain("twice", seq, "came twice on one socket")
        elif seq < self._last_push:
            self._complain("gaps", seq, f"came after {self._last_push} on one socket")
        self._pushes.add(seq)
        self._last_push = max(self._last_push, seq)

    def _take_ack(self, frame: Frame) -> None:
        client_id = frame["client_id"]
        ack = Ack(frame["id"], frame["seq"], frame["timestamp"])
        self._ledger.note_ack((self.conversation, self.person.email, client_id), ack)
        self._know(frame)
        if answer := self._answers.get(client_id):
            _settle(answer, True)

    def _take_error(self, frame: Frame) -> None:
        is_final = frame["code"] != "unavailable"
        if is_final:
            self._complain("unanswered", frame["client_id"], f"was refused: {frame['detail']}")
        if answer := self._answers.get(frame["client_id"]):
            _settle(answer, is_final)

    def _know(self, frame: Frame) -> None:
        seq, identifier = frame["seq"], frame["id"]
        before = self.known.setdefault(seq, identifier)
        if before != identifier:
            self._complain("twice", seq, f"is {before} and {identifier}")
        while self._whole + 1 in self.known:
            self._whole += 1

    def _complain(self, kind: str, what: Any, how: str) -> None:
        self._ledger.damage.note(kind, f"{self.person.email}, {self.conversation}: {what} {how}")


def _settle(answer: asyncio.Future[bool], outcome: bool) -> None:
    if not answer.done():
        answer.set_result(outcome)
