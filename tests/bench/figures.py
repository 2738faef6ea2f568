"""How figures are made from what was measured, and how they are printed."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

FEW = 20
"""Fewer values have no tail to speak of."""


@dataclass(frozen=True)
class Line:
    """One line of the table: what was measured, what came out, what is wanted."""

    what: str
    value: str
    goal: str = ""


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the smallest value that so many percent of all do not exceed."""
    rank = math.ceil(len(values) * percent / 100)
    return sorted(values)[rank - 1]


def spread(values: Sequence[float], *percents: int) -> str:
    """Return percentiles of times in ms; of few values the median and the slowest."""
    count = f"of {len(values)}"
    if len(values) < FEW:
        middle, slowest = short(statistics.median(values)), short(max(values))
        return f"median {middle}, slowest {slowest} ms {count}"
    names = " / ".join(f"p{percent}" for percent in percents)
    shown = " / ".join(short(percentile(values, percent)) for percent in percents)
    return f"{names}: {shown} ms {count}"


def against(ours: Sequence[float], theirs: Sequence[float], unit: str) -> str:
    """Return the medians of ours and theirs, and that of the ratios of the same rounds.

    Of several rounds the smallest and the largest ratio are given as well.
    """
    ratios = sorted(one / other for one, other in zip(ours, theirs, strict=True))
    middles = (short(statistics.median(values)) for values in (ours, theirs))
    most = f" ({ratios[0]:.2f} to {ratios[-1]:.2f})" if len(ratios) > 1 else ""
    return f"{' against '.join(middles)} {unit}: {statistics.median(ratios):.2f} times{most}"


def short(value: float) -> str:
    """Return the number with one digit after the point below 100, else none."""
    return f"{value:,.1f}" if abs(value) < 100 else f"{value:,.0f}"


def table(lines: Sequence[Line]) -> str:
    """Return the lines as a Markdown table."""
    rows = [f"| {line.what} | {line.value} | {line.goal} |" for line in lines]
    return "\n".join(["| what | measured | goal |", "|---|---|---|", *rows])
