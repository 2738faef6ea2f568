"""Runs CareChat for its users: MongoDB, the pages and the server, and the end of all in order."""

import contextlib
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from carechat import liveness, logs, scrape, supervisor, webbuild
from carechat.settings import PROJECT, Settings
from carechat.signals import Signals
from carechat.storage import embedded, mongod

# Seconds: for the socket of a server that was killed a moment ago, for the application to answer.
PORT_WAIT = 3.0
READY_WAIT = 90.0
POLL = 0.1

logger = logging.getLogger(__name__)


MAX_FAILED = 5
"""Starts in a row that may fail after CareChat has answered once: one that dies while it loads."""


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


def _serve(
    settings: Settings,
    greeting: str,
    project: Path,
    signals: Signals,
    started: contextlib.ExitStack,
) -> None:
    _check_port(settings, signals)
    variables = {**os.environ, **supervisor.VARIABLES}
    if settings.embedded:
        variables["CARECHAT_EMBEDDED_URI"] = _start_mongodb(settings, started)
    if not signals.stop and not webbuild.is_current(project, baked(settings)):
        _say("Building the pages, once ...")
        webbuild.build(project, baked(settings), lambda: signals.stop)
    if signals.stop:
        return
    if settings.workers > 1:
        variables[scrape.FOLDER] = str(scrape.make_folder(settings.data_dir, settings.port))
    pulses = liveness.Pulses()
    started.callback(pulses.close)
    variables["CARECHAT_PULSE"] = str(pulses.descriptor)
    ready = (f"CareChat is ready: {settings.origin}", greeting, "Ctrl-C stops it.")
    answers, failed = _answers, 0
    while not signals.stop:
        with contextlib.ExitStack() as serving:
            server = supervisor.start(settings, project, variables, serving)
            if answers(settings, server, signals):
                _say(*ready)
                failed = 0
            else:
                failed += 1
            _watch(settings, server, pulses, signals)
        ready = ("CareChat is ready again.",)
        answers = _answers_again if failed < MAX_FAILED else _answers


def _watch(
    settings: Settings,
    server: subprocess.Popen[bytes],
    pulses: liveness.Pulses,
    signals: Signals,
) -> None:
    """Replace workers that hang, until a stop is asked for or the server has ended by itself.

    Its supervisor ends when a worker dies soon after another, whatever killed them. As CareChat
    has answered before, it is started again; one that never answers ends everything.
    """
    health = liveness.Health(settings)
    while not signals.stop:
        if server.poll() is not None:
            logger.error("server: ended by itself (exit code %d), starts again", server.returncode)
            return
        if health.is_lost():
            logger.error("server: does not answer, its worker is replaced")
            supervisor.replace(server, "all")
            if _answers_again(settings, server, signals):
                logger.warning("server: answers again")
        for pid in pulses.lost():
            logger.error("server: a worker does not answer, it is replaced (process %d)", pid)
            supervisor.replace(server, pid)
        signals.wait(1)


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
        if liveness.is_ready(settings):
            return True
        if time.monotonic() > deadline:
            if not liveness.answers_well(settings, "/healthz"):
                raise ServingError(f"CareChat did not answer on port {settings.port} within 90 s")
            _say(f"CareChat runs, but its database does not answer: {settings.origin}/readyz")
            return False
        signals.wait(POLL)
    return False


def _check_server(server: subprocess.Popen[bytes]) -> None:
    if server.poll() is not None:
        raise ServingError(f"The server ended by itself (exit code {server.returncode})")
