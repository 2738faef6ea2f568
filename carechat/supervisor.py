"""The workers: started on one address, watched over, replaced when they end, by one in reserve."""

import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self, cast

from carechat import liveness
from carechat.settings import Settings

# Seconds: for a worker to close its sockets, and for it to end after that.
ANNOUNCE_WAIT = 1.0
STOP_WAIT = 10.0
POLL = 0.1

SERVE = b"1"
"""What a worker waits for, loaded, until it serves."""

SPARE_WAIT = 10.0
"""Seconds after a start or a worker's end in which none is loaded in reserve: all come then."""

SPARE_LOADING = 90.0
SPARE_RETRY = 60.0
"""Seconds that it may take to load, and until the next is loaded if that came to nothing."""

# Without the second line every worker would build the pages again and not find them.
VARIABLES = {
    "REFLEX_ENV_MODE": "prod",
    "__REFLEX_SKIP_COMPILE": "true",
    "__REFLEX_MOUNT_FRONTEND_COMPILED_APP": "true",
}

Worker = subprocess.Popen[bytes]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Program:
    """What workers run: what the factory at "module:name" makes, in a folder, with variables."""

    app: str
    project: Path
    variables: Mapping[str, str]


class Workers:
    """So many workers that serve on one address for as long as this is entered."""

    def __init__(self, settings: Settings, program: Program, pulses: liveness.Pulses) -> None:
        self._settings = settings
        self._program = program
        self._pulses = pulses
        self._workers: list[Worker] = []
        self._spare: Worker | None = None
        self._spare_due = self._spare_late = 0.0
        # Each of several has a socket of its own, so that the system deals out connections evenly,
        # and none to one that has ended. The only one has ours, on which connections wait for it.
        self._shares = settings.workers > 1 and sys.platform == "linux"

    def __enter__(self) -> Self:
        self._socket = self._bound()
        self._workers = [self._serving(self._load()) for _ in range(self._settings.workers)]
        self._spare_due = time.monotonic() + SPARE_WAIT
        return self

    def __exit__(self, *_: object) -> None:
        self._announce_stop()
        if self._spare:
            self._workers.append(self._spare)
        for worker in self._workers:
            worker.terminate()
        deadline = time.monotonic() + STOP_WAIT
        for worker in self._workers:
            with contextlib.suppress(subprocess.TimeoutExpired):
                worker.wait(max(deadline - time.monotonic(), 0))
            worker.kill()
            worker.communicate()
        self._socket.close()

    def ended(self) -> list[Worker]:
        """Return those that have ended by themselves."""
        return [worker for worker in self._workers if worker.poll() is not None]

    def replace(self, ended: Worker) -> Worker:
        """Let another serve in its place, the one in reserve if there is one, and return it."""
        self._drop_dead_spare()
        spare, self._spare = self._spare, None
        self._spare_due = max(self._spare_due, time.monotonic() + SPARE_WAIT)
        worker = self._serving(spare or self._load())
        self._workers[self._workers.index(ended)] = worker
        return worker

    def keep_spare(self) -> None:
        """Load one in reserve, if there is none: to load takes longer than all else of a start.

        Nobody needs it yet: what keeps it from being loaded is logged, and it is tried again.
        """
        self._drop_dead_spare()
        now, spare = time.monotonic(), self._spare
        if spare is None and now >= self._spare_due:
            self._spare, self._spare_late = self._spare_if_any(), now + SPARE_LOADING
        elif spare and now > self._spare_late and not self._pulses.has_loaded(spare.pid):
            spare.kill()

    def _spare_if_any(self) -> Worker | None:
        try:
            return self._load()
        except OSError as error:
            kind = type(error).__name__
            logger.error("server: none can be held in reserve (%s)", kind)  # noqa: TRY400 one line
            self._spare_due = time.monotonic() + SPARE_RETRY
            return None

    def _drop_dead_spare(self) -> None:
        if self._spare and self._spare.poll() is not None:
            pid = self._spare.pid
            logger.error("server: process %d, in reserve, ended (%s)", pid, how(self._spare))
            self._spare.communicate()
            self._spare, self._spare_due = None, time.monotonic() + SPARE_RETRY

    def kill(self, pid: int) -> None:
        """End the worker with that process id at once."""
        for worker in self._workers:
            if worker.pid == pid:
                worker.kill()

    def _serving(self, worker: Worker) -> Worker:
        """Let it serve once it has loaded."""
        self._pulses.expect(worker.pid)
        # One that has ended is found by `ended`.
        with contextlib.suppress(BrokenPipeError), cast("IO[bytes]", worker.stdin) as told:
            told.write(SERVE)
        return worker

    def _load(self) -> Worker:
        own = self._bound() if self._shares else contextlib.nullcontext(self._socket)
        with own as listening:
            return self._load_on(listening.fileno())

    def _load_on(self, listening: int) -> Worker:
        arguments = [self._program.app, str(listening), str(os.getpid())]
        telling = self._pulses.descriptor
        return subprocess.Popen(  # noqa: S603 our own module, with arguments of our own
            [sys.executable, "-m", "carechat.worker", *arguments],
            cwd=self._program.project,
            env={**self._program.variables, **VARIABLES, "CARECHAT_PULSE": str(telling)},
            stdin=subprocess.PIPE,
            pass_fds=[listening, telling],
            # Ctrl-C reaches this process alone, which stops all in order.
            start_new_session=True,
        )

    def _bound(self) -> socket.socket:
        return bound(self._settings, shared=self._shares)

    def _announce_stop(self) -> None:
        """Let the workers close their sockets in order, before all connections are cut."""
        for worker in self._workers:
            worker.send_signal(signal.SIGUSR2)
        deadline = time.monotonic() + ANNOUNCE_WAIT
        while liveness.is_ready(self._settings) and time.monotonic() < deadline:
            time.sleep(POLL)


def how(ended: Worker) -> str:
    """Return in the operator's words how that worker has ended."""
    code = ended.returncode
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name


def bound(settings: Settings, *, shared: bool = False) -> socket.socket:
    """Return a socket at the address of the settings, which others may have too if it is `shared`.

    Raises `socket.gaierror` if there is no such address, and `OSError` if it is taken.
    """
    family, kind, protocol, _, place = socket.getaddrinfo(
        settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    opened = socket.socket(family, kind, protocol)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        opened.bind(place)
    except OSError:
        opened.close()
        raise
    return opened
