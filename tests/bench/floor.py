"""What Reflex itself costs: `python -m tests.bench.floor` prints ms of processor time per page.

An application of one page and one variable, served as CareChat is; its pages are sockets without a
browser. A chat page that gets a message and marks it as read needs two deltas and one event.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator

import httpx
from reflex.constants import Reflex
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from carechat import supervisor
from tests.bench import floor_app, machine
from tests.bench.figures import Line, short, table
from tests.bench.product import PROJECT

PORT = int(os.environ.get("CARECHAT_BENCH_PORT", "8231"))
URL = f"http://localhost:{PORT}"
STATE = "reflex___state____state.tests___bench___floor_app____floor"
FEW, PAGES, TICKS = 3, 20, 40
PAUSE_SECONDS = 0.25
SETTLE_SECONDS = 1.0
SECONDS = 30.0


def main() -> None:
    """Print what a delta and an event cost."""
    with _served() as pid:
        lines = [
            Line("One delta", f"{short(_cost(pid, deltas=1, reads=False))} ms"),
            Line("Two deltas", f"{short(_cost(pid, deltas=2, reads=False))} ms"),
            Line("Two deltas and an event", f"{short(_cost(pid, deltas=2, reads=True))} ms"),
        ]
    print(f"{machine.describe()}; load average: {machine.load()}\n\n{table(lines)}")


@contextlib.contextmanager
def _served() -> Iterator[int]:
    unmounted = {"__REFLEX_MOUNT_FRONTEND_COMPILED_APP": "false", "PORT": str(PORT)}
    command = ["uvicorn", "--factory", "--port", str(PORT), "--log-level", "warning"]
    with subprocess.Popen(
        [sys.executable, "-m", *command, "tests.bench.floor_app:app"],
        cwd=PROJECT,
        env=os.environ | supervisor.VARIABLES | unmounted,
    ) as server:
        try:
            _until_it_answers()
            yield server.pid
        finally:
            server.terminate()


def _until_it_answers() -> None:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.HTTPError):
            httpx.get(f"{URL}/ping")
            return
        time.sleep(0.1)
    raise TimeoutError


def _cost(pid: int, deltas: int, reads: bool) -> float:
    few, many = (_work(pid, pages, deltas, reads) for pages in (FEW, FEW + PAGES))
    return (many - few) / PAGES


def _work(pid: int, pages: int, deltas: int, reads: bool) -> float:
    """The processor time (ms) of the server for each tick."""
    with contextlib.ExitStack() as opened:
        for _ in range(pages):
            socket = opened.enter_context(_page())
            threading.Thread(target=_answer, args=(socket, deltas if reads else 0)).start()
        time.sleep(SETTLE_SECONDS)
        before = _busy(pid)
        for number in range(TICKS * deltas):
            _tick(number)
            time.sleep(PAUSE_SECONDS / deltas)
        spent = _busy(pid) - before
        assert _tick(floor_app.END) == pages
    time.sleep(SETTLE_SECONDS)
    return 1_000 * spent / TICKS


def _tick(number: int) -> int:
    return httpx.post(f"{URL}/tick/{number}").json()


def _busy(pid: int) -> float:
    return machine.busy([pid, *(one for one, _ in machine.offspring(pid))])


@contextlib.contextmanager
def _page() -> Iterator[ClientConnection]:
    query = httpx.QueryParams(token=str(uuid.uuid4()), EIO="4", transport="websocket")
    with connect(
        f"{URL.replace('http', 'ws')}/_event/?{query}",
        origin=Origin(URL),
        subprotocols=[Subprotocol(Reflex.VERSION)],
        compression=None,
    ) as socket:
        socket.recv(timeout=SECONDS)
        socket.send("40/_event,")
        socket.recv(timeout=SECONDS)
        _say(socket, "listen")
        yield socket


def _answer(socket: ClientConnection, every: int) -> None:
    """Answer pings, and say after so many deltas that the last was read; never if 0."""
    shown = 0
    with contextlib.suppress(ConnectionClosed):
        for frame in socket:
            if frame == "2":
                socket.send("3")
            elif "number" in str(frame):
                shown += 1
                if every and shown % every == 0:
                    _say(socket, "read", number=shown)


def _say(socket: ClientConnection, event: str, **payload: int) -> None:
    place = {"pathname": "/", "asPath": "/", "query": dict[str, str]()}
    said = {"name": f"{STATE}.{event}", "payload": payload, "router_data": place}
    socket.send(f"42/_event,{json.dumps(['event', said])}")


if __name__ == "__main__":
    main()
