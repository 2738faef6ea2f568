"""What a message costs two workers that tell each other by Redis, beside one worker alone (P7)."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tests import redis_servers
from tests.bench import load, machine, product
from tests.bench.arrivals import SEED
from tests.bench.figures import Line
from tests.bench.plan import Plan
from tests.bench.product import CHEAP_HASH, Pairs
from tests.bench.rivals import Rival, Rounds, Turn, connected

GOAL = "≤ 1.15 times (P7)"


def measure(folder: Path, plan: Plan) -> Iterator[Line]:
    """Give the processor time of two and of one for a message, under each kind of load.

    Both are started anew for every turn, because they have one database and one port.
    """
    seconds = plan.round_seconds
    fast = {"job": "fast", "seconds": seconds}
    planned = {"job": "planned", "rate": plan.rate, "seconds": seconds, "seed": SEED}
    product.populate(folder, plan.talkers, **CHEAP_HASH)
    with product.serve(folder, **CHEAP_HASH):
        pairs = product.talkers(plan.talkers)
    turns: dict[str, list[list[Turn]]] = {"two": [], "one": []}
    with redis_servers.running() as redis:
        two_workers = {"CARECHAT_WORKERS": "2", "REDIS_URL": redis.url}
        both = [("two", two_workers), ("one", dict[str, str]())]
        for number in range(plan.restarts):
            # The other one first in every second round.
            for name, variables in both[:: -1 if number % 2 else 1]:
                with _served(folder, pairs, redis.pid, variables) as rival:
                    turns[name].append([rival.turn(**fast), rival.turn(**planned)])
    kinds = ("each pair as fast as it can", f"{plan.rate} messages/s")
    for column, kind in enumerate(kinds):
        two, one = ([turn[column] for turn in turns[name]] for name in ("two", "one"))
        rounds = Rounds(two, one)
        yield Line(
            f"Processor time for a message, two workers with their Redis, and one: {kind}",
            rounds.compared(lambda turn: turn.server, "µs"),
            GOAL,
        )
        yield Line("… that of MongoDB", rounds.compared(lambda turn: turn.mongod, "µs"))
        if column == 0:
            yield Line("… messages", rounds.compared(lambda turn: turn.outcome.rate, "a second"))


@contextlib.contextmanager
def _served(folder: Path, pairs: Pairs, redis: int, variables: dict[str, str]) -> Iterator[Rival]:
    with (
        product.serve(folder, **CHEAP_HASH, **variables) as served,
        load.client(product.PORT) as client,
    ):
        people = connected(client, pairs)

        def processes() -> list[int]:
            return [*served.processes(), redis]

        yield Rival("CareChat", processes, machine.mongods, client, people)
