"""Measures CareChat and prints the table of docs/benchmarks.md: `python -m tests.bench`."""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench import costs, history, latency, machine, opening, pages, product, screens
from tests.bench.figures import Line, short, table
from tests.bench.plan import FULL, SHORT, Plan

PARTS = {
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
        lines = list(_measured(Path(folder), SHORT if asked.short else FULL, asked.only))
    print(f"{machine.describe()}; load average before: {before}, after: {machine.load()}\n")
    print(table(lines))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a few of each, in a minute or two")
    parser.add_argument("--only", action="append", choices=PARTS, help="these measurements alone")
    return parser.parse_args()


def _measured(folder: Path, plan: Plan, only: list[str] | None) -> Iterator[Line]:
    yield from _started(folder)
    with product.serve(folder, **CHEAP_HASH) as served, screens.launch() as browser:
        for name in only or PARTS:
            print(f"Measuring {name} ...", file=sys.stderr)
            yield from PARTS[name](served, browser, plan)


def _started(folder: Path) -> Iterator[Line]:
    print("Starting it, and once more ...", file=sys.stderr)
    with product.serve(folder) as served:
        yield Line("Start, the first", f"{short(served.start_seconds)} s")
    with product.serve(folder) as served:
        yield Line("Start, the second", f"{short(served.start_seconds)} s", "< 10 s")
        product.populate(folder, **CHEAP_HASH)


if __name__ == "__main__":
    main()
