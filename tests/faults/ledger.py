"""The ledger: what was sent and acknowledged, and whether what is stored is the same."""

import asyncio
import bisect
import itertools
import math
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Key = tuple[str, str, str]
"""Conversation, sender and `client_id`: by these a message is the same one."""

Stored = dict[str, Any]

MAX_EXAMPLES = 5
"""Of each kind of damage so many are described."""


@dataclass(frozen=True)
class Ack:
    """What the server promised of a message."""

    id: str
    seq: int
    timestamp: str


@dataclass
class Damage:
    """What should be nothing: how much of each kind, and some examples in words."""

    lost: int = 0
    twice: int = 0
    gaps: int = 0
    unanswered: int = 0
    examples: list[str] = field(default_factory=list[str])

    def note(self, kind: str, what: str, count: int = 1) -> None:
        """Count it."""
        setattr(self, kind, getattr(self, kind) + count)
        if sum(example.startswith(kind) for example in self.examples) < MAX_EXAMPLES:
            self.examples.append(f"{kind}: {what}")

    def __bool__(self) -> bool:
        return bool(self.lost or self.twice or self.gaps or self.unanswered)


class Ledger:
    """Every send of a run with its acknowledgement, and when acknowledgements came."""

    def __init__(self) -> None:
        self.damage = Damage()
        self.sends: dict[Key, Ack | None] = {}
        self._texts: dict[Key, str] = {}
        self.tries = 0
        self.ack_times: list[float] = []
        self._times: defaultdict[str, list[float]] = defaultdict(list)
        self._goals: list[tuple[int, asyncio.Event]] = []

    @property
    def acked(self) -> int:
        """How many sends were acknowledged."""
        return len(self.ack_times)

    def sending(self, key: Key, text: str) -> None:
        """Note that a message goes out, for the first time or again."""
        self.sends.setdefault(key, None)
        self._texts.setdefault(key, text)
        self.tries += 1

    def note_ack(self, key: Key, ack: Ack) -> None:
        """Note an acknowledgement; another one of the same message has to be the same."""
        before = self.sends.get(key)
        if before is None:
            self.sends[key] = ack
            now = time.monotonic()
            self.ack_times.append(now)
            self._times[key[0]].append(now)
            for goal, reached in self._goals:
                if self.acked >= goal:
                    reached.set()
        elif before != ack:
            self.damage.note("twice", f"{key} was acknowledged as {before} and as {ack}")

    def note_told(self, key: Key, text: str) -> None:
        """Note that somebody was told of a message; its words have to be those that were sent."""
        if text != self._texts.get(key):
            self.damage.note("lost", f"{key} came with other words than were sent")

    async def reach(self, count: int, seconds: float) -> None:
        """Wait until so many are acknowledged; raises `TimeoutError` after so many seconds."""
        goal = (count, asyncio.Event())
        self._goals.append(goal)
        try:
            if self.acked < count:
                async with asyncio.timeout(seconds):
                    await goal[1].wait()
        finally:
            self._goals.remove(goal)

    async def next_ack(self, seconds: float) -> None:
        """Wait for one more acknowledgement."""
        await self.reach(self.acked + 1, seconds)

    def first_after(self, moment: float) -> float:
        """Return the seconds from that moment to the next acknowledgement."""
        return self.ack_times[bisect.bisect_right(self.ack_times, moment)] - moment

    def longest_after(self, moments: Sequence[float]) -> list[float]:
        """Return the longest time (s) between two acknowledgements after each of these moments."""
        pauses = list(itertools.pairwise(self.ack_times))
        ends = [*moments[1:], math.inf]
        return [
            max((b - a for a, b in pauses if since < b <= until), default=0.0)
            for since, until in zip(moments, ends, strict=True)
        ]

    def longest_pause(self, conversation: str = "") -> float:
        """Return the longest time (s) between two acknowledgements, of one conversation or any."""
        times = self._times[conversation] if conversation else self.ack_times
        return max((b - a for a, b in itertools.pairwise(times)), default=0.0)

    def compare(self, stored: Iterable[Stored]) -> dict[str, dict[int, str]]:
        """Note every difference; returns the ids that are stored, by conversation and number."""
        talks: defaultdict[str, list[Stored]] = defaultdict(list)
        for one in stored:
            talks[one["conversation_id"]].append(one)
        for talk in talks.values():
            talk.sort(key=lambda one: one["seq"])
            self._check_numbers(talk)
        found = [one for talk in talks.values() for one in talk]
        self._check_once(found)
        self._check_promises({_key(one): one for one in found})
        return {name: {one["seq"]: str(one["_id"]) for one in talk} for name, talk in talks.items()}

    def _check_numbers(self, talk: list[Stored]) -> None:
        for number, one in enumerate(talk, 1):
            if one["seq"] != number:
                self.damage.note("gaps", f"{one['conversation_id']}: {one['seq']} is at {number}")
                break
        for before, after in itertools.pairwise(talk):
            if before["timestamp"] >= after["timestamp"]:
                self.damage.note("gaps", f"the time of {_key(after)} does not rise")

    def _check_once(self, stored: list[Stored]) -> None:
        for key, count in Counter(_key(one) for one in stored).items():
            if count > 1:
                self.damage.note("twice", f"{key} is stored {count} times")
            if key not in self.sends:
                self.damage.note("twice", f"{key} is stored and was never sent")

    def _check_promises(self, stored: dict[Key, Stored]) -> None:
        for key, ack in self.sends.items():
            one = stored.get(key)
            if ack is None:
                self.damage.note("unanswered", f"{key}, stored: {one is not None}")
            elif one is None:
                self.damage.note("lost", f"{key} was acknowledged as {ack}")
            elif (is_now := _ack(one)) != ack:
                self.damage.note("lost", f"{key} was acknowledged as {ack}, is {is_now}")
            elif one["message"] != self._texts[key]:
                self.damage.note("lost", f"{key} is stored with other words than were sent")


def _key(stored: Stored) -> Key:
    return stored["conversation_id"], stored["sender_email"], stored["client_id"]


def _ack(stored: Stored) -> Ack:
    return Ack(str(stored["_id"]), stored["seq"], _written(stored["timestamp"]))


def _written(moment: datetime) -> str:
    """The time as the API writes it."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
