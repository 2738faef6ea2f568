"""How long the newest messages of short and long conversations take to be read."""

import statistics
import time
from collections.abc import Sequence

from tests.bench import filling, opening
from tests.bench.figures import Line, spread
from tests.bench.plan import Plan
from tests.bench.product import Pair, Product
from tests.bench.screens import Screens

NEWEST = 50
FLAT = "flat (P5)"


def measure(product: Product, screens: Screens, plan: Plan) -> list[Line]:
    """Return the times of REST and of the page for each length, and what MongoDB looked at."""
    pairs = [product.pair() for _ in plan.sizes]
    for pair, size in zip(pairs, plan.sizes, strict=True):
        filling.fill(product, pair, size)
    # In turn, so that what else the machine does meanwhile meets all sizes alike.
    rest = [[_milliseconds(pair) for pair in pairs] for _ in range(plan.requests)]
    pages = [[opening.cold(screens, pair).usable for pair in pairs] for _ in range(plan.openings)]
    lines: list[Line] = []
    for column, size in enumerate(plan.sizes):
        examined = f"{_examined(product, pairs[column])}"
        lines += [
            Line(f"Newest {NEWEST} of {size:,} messages, REST", _times(rest, column), FLAT),
            Line("… documents that MongoDB looked at for it", examined, FLAT),
            Line("… the chat page, cold", _times(pages, column), FLAT),
        ]
    return lines


def _times(rounds: Sequence[Sequence[float]], column: int) -> str:
    """The times of one size, and how they compare with those of the shortest in the same rounds."""
    times = [row[column] for row in rounds]
    if column == 0:
        return spread(times, 50, 95)
    ratio = statistics.median(row[column] / row[0] for row in rounds)
    return f"{spread(times, 50, 95)} ({ratio:.2f} times the shortest)"


def _milliseconds(pair: Pair) -> float:
    began = time.perf_counter()
    _read(pair)
    return 1_000 * (time.perf_counter() - began)


def _read(pair: Pair) -> None:
    path = f"/messages/{pair.doctor.email}/{pair.patient.email}"
    found = pair.doctor.api.get(path, params={"limit": NEWEST}).raise_for_status().json()
    assert len(found) == NEWEST


def _examined(product: Product, pair: Pair) -> int:
    with product.operations() as operations:
        _read(pair)
    return sum(operation.get("docsExamined", 0) for operation in operations)
