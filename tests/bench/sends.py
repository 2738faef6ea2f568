"""How many messages are stored for good in a second, and how long each waits for it (P1, P2)."""

from tests.bench.figures import Line
from tests.bench.plan import Plan
from tests.bench.rivals import Rivals


def measure(rivals: Rivals, plan: Plan) -> list[Line]:
    """Return rate, waits and processor time of both when everybody sends as fast as they can."""
    rounds = rivals.rounds(plan.rounds, job="fast", seconds=plan.round_seconds)
    what = f"Durable sends by `/ws`, {plan.talkers} pairs, each waits for its acknowledgement"
    return [
        Line(what, rounds.compared(lambda turn: turn.outcome.rate, "a second"), "≥ 5 times (P1)"),
        Line("… acknowledgement, p50", rounds.compared(lambda turn: turn.outcome.ack[0], "ms")),
        Line(
            "… acknowledgement, p99",
            rounds.compared(lambda turn: turn.outcome.ack[1], "ms"),
            "≤ 0.25 times (P2)",
        ),
        *rounds.costs(),
    ]
