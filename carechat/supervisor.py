"""The server, granian, and how it is started, watched over, told to replace a worker, and ended."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from carechat import liveness, logs
from carechat.settings import Settings

# Seconds: for open requests and sockets at the end, and for the supervisor after that.
DRAIN = 5
STOP_WAIT = 10.0
ANNOUNCE_WAIT = 1.0
POLL = 0.1
# Without the second line every worker would build the pages again and not find them.
VARIABLES = {
    "REFLEX_ENV_MODE": "prod",
    "__REFLEX_SKIP_COMPILE": "true",
    "__REFLEX_MOUNT_FRONTEND_COMPILED_APP": "true",
}
# The supervisor ends when this process dies. The kernel tells it of the death of each of our
# threads in turn, and two SIGTERM in a row can lock granian up: so it passes on only the first.
PROGRAM = f"""
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


def start(
    settings: Settings, project: Path, variables: dict[str, str], started: contextlib.ExitStack
) -> subprocess.Popen[bytes]:
    """Start it with those variables; it is ended, in order, with what was `started`."""
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
    command = [sys.executable, "-c", PROGRAM, *listed, *flags, "carechat.carechat:app"]
    server = subprocess.Popen(  # noqa: S603
        command,
        cwd=project,
        env=variables,
        stdin=subprocess.PIPE,
        pass_fds=[int(variables["CARECHAT_PULSE"])],
        # Ctrl-C reaches us alone, and what a killed supervisor leaves has one group to end.
        start_new_session=True,
    )
    started.callback(_stop, server)
    started.callback(_announce_stop, settings, server)
    return server


def replace(server: subprocess.Popen[bytes], worker: object) -> None:
    """Let the supervisor end that worker, or "all", and start another."""
    if server.stdin:
        server.stdin.write(f"{worker}\n".encode())
        server.stdin.flush()
        server.send_signal(signal.SIGALRM)


def _announce_stop(settings: Settings, server: subprocess.Popen[bytes]) -> None:
    """Let the workers close their sockets in order, before the server cuts all connections."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGUSR2)
    deadline = time.monotonic() + ANNOUNCE_WAIT
    while liveness.is_ready(settings) and time.monotonic() < deadline:
        time.sleep(POLL)


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        server.wait(STOP_WAIT)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    server.wait()
    if server.stdin:
        server.stdin.close()
