"""Breaks CareChat on purpose and prints what was lost: `python -m tests.faults`."""

import argparse
import asyncio
import resource
import signal
import sys
import tempfile
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop

from tests.bench import machine
from tests.faults import crowds, databases, figures, servers, surroundings
from tests.faults.figures import Line
from tests.faults.plan import FULL, SHORT, Plan
from tests.faults.product import PROJECT

SCENARIOS: dict[str, Callable[[Path, Plan], Awaitable[Line]]] = {
    "r1": servers.killed,
    "r2": databases.killed,
    "r3": databases.primary_killed,
    "r4": databases.primary_stopped,
    "r5": crowds.repeated,
    "r6": crowds.crowded,
    "r7": crowds.deaf,
    "r8": servers.come_back,
    "r9-redis": surroundings.redis_gone,
    "r9-disk": surroundings.disk_full,
    "r9-clock": surroundings.clock_set,
}
DESCRIPTORS = 10_000
"""For thousands of sockets, here and in the server, which inherits it."""

LOG_LINES = 30


def main() -> int:
    """Print what was broken and what it came to; the exit code says whether anything was lost."""
    asked = _arguments()
    _allow_many_sockets()
    # So that a stop from outside is one in order, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    plan = SHORT if asked.short else FULL
    before = machine.load()
    print(figures.HEAD, flush=True)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        wrong = [runner.run(_broken(name, plan)) for name in _wanted(asked.only)]
    print(f"\n{machine.describe()}; load average before: {before}, after: {machine.load()}")
    return 1 if any(wrong) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a few of each, in some minutes")
    parser.add_argument(
        "--only", action="append", choices=[*SCENARIOS, "r9"], help="these alone; r9 is three"
    )
    return parser.parse_args()


def _wanted(only: list[str] | None) -> list[str]:
    return [name for name in SCENARIOS if not only or {name, name.partition("-")[0]} & {*only}]


def _allow_many_sockets() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < DESCRIPTORS:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(DESCRIPTORS, hard), hard))


async def _broken(name: str, plan: Plan) -> bool:
    """Print the scenario's line, and what is wrong; returns whether anything is."""
    # Beside the project and not in /tmp, which may be memory: then nothing durable would cost.
    with tempfile.TemporaryDirectory(prefix=".faults-", dir=PROJECT) as folder:
        try:
            line = await SCENARIOS[name](Path(folder) / "run", plan)
        except Exception:
            # The others are still worth knowing, and what the server said is gone in a moment.
            traceback.print_exc()
            _show_logs(Path(folder))
            print(f"| **{name.upper()}** | did not come to its end |", flush=True)
            return True
    print(line, flush=True)
    for example in line.damage.examples:
        print(f"{name}: {example}", file=sys.stderr)
    return bool(line.damage)


def _show_logs(folder: Path) -> None:
    for log in folder.rglob("server.log"):
        lines = log.read_text(errors="replace").splitlines()[-LOG_LINES:]
        print(f"{log.name}:", *lines, sep="\n  ", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
