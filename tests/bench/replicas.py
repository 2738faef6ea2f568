"""The same as `sends` on a replica set of three, where a majority is two of them (P1)."""

from collections.abc import Iterator
from pathlib import Path

from tests import replica_sets
from tests.bench import product, rivals
from tests.bench.figures import Line
from tests.bench.plan import Plan

SECRET = "a secret for tests that is long enough"


def measure(folder: Path, plan: Plan) -> Iterator[Line]:
    """Give the rate of both."""
    with replica_sets.running(folder / "set") as replica_set:
        variables = {
            "MONGODB_URI": replica_set.uri,
            "CARECHAT_JWT_SECRET": SECRET,
            "CARECHAT_DEMO": "1",  # as with its own MongoDB, so the pages need not be built again
            "CARECHAT_BCRYPT_COST": "4",
        }
        product.populate(folder, plan.talkers, **variables)
        with (
            product.serve(folder, **variables) as served,
            rivals.facing(served, replica_set.uri, plan.talkers) as both,
        ):
            rounds = both.rounds(plan.rounds, job="fast", seconds=plan.round_seconds)
    yield Line(
        f"Durable sends by `/ws`, {plan.talkers} pairs, on a replica set of three",
        rounds.compared(lambda turn: turn.outcome.rate, "a second"),
        "≥ 4 times (P1)",
    )
    yield Line("… acknowledgement, p99", rounds.compared(lambda turn: turn.outcome.ack[1], "ms"))
    yield from rounds.costs()
