"""Measures CareChat and prints the table of docs/benchmarks.md: `python -m tests.bench`."""

import argparse
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from tests.bench import (
    arrivals,
    costs,
    history,
    latency,
    machine,
    opening,
    pages,
    product,
    rivals,
    screens,
    sends,
)
from tests.bench.figures import Line, short, table
from tests.bench.plan import FULL, SHORT, Plan

AGAINST_THE_REFERENCE = {
    "sends": sends.measure,
    "arrivals": arrivals.measure,
}
IN_BROWSERS = {
    "latency": latency.measure,
    "opening": opening.measure,
    "costs": costs.measure,
    "history": history.measure,
    "pages": pages.measure,
}
CHEAP_HASH = {"CARECHAT_BCRYPT_COST": "4"}
"""After the starts were timed: nothing here is about signing in."""


def main() -> None:
    """Print what was measured, on what machine, and how busy that was before and after."""
    asked = _arguments()
    before = machine.load()
    # Beside the project and not in /tmp, which may be memory: then nothing durable would cost.
    with tempfile.TemporaryDirectory(prefix=".bench-", dir=product.PROJECT) as folder:
        lines = list(_measured(Path(folder), _plan(asked), asked.only))
    print(f"{machine.describe()}; load average before: {before}, after: {machine.load()}\n")
    print(table(lines))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a few of each, in a minute or two")
    names = [*AGAINST_THE_REFERENCE, *IN_BROWSERS]
    parser.add_argument("--only", action="append", choices=names, help="these measurements alone")
    parser.add_argument("--rounds", type=int, help="rounds of CareChat and the reference")
    parser.add_argument("--seconds", type=float, help="how long each has its turn")
    return parser.parse_args()


def _plan(asked: argparse.Namespace) -> Plan:
    plan = SHORT if asked.short else FULL
    given = {"rounds": asked.rounds, "round_seconds": asked.seconds}
    return replace(plan, **{name: value for name, value in given.items() if value})


def _measured(folder: Path, plan: Plan, only: list[str] | None) -> Iterator[Line]:
    if not only:
        yield from _started(folder)
    product.populate(folder, plan.talkers, **CHEAP_HASH)
    if names := _chosen(AGAINST_THE_REFERENCE, only):
        with (
            product.serve(folder, **CHEAP_HASH) as served,
            rivals.facing(served, plan) as both,
        ):
            for name in names:
                _say(f"Measuring {name} ...")
                yield from AGAINST_THE_REFERENCE[name](both, plan)
    if names := _chosen(IN_BROWSERS, only):
        with product.serve(folder, **CHEAP_HASH) as served, screens.launch() as browser:
            for name in names:
                _say(f"Measuring {name} ...")
                yield from IN_BROWSERS[name](served, browser, plan)


def _chosen(parts: Iterable[str], only: list[str] | None) -> list[str]:
    return [name for name in parts if only is None or name in only]


def _say(line: str) -> None:
    print(line, file=sys.stderr)


def _started(folder: Path) -> Iterator[Line]:
    _say("Starting it, and once more ...")
    with product.serve(folder) as served:
        yield Line("Start, the first", f"{short(served.start_seconds)} s")
    with product.serve(folder) as served:
        yield Line("Start, the second", f"{short(served.start_seconds)} s", "< 10 s")


if __name__ == "__main__":
    main()
