"""The lines of the table: what was done, what it came to, what was wanted."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from tests.faults.ledger import Damage, Ledger

HEAD = (
    "| | what was done | sent | lost | twice | gaps | measured | goal |\n"
    "|---|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True)
class Line:
    """One line of the table; `damage` should be nothing."""

    name: str
    done: str
    sends: int
    tries: int
    damage: Damage
    measured: str
    goal: str

    def __str__(self) -> str:
        again = f" ({self.tries - self.sends:,} of them again)" if self.tries > self.sends else ""
        damage = self.damage
        unanswered = f", {damage.unanswered} unanswered" if damage.unanswered else ""
        cells = (
            f"**{self.name[:2].upper()}**",
            self.done,
            f"{self.sends:,}{again}",
            f"{damage.lost}{unanswered}",
            damage.twice,
            damage.gaps,
            self.measured,
            self.goal,
        )
        return f"| {' | '.join(str(cell) for cell in cells)} |"


def line(name: str, done: str, ledger: Ledger, measured: str, goal: str = "") -> Line:
    """Return the line of a run with that ledger."""
    return Line(name, done, len(ledger.sends), ledger.tries, ledger.damage, measured, goal)


def spread(seconds: Sequence[float]) -> str:
    """Return the median and the longest of some times."""
    return f"median {statistics.median(seconds):.1f} s, longest {max(seconds):.1f} s"
