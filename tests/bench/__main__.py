"""Measures CareChat and prints the table of docs/benchmarks.md: `python -m tests.bench`."""

import argparse
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from carechat.storage import embedded
from tests.bench import (
    arrivals,
    costs,
    history,
    idle,
    latency,
    machine,
    opening,
    pages,
    product,
    replicas,
    rivals,
    screens,
    sends,
    workers,
)
from tests.bench.figures import Line, short, table
from tests.bench.plan import FULL, SHORT, Plan
from tests.bench.product import CHEAP_HASH

AGAINST_THE_REFERENCE = {
    "idle": idle.measure,
    "sends": sends.measure,
    "arrivals": arrivals.measure,
}
IN_BROWSERS = {
    "latency": latency.measure,
    "opening": opening.measure,
    "costs": costs.measure,
    "history": history.measure,
}
BY_THEMSELVES = {
    "replicas": replicas.measure,
    "workers": workers.measure,
    "pages": pages.measure,
}
"""Which serve CareChat in ways of their own."""


def main() -> None:
    """Print what was measured, on what machine, and how busy that was before and after."""
    asked = _arguments()
    before = machine.load()
    machine.open_files()
    # Beside the project and not in /tmp, which may be memory: then nothing durable would cost.
    lines: list[Line] = []
    try:
        with tempfile.TemporaryDirectory(prefix=".bench-", dir=product.PROJECT) as folder:
            lines.extend(_measured(Path(folder), _plan(asked), asked.only))
    finally:
        # Also if something failed: what was measured until then took its time.
        print(f"{machine.describe()}; load average before: {before}, after: {machine.load()}\n")
        print(table(lines))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a few of each, in a minute or two")
    names = [*AGAINST_THE_REFERENCE, *BY_THEMSELVES, *IN_BROWSERS]
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
    if _chosen(AGAINST_THE_REFERENCE | IN_BROWSERS, only):
        product.populate(folder, plan.talkers, **CHEAP_HASH)
    yield from _against_the_reference(folder, plan, only)
    for name in _chosen(BY_THEMSELVES, only):
        _say(f"Measuring {name} ...")
        yield from BY_THEMSELVES[name](folder / name, plan)
    yield from _in_browsers(folder, plan, only)


def _against_the_reference(folder: Path, plan: Plan, only: list[str] | None) -> Iterator[Line]:
    if not _chosen(AGAINST_THE_REFERENCE, only):
        return
    # One of its own: the reference need not pay for CareChat's listening to what changes.
    with (
        product.serve(folder, **CHEAP_HASH) as served,
        embedded.start(folder / "reference") as mongodb,
        rivals.facing(served, mongodb.uri, plan.talkers) as both,
    ):
        for name in _chosen(AGAINST_THE_REFERENCE, only):
            _say(f"Measuring {name} ...")
            yield from AGAINST_THE_REFERENCE[name](both, plan)


def _in_browsers(folder: Path, plan: Plan, only: list[str] | None) -> Iterator[Line]:
    if not _chosen(IN_BROWSERS, only):
        return
    with product.serve(folder, **CHEAP_HASH) as served, screens.launch() as browser:
        for name in _chosen(IN_BROWSERS, only):
            _say(f"Measuring {name} ...")
            yield from IN_BROWSERS[name](served, browser, plan)


def _chosen(parts: Iterable[str], only: list[str] | None) -> list[str]:
    return [name for name in parts if not only or name in only]


def _say(line: str) -> None:
    print(line, file=sys.stderr)


def _started(folder: Path) -> Iterator[Line]:
    _say("Starting it, and once more ...")
    fresh = {"REFLEX_WEB_WORKDIR": str(folder / "web")}
    with product.serve(folder, **fresh) as served:
        yield Line("Start, the first", f"{short(served.start_seconds)} s")
    with product.serve(folder, **fresh) as served:
        yield Line("Start, the second", f"{short(served.start_seconds)} s", "< 10 s")


if __name__ == "__main__":
    main()
