"""What a socket costs the server while nothing happens on it (P6)."""

import time

from tests.bench.figures import Line, against
from tests.bench.plan import Plan
from tests.bench.rivals import Rival, Rivals

SETTLE_SECONDS = 1.0
GOAL = "≤ 0.5 times (P6)"


def measure(rivals: Rivals, plan: Plan) -> list[Line]:
    """Return the memory of an open socket of both servers, for each number of them.

    To be asked for first: what a server has had to do leaves room in which sockets would fit.
    """
    few, many = plan.idle_sockets
    what = "Memory of an idle `/ws` socket that offered to compress, as browsers do"
    names = (
        (f"{what} (mean of {few:,})", GOAL),
        (f"{what} (mean of {many:,})", GOAL),
        (f"… that did not offer it (mean of {few:,} more)", ""),
    )
    memory = zip(*(_memory(rival, few, many) for rival in rivals), strict=True)
    return [
        Line(name, against([ours], [theirs], "KB"), goal)
        for (name, goal), (ours, theirs) in zip(names, memory, strict=True)
    ]


def _memory(rival: Rival, few: int, many: int) -> tuple[float, float, float]:
    """KB for each of few, for each of many, and for each of few more that offer nothing."""
    begin = _settled(rival)
    rival.hold(few, like_a_browser=True)
    with_few = _settled(rival)
    rival.hold(many - few, like_a_browser=True)
    with_many = _settled(rival)
    rival.hold(few, like_a_browser=False)
    end = _settled(rival)
    rival.client.obey(job="let go")
    return (with_few - begin) / few, (with_many - begin) / many, (end - with_many) / few


def _settled(rival: Rival) -> float:
    time.sleep(SETTLE_SECONDS)
    return rival.memory() / 1_000
