"""What became of every message of a run: acknowledged and arrived when, each once, none missing."""

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench import texts
from tests.bench.figures import percentile

NEVER = 0.0

Times = tuple[float, float]
"""Of several times their p50 and p99, in milliseconds."""


@dataclass(frozen=True)
class Outcome:
    """What came of one run, as counts, and how long it took."""

    sent: int
    acked: int
    arrived: int
    again: int
    """Acknowledgements and arrivals of what had been acknowledged, or had arrived, before."""
    gaps: int
    """Numbers that are missing between the first and the last that somebody was told."""
    refused: int
    wrong: int
    """Arrivals with other words than were sent."""
    rate: float
    """Acknowledgements a second."""
    ack: Times
    """From when it was due to the acknowledgement."""
    arrival: Times
    """From when it was due to the other's socket."""
    client: float
    """Processor time of the load client for a message, in microseconds."""

    def is_whole(self) -> bool:
        """Whether every message was acknowledged and arrived once as it was sent, without gaps."""
        counts = {self.sent, self.acked, self.arrived}
        return len(counts) == 1 and not (self.again or self.gaps or self.refused or self.wrong)


class Record:
    """When each message was due, acknowledged and there, in seconds of `time.perf_counter`."""

    def __init__(self) -> None:
        self._name = uuid.uuid4().hex[:12]
        self._due: list[float] = []
        self._acked: list[float] = []
        self._arrived: list[float] = []
        self._missing = 0
        self.again = 0
        self.refused = 0
        self.wrong = 0
        self.complete = asyncio.Event()
        """Set while nothing is under way."""

    def begin(self, due: float) -> str:
        """Return the `client_id` of one more message."""
        self._due.append(due)
        self._acked.append(NEVER)
        self._arrived.append(NEVER)
        self._missing += 2
        self.complete.clear()
        return f"{self._name}-{len(self._due) - 1}"

    def acked(self, client_id: str, now: float) -> None:
        """Note that a message was acknowledged."""
        self._note(self._acked, client_id, now)

    def arrived(self, client_id: str, text: str, now: float) -> None:
        """Note that a message came to the other's socket; its text is `texts.of` its id."""
        self.wrong += text != texts.of(client_id)
        self._note(self._arrived, client_id, now)

    def _note(self, times: list[float], client_id: str, now: float) -> None:
        name, _, number = client_id.partition("-")
        if name != self._name or times[int(number)] != NEVER:
            self.again += 1
            return
        times[int(number)] = now
        self._missing -= 1
        if not self._missing:
            self.complete.set()

    def outcome(self, window: tuple[float, float], gaps: int, used: float) -> Outcome:
        """Return what came of it, with the processor time (s) that the client used.

        What was due, or for the rate acknowledged, outside of the window is not timed.
        """
        begin, end = window
        return Outcome(
            sent=len(self._due),
            acked=_there(self._acked),
            arrived=_there(self._arrived),
            again=self.again,
            gaps=gaps,
            refused=self.refused,
            wrong=self.wrong,
            rate=sum(begin <= time < end for time in self._acked) / (end - begin),
            ack=self._times(self._acked, window),
            arrival=self._times(self._arrived, window),
            client=1e6 * used / len(self._due),
        )

    def _times(self, ends: Sequence[float], window: tuple[float, float]) -> Times:
        """On a machine too busy to let any be due in the window, of all there are."""
        begin, end = window
        waits = [
            (due, 1_000 * (then - due)) for due, then in zip(self._due, ends, strict=True) if then
        ]
        times = [wait for due, wait in waits if begin <= due < end] or [wait for _, wait in waits]
        return percentile(times, 50), percentile(times, 99)


def _there(times: Sequence[float]) -> int:
    return sum(time != NEVER for time in times)
