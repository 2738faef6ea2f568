"""Fails if too few branches of a room below the pages were taken by the tests that just ran."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOMS = ("domain", "security", "storage", "services", "api")
NEEDED = 90
"""Percent of the branches of each room."""


def _branches() -> tuple[Counter[str], Counter[str]]:
    command = [sys.executable, "-m", "coverage", "json", "-q", "-o", "-"]
    report = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    if not report["meta"]["branch_coverage"]:
        sys.exit("The tests that just ran have used nothing of the rooms.")
    taken: Counter[str] = Counter()
    there: Counter[str] = Counter()
    for name, file in report["files"].items():
        room = Path(name).parts[1]
        taken[room] += file["summary"]["covered_branches"]
        there[room] += file["summary"]["num_branches"]
    return taken, there


def main() -> int:
    """Exit code 0, without a word, means that every room has enough."""
    taken, there = _branches()
    short = [room for room in ROOMS if 100 * taken[room] < NEEDED * there[room]]
    for room in short:
        percent = 100 * taken[room] / there[room]
        print(f"Branches of {room} taken: {percent:.0f} %, needed: {NEEDED} %", file=sys.stderr)
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
