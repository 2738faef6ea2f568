"""What the measurements were made on, and what else it had to do meanwhile."""

import os
import platform
import resource
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PAGE_SIZE = os.sysconf("SC_PAGE_SIZE")
PROC = Path("/proc")


def describe() -> str:
    """Return date, size and software of this machine, as one line."""
    memory = PAGE_SIZE * os.sysconf("SC_PHYS_PAGES") / 2**30
    today = datetime.now(UTC).date().isoformat()
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"{today}, {os.cpu_count()} cores, {memory:.0f} GB of memory, {system}"


def load() -> str:
    """Return how many processes wanted a core on average over the last 1, 5 and 15 minutes."""
    return " ".join(f"{average:.2f}" for average in os.getloadavg())


def memory(pids: list[int]) -> int:
    """Return the bytes that those processes have resident."""
    return PAGE_SIZE * sum(int((PROC / str(pid) / "statm").read_text().split()[1]) for pid in pids)


def busy(pids: list[int]) -> float:
    """Return the seconds of processor time that those processes have used."""
    return sum(int(word) for pid in pids for word in _stat(pid)[11:13]) / TICKS


def offspring(pid: int) -> Iterator[tuple[int, str]]:
    """Give every process that descends from that one, each with the name of its program."""
    for folder in PROC.glob("[0-9]*"):
        child = int(folder.name)
        try:
            is_child = int(_stat(child)[1]) == pid
            name = (folder / "comm").read_text().strip()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if is_child:
            yield child, name
            yield from offspring(child)


def mongods() -> list[int]:
    """Return every MongoDB that runs below this process."""
    return [pid for pid, name in offspring(os.getpid()) if name.startswith("mongod")]


def open_files() -> None:
    """Let this process, and those that it starts, have as many files and sockets as they may."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _stat(pid: int) -> list[str]:
    """The fields from the third on: the second is a name that may hold anything."""
    return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
