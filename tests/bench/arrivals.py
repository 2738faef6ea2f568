"""How long a message takes to the other's socket when people write at random times (P3)."""

from tests.bench.figures import Line
from tests.bench.plan import Plan
from tests.bench.rivals import Rivals

SEED = 20_260_115
GOAL = "≤ 1.0 times (P3)"


def measure(rivals: Rivals, plan: Plan) -> list[Line]:
    """Return the times from when a message was due to its arrival, on both."""
    rounds = rivals.rounds(
        plan.rounds, job="planned", rate=plan.rate, seconds=plan.round_seconds, seed=SEED
    )
    what = (
        f"{plan.rate} messages/s at random times, {plan.talkers} pairs: due to the other's socket"
    )
    return [
        Line(f"{what}, p50", rounds.compared(lambda turn: turn.outcome.arrival[0], "ms"), GOAL),
        Line("… p99", rounds.compared(lambda turn: turn.outcome.arrival[1], "ms"), GOAL),
        *rounds.costs(),
    ]
