"""Runs CareChat for its users: MongoDB, the pages and the workers, and the end of all in order."""

import contextlib
import logging
import os
import socket
import sys
import threading
import time
from pathlib import Path

from carechat import liveness, logs, scrape, webbuild
from carechat.settings import PROJECT, Settings
from carechat.signals import Signals
from carechat.storage import data_directory, embedded, mongod
from carechat.supervisor import Program, Workers, bound, how

APP = "carechat.carechat:app"

# Seconds: for the socket of a server that was killed a moment ago, for the application to answer.
PORT_WAIT = 3.0
READY_WAIT = 90.0
POLL = 0.1

MAX_FAILED = 5
"""Workers in a row that may end before they serve, once others have served."""

logger = logging.getLogger(__name__)


class ServingError(Exception):
    """CareChat cannot be served; the message is one line for the operator."""


def serve(settings: Settings, greeting: str = "", project: Path = PROJECT, app: str = APP) -> int:
    """Serve until SIGINT, SIGTERM or SIGHUP, stop everything that was started, give the exit code.

    `greeting` is shown under the address once the application answers; a factory at "module:name"
    in the project's folder makes the application. Main thread only.
    """
    logs.write()
    with Signals() as signals, contextlib.ExitStack() as started:
        try:
            variables = _prepare(settings, project, signals, started)
            if not signals.stop:
                _serve(settings, greeting, Program(app, project, variables), signals, started)
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


def _prepare(
    settings: Settings, project: Path, signals: Signals, started: contextlib.ExitStack
) -> dict[str, str]:
    """Start MongoDB and build the pages; returns the environment for the workers."""
    _check_port(settings, signals)
    variables = dict(os.environ)
    if settings.embedded:
        variables["CARECHAT_EMBEDDED_URI"] = _start_mongodb(settings, started)
    if not signals.stop and not webbuild.is_current(project, baked(settings)):
        _say("Building the pages, once ...")
        webbuild.build(project, baked(settings), lambda: signals.stop)
    if settings.workers > 1:
        variables[scrape.FOLDER] = str(scrape.make_folder(settings.data_dir, settings.port))
    return variables


def _serve(
    settings: Settings,
    greeting: str,
    program: Program,
    signals: Signals,
    started: contextlib.ExitStack,
) -> None:
    pulses = liveness.Pulses()
    started.callback(pulses.close)
    workers = started.enter_context(Workers(settings, program, pulses))
    if _answers(settings, workers, signals):
        _say(f"CareChat is ready: {settings.origin}", greeting, "Ctrl-C stops it.")
    watch(workers, pulses, signals)


def watch(workers: Workers, pulses: liveness.Pulses, signals: Signals) -> None:
    """Replace workers that end or hang, by the one in reserve, until a stop is asked for.

    Raises `ServingError` when none gets as far as serving any more.
    """
    awaited: set[int] = set()
    failed = 0
    while not signals.stop:
        for pid in pulses.lost():
            logger.error("server: process %d does not answer, it is replaced", pid)
            workers.kill(pid)
        for pid in {one for one in awaited if pulses.has_told(one)}:
            logger.warning("server: process %d serves", pid)
            awaited.remove(pid)
            failed = 0
        for ended in workers.ended():
            awaited.discard(ended.pid)
            failed += not pulses.has_told(ended.pid)
            if failed > MAX_FAILED:
                raise ServingError(f"The server ends again and again ({how(ended)})")
            logger.error("server: process %d ended (%s), starts again", ended.pid, how(ended))
            awaited.add(workers.replace(ended).pid)
        workers.keep_spare()
        signals.wait(1)


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines if line))
    sys.stdout.flush()


def _check_port(settings: Settings, signals: Signals) -> None:
    deadline = time.monotonic() + PORT_WAIT
    while not _is_free(settings):
        if settings.embedded and (pid := data_directory.holder(settings.data_dir)):
            raise data_directory.held(settings.data_dir, pid)
        if signals.stop or time.monotonic() > deadline:
            raise ServingError(
                f"PORT {settings.port} on {settings.host} is used by another program: "
                "stop that one first, or set another, as in PORT=8001 make run"
            )
        signals.wait(POLL)


def _is_free(settings: Settings) -> bool:
    try:
        bound(settings).close()
    except socket.gaierror as error:
        raise ServingError(
            f"CARECHAT_HOST is {settings.host!r}: must be an address to listen on"
        ) from error
    except PermissionError as error:
        raise ServingError(f"PORT {settings.port} may not be used by this user: {error}") from error
    except OSError:
        return False
    return True


def _start_mongodb(settings: Settings, started: contextlib.ExitStack) -> str:
    if pid := data_directory.holder(settings.data_dir):
        raise data_directory.held(settings.data_dir, pid)
    _say(
        f"Starting CareChat's own MongoDB in {settings.data_dir} "
        "(for the demo, development and small clinics) ..."
    )
    database = started.enter_context(embedded.start(settings.data_dir))
    threading.Thread(target=database.watch, daemon=True).start()
    return database.uri


def _answers(settings: Settings, workers: Workers, signals: Signals) -> bool:
    """Wait until people can be served; returns whether they can, for the database may be away."""
    deadline = time.monotonic() + READY_WAIT
    while not signals.stop:
        for ended in workers.ended():
            raise ServingError(f"The server ended by itself ({how(ended)})")
        if liveness.is_ready(settings):
            return True
        if time.monotonic() > deadline:
            if not liveness.answers_well(settings, "/healthz"):
                raise ServingError(f"CareChat did not answer on port {settings.port} within 90 s")
            _say(f"CareChat runs, but its database does not answer: {settings.origin}/readyz")
            return False
        signals.wait(POLL)
    return False
