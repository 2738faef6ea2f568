"""Several real processes of one clinic for tests: servers with workers that can be killed."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from carechat import bootstrap, liveness, serving, settings
from carechat.api import app as api
from carechat.api import socket as door
from carechat.signals import Signals
from carechat.supervisor import Program, Workers
from tests.processes import PROJECT
from tests.serving import Server

SECONDS = 60.0
LISTEN = "0A"


def app() -> ASGIApp:
    """Return the API and what serves it; without pages, which would take a minute to build."""
    chosen = settings.load()

    @asynccontextmanager
    async def lifespan(served: FastAPI) -> AsyncGenerator[None]:
        async with bootstrap.serving(chosen) as served.state.backend:
            yield

    served = api.create([chosen.origin])
    served.router.lifespan_context = lifespan
    return _saying_who(door.beside(served, served))


def _saying_who(served: ASGIApp) -> ASGIApp:
    """Let each socket be told which process has it."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            await send(message)
            if message["type"] == "websocket.accept":
                who = json.dumps({"type": "process", "id": os.getpid()})
                await send({"type": "websocket.send", "text": who})

        await served(scope, receive, sending)

    return answer


@dataclass
class Instance:
    """A server of the clinic on a port of its own, with one worker or more."""

    server: Server
    process: subprocess.Popen[bytes]


@contextmanager
def instance(environment: dict[str, str], workers: int = 1) -> Generator[Instance]:
    """Give a server with so many workers, which answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.several"],
        cwd=PROJECT,
        env=os.environ | environment | {"CARECHAT_WORKERS": str(workers), "PORT": str(port)},
        start_new_session=True,
    )
    try:
        _until_ready(process, port, workers)
        yield Instance(Server(port), process)
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _serve() -> None:
    chosen, pulses = settings.load(), liveness.Pulses()
    program = Program("tests.several:app", PROJECT, os.environ)
    with Signals() as signals, Workers(chosen, program, pulses) as workers:
        serving.watch(workers, pulses, signals)


def _until_ready(process: subprocess.Popen[bytes], port: int, workers: int) -> None:
    deadline = time.monotonic() + SECONDS
    while not _is_ready(port) or _listening(port) < workers:
        assert process.poll() is None, "the server ended at once"
        assert time.monotonic() < deadline, "the server is not ready"
        time.sleep(0.05)


def _listening(port: int) -> int:
    """How many workers listen there, each on a socket of its own."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    places = [line.split()[1] for line in lines if line.split()[3] == LISTEN]
    return sum(place.endswith(f":{port:04X}") for place in places)


def _is_ready(port: int) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == httpx.codes.OK
    return False


if __name__ == "__main__":
    _serve()
