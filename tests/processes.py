"""The product in processes of its own: the environment that it is started in, and who they are."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from carechat import worker

PROJECT = Path(__file__).parents[1]

STOP_SECONDS = 30.0
SPARE_SECONDS = 60.0
POLL_SECONDS = 0.1


def environment(data_dir: Path, port: int, pages: str, **variables: str) -> dict[str, str]:
    """Return that of the caller, but for what would let it be another database or address.

    Pages are built in the folder of that name, once, and again when their sources have changed.
    """
    return {
        **os.environ,
        "MONGODB_URI": "",
        "REDIS_URL": "",
        "CARECHAT_WORKERS": "",
        "CARECHAT_PUBLIC_URL": "",
        "CARECHAT_DATA_DIR": str(data_dir),
        "PORT": str(port),
        "REFLEX_WEB_WORKDIR": pages,
        **variables,
    }


@contextmanager
def serving(environment: Mapping[str, str]) -> Generator[subprocess.Popen[str]]:
    """Give the process of a server that says that it is ready, and stop it in order."""
    with subprocess.Popen(
        [sys.executable, "-m", "carechat", "serve"],
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout
        try:
            assert any("is ready" in line for line in server.stdout), "the server did not start"
            yield server
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(STOP_SECONDS)


def workers(pid: int, name: str = "") -> list[int]:
    """Return the workers that this process has started, or those alone that have that name."""
    found: list[int] = []
    for listed in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):
            found += [int(child) for child in listed.read_text().split()]
    # The command of one that has ended is empty.
    found = [child for child in found if "carechat.worker" in _told(child, "cmdline")]
    return [child for child in found if name in {"", _told(child, "comm").strip()}]


def await_spare(pid: int) -> None:
    """Wait until one of them waits in reserve, as from ten seconds after a start on; blocks."""
    deadline = time.monotonic() + SPARE_SECONDS
    while not workers(pid, worker.SPARE):
        assert time.monotonic() < deadline, "none is held in reserve"
        time.sleep(POLL_SECONDS)


def _told(pid: int, what: str) -> str:
    try:
        return Path(f"/proc/{pid}/{what}").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
