"""Runs CareChat for its users: MongoDB, the pages and the server, and the end of all in order."""

import contextlib
import http.client
import logging
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Self

from carechat import logs, scrape, webbuild
from carechat.services import watch
from carechat.settings import PROJECT, Settings
from carechat.storage import embedded, mongod

# Seconds: for the socket of a server that was killed a moment ago, for the application to
# answer, for open requests and sockets at the end, and for the supervisor after that.
PORT_WAIT = 3.0
READY_WAIT = 90.0
DRAIN = 5
STOP_WAIT = 10.0
ANNOUNCE_WAIT = 1.0
POLL = 0.1
# How long an answer may take, how often the server is asked whether it still gives any, and how
# many in a row it may leave out: one that only has much to do keeps its worker.
ANSWER_WAIT = 5.0
ASK_EVERY = 5.0
MISSES = 3
# For how many seconds one of several workers may say nothing of itself.
SILENCE = 8
ANY = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
# Without the second line every worker would build the pages again and not find them.
SERVER_VARIABLES = {
    "REFLEX_ENV_MODE": "prod",
    "__REFLEX_SKIP_COMPILE": "true",
    "__REFLEX_MOUNT_FRONTEND_COMPILED_APP": "true",
}
# The supervisor ends when this process dies. The kernel tells it of the death of each of our
# threads in turn, and two SIGTERM in a row can lock granian up: so it passes on only the first.
SUPERVISOR = f"""
import ctypes, multiprocessing, os, runpy, signal, sys
from importlib import util
from multiprocessing import connection

PR_SET_PDEATHSIG = 1
signal.signal(signal.SIGUSR2, signal.SIG_IGN)  # for the workers, of whose group this is one

os.set_blocking(sys.stdin.fileno(), False)

def replace(number, frame):
    named = set(os.read(sys.stdin.fileno(), 4096).split())
    for worker in multiprocessing.active_children():
        if b"all" in named or str(worker.pid).encode() in named:
            worker.kill()

def forked():
    # Else a worker would have this process's handlers, and hear of no stop while it loads.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)

signal.signal(signal.SIGALRM, replace)
os.register_at_fork(after_in_child=forked)

def orphaned(number, frame):
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    os.kill(os.getpid(), signal.SIGTERM)

if sys.platform == "linux":
    signal.signal(signal.SIGUSR1, orphaned)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGUSR1)

import granian.log
# By its path: what is served may be another project, such as the tests'.
spec = util.spec_from_file_location("carechat_logs", {logs.__file__!r})
logs = util.module_from_spec(spec)
spec.loader.exec_module(logs)
granian.log.LOGGING_CONFIG["formatters"]["generic"] = {{"()": logs.formatter}}
granian.log.LOGGING_CONFIG["handlers"]["console"].update(stream="ext://sys.stderr")

# Two threads of granian wait for a worker's end. The one that comes second was told that it lives,
# until the first had noted what it heard: a stop in order was logged as one by force.
from granian.server.mp import WorkerProcess
WorkerProcess.is_alive = lambda worker: not connection.wait([worker.inner.sentinel], 0)
runpy.run_module("granian", run_name="__main__", alter_sys=True)
"""

logger = logging.getLogger(__name__)


class ServingError(Exception):
    """CareChat cannot be served; the message is one line for the operator."""


def serve(settings: Settings, greeting: str = "", project: Path = PROJECT) -> int:
    """Serve until SIGINT, SIGTERM or SIGHUP, stop everything that was started, give the exit code.

    `greeting` is shown under the address once the application answers. Main thread only.
    """
    logs.write()
    with Signals() as signals, contextlib.ExitStack() as started:
        try:
            _serve(settings, greeting, project, signals, started)
        except (ServingError, mongod.EmbeddedError, webbuild.BuildError) as error:
            started.close()
            sys.stderr.write(f"{error}\n")
            return 1
    return 0


def baked(settings: Settings) -> dict[str, object]:
    """The settings that end up in the pages when they are built."""
    return {
        "origin": settings.origin,
        "clinic_name": settings.clinic_name,
        "emergency": settings.emergency,
        "demo": settings.with_demo,
        "idle_minutes": settings.idle_minutes,
        "patient_idle_minutes": settings.patient_idle_minutes,
    }


class Signals:
    """While entered, asking this process to stop sets `stop`, however often it is asked."""

    def __init__(self) -> None:
        self.stop = False
        self._undo = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self._wakes, written = socket.socketpair()
        for end in (self._wakes, written):
            end.setblocking(False)
            self._undo.callback(end.close)
        before = signal.set_wakeup_fd(written.fileno(), warn_on_full_buffer=False)
        self._undo.callback(signal.set_wakeup_fd, before)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
            # Started with nohup, it goes on without its terminal.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                self._undo.callback(signal.signal, number, signal.signal(number, self._heard))
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    def wait(self, seconds: float) -> None:
        """Return after so many seconds, or as soon as a signal comes or a child ends."""
        if select.select([self._wakes], [], [], seconds)[0]:
            with contextlib.suppress(BlockingIOError):
                self._wakes.recv(4096)

    def _heard(self, number: int, _frame: FrameType | None) -> None:
        self.stop = self.stop or number != signal.SIGCHLD


class Health:
    """What is known of a server that has answered before: whether it still does."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._misses = 0
        self._due = 0.0

    def is_lost(self) -> bool:
        """Ask it, if it is time to, and say whether it has left out too many answers by now."""
        if time.monotonic() < self._due:
            return False
        hangs = _hangs(self._settings)
        self._misses = self._misses + 1 if hangs else 0
        self._due = time.monotonic() + (0 if hangs else ASK_EVERY)
        if self._misses < MISSES:
            return False
        self._misses = 0
        return True


class Pulses:
    """What workers say of themselves each second: one whose event loop hangs says nothing."""

    def __init__(self) -> None:
        self._heard, self._said = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        for end in (self._heard, self._said):
            end.setblocking(False)
        self._silent_for: dict[int, int] = {}

    @property
    def descriptor(self) -> int:
        """What workers write their process id to."""
        return self._said.fileno()

    def lost(self) -> list[int]:
        """Return the workers that live and have said nothing for too many looks; look each second.

        Looks are counted, not time: whoever stops all processes for a while stops this one too.
        """
        self._silent_for = {pid: looks + 1 for pid, looks in self._silent_for.items()}
        with contextlib.suppress(BlockingIOError):
            while True:
                self._silent_for[int(self._heard.recv(32))] = 0
        silent = [pid for pid, looks in self._silent_for.items() if looks > SILENCE]
        for pid in silent:
            del self._silent_for[pid]
        return [pid for pid in silent if _lives(pid)]

    def close(self) -> None:
        """Hear nothing any more."""
        self._heard.close()
        self._said.close()


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _serve(
    settings: Settings,
    greeting: str,
    project: Path,
    signals: Signals,
    started: contextlib.ExitStack,
) -> None:
    _check_port(settings, signals)
    variables = {**os.environ, **SERVER_VARIABLES}
    if settings.embedded:
        variables["CARECHAT_EMBEDDED_URI"] = _start_mongodb(settings, started)
    if not signals.stop and not webbuild.is_current(project, baked(settings)):
        _say("Building the pages, once ...")
        webbuild.build(project, baked(settings), lambda: signals.stop)
    if signals.stop:
        return
    if settings.workers > 1:
        variables[scrape.FOLDER] = str(scrape.make_folder(settings.data_dir, settings.port))
    pulses = Pulses()
    started.callback(pulses.close)
    variables["CARECHAT_PULSE"] = str(pulses.descriptor)
    ready = (f"CareChat is ready: {settings.origin}", greeting, "Ctrl-C stops it.")
    while not signals.stop:
        with contextlib.ExitStack() as serving:
            server = _start_server(settings, project, variables, serving)
            if _answers(settings, server, signals):
                _say(*ready)
            _watch(settings, server, pulses, signals)
        ready = ("CareChat is ready again.",)


def _watch(
    settings: Settings, server: subprocess.Popen[bytes], pulses: Pulses, signals: Signals
) -> None:
    """Replace workers that hang, until a stop is asked for or the server has ended by itself.

    Its supervisor ends when a worker dies soon after another, whatever killed them. It has
    answered before this, so it can be started again; one that never answers ends everything.
    """
    health = Health(settings)
    while not signals.stop:
        if server.poll() is not None:
            logger.error("server: ended by itself (exit code %d), starts again", server.returncode)
            return
        if health.is_lost():
            logger.error("server: does not answer, its worker is replaced")
            _replace(server, "all")
            if _answers_again(settings, server, signals):
                logger.warning("server: answers again")
        for pid in pulses.lost():
            logger.error("server: a worker does not answer, it is replaced (process %d)", pid)
            _replace(server, pid)
        signals.wait(1)


def _replace(server: subprocess.Popen[bytes], worker: object) -> None:
    """Let the supervisor end that worker, or "all", and start another."""
    if server.stdin:
        server.stdin.write(f"{worker}\n".encode())
        server.stdin.flush()
        server.send_signal(signal.SIGALRM)


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines if line))
    sys.stdout.flush()


def _check_port(settings: Settings, signals: Signals) -> None:
    deadline = time.monotonic() + PORT_WAIT
    while not _is_free(settings.host, settings.port):
        if settings.embedded and (pid := embedded.holder(settings.data_dir)):
            raise embedded.held(settings.data_dir, pid)
        if signals.stop or time.monotonic() > deadline:
            raise ServingError(
                f"PORT {settings.port} on {settings.host} is used by another program: "
                "stop that one first, or set another PORT"
            )
        signals.wait(POLL)


def _is_free(host: str, port: int) -> bool:
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise ServingError(f"CARECHAT_HOST is {host!r}: must be an address to listen on") from error
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(place)
        except PermissionError as error:
            raise ServingError(f"PORT {port} may not be used by this user: {error}") from error
        except OSError:
            return False
    return True


def _start_mongodb(settings: Settings, started: contextlib.ExitStack) -> str:
    if pid := embedded.holder(settings.data_dir):
        raise embedded.held(settings.data_dir, pid)
    _say(
        f"Starting CareChat's own MongoDB in {settings.data_dir} "
        "(for the demo, development and small clinics) ..."
    )
    database = started.enter_context(embedded.start(settings.data_dir))
    threading.Thread(target=database.watch, daemon=True).start()
    return database.uri


def _start_server(
    settings: Settings, project: Path, variables: dict[str, str], started: contextlib.ExitStack
) -> subprocess.Popen[bytes]:
    options = {
        "--interface": "asgi",
        "--host": settings.host,
        "--port": settings.port,
        "--workers": settings.workers,
        "--workers-kill-timeout": DRAIN,
        "--log-level": "warning",
    }
    listed = [str(part) for option in options.items() for part in option]
    flags = ["--factory", "--respawn-failed-workers", "--no-access-log"]
    command = [sys.executable, "-c", SUPERVISOR, *listed, *flags, "carechat.carechat:app"]
    server = subprocess.Popen(  # noqa: S603
        command,
        cwd=project,
        env=variables,
        stdin=subprocess.PIPE,
        pass_fds=[int(variables["CARECHAT_PULSE"])],
        # Ctrl-C reaches us alone, and what a killed supervisor leaves has one group to end.
        start_new_session=True,
    )
    started.callback(_stop_server, server)
    started.callback(_announce_stop, settings, server)
    return server


def _announce_stop(settings: Settings, server: subprocess.Popen[bytes]) -> None:
    """Let the workers close their sockets in order, before the server cuts all connections."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGUSR2)
    deadline = time.monotonic() + ANNOUNCE_WAIT
    while _is_ready(settings) and time.monotonic() < deadline:
        time.sleep(POLL)


def _stop_server(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        server.wait(STOP_WAIT)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    server.wait()
    if server.stdin:
        server.stdin.close()


def _answers_again(settings: Settings, server: subprocess.Popen[bytes], signals: Signals) -> bool:
    """As `_answers`, of one that has answered before: it may end now and be started again."""
    try:
        return _answers(settings, server, signals)
    except ServingError:
        if server.poll() is None:
            raise
        return False


def _answers(settings: Settings, server: subprocess.Popen[bytes], signals: Signals) -> bool:
    deadline = time.monotonic() + READY_WAIT
    while not signals.stop:
        _check_server(server)
        if _is_ready(settings):
            return True
        if time.monotonic() > deadline:
            if not _answers_well(settings, "/healthz"):
                raise ServingError(f"CareChat did not answer on port {settings.port} within 90 s")
            _say(f"CareChat runs, but its database does not answer: {settings.origin}/readyz")
            return False
        signals.wait(POLL)
    return False


def _check_server(server: subprocess.Popen[bytes]) -> None:
    if server.poll() is not None:
        raise ServingError(f"The server ended by itself (exit code {server.returncode})")


def _answers_well(settings: Settings, path: str) -> bool:
    try:
        return _get(settings, path)[0] == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False


def _is_ready(settings: Settings) -> bool:
    """Whether people can be served, be it more slowly because Redis is away."""
    try:
        status, body = _get(settings, "/readyz")
    except (OSError, http.client.HTTPException):
        return False
    return status == http.HTTPStatus.OK or watch.REDIS_AWAY.encode() in body


def _hangs(settings: Settings) -> bool:
    """Whether it takes questions and answers none; where a worker only starts, nobody takes any."""
    try:
        _get(settings, "/healthz")
    except TimeoutError:
        return True
    except (OSError, http.client.HTTPException):
        return False
    return False


def _get(settings: Settings, path: str) -> tuple[int, bytes]:
    host = ANY.get(settings.host, settings.host)
    connection = http.client.HTTPConnection(host, settings.port, timeout=ANSWER_WAIT)
    try:
        connection.request("GET", path, headers={"Host": f"localhost:{settings.port}"})
        answer = connection.getresponse()
        return answer.status, answer.read(4096)
    finally:
        connection.close()
