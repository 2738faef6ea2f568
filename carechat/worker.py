"""One worker: loads the app, and serves it with uvicorn on a socket from when it is told to."""

import asyncio
import ctypes
import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any, cast

import uvicorn
from h11 import IDLE
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

HEAD_SECONDS = 30
"""How long the head of a request may take to come, from its first byte."""

HEAD_BYTES = 64 * 1024

MAX_FRAME_BYTES = 1024 * 1024
"""Of a socket of a page; `api.socket` lets in less."""

BACKLOG = 4096
"""Connections that wait to be accepted, as when all come back after a worker's end."""

CLOSE_SECONDS = 2
"""How long a client may take to close a socket that is over; then the connection is dropped."""

DRAIN_SECONDS = 5
"""For open requests and sockets at the end."""

WRITE = "carechat.write"
"""The ASGI extension of a socket: writes a text frame at once, or returns that it cannot now."""

LOADED = b" loaded"
"""What it says after its process id, over the pipe of its signs of life, before it serves."""

SERVES = "carechat"
SPARE = "carechat-spare"
"""What `top` and `ps -eo comm` call a worker that serves, and one that has loaded and waits."""

PR_SET_PDEATHSIG = 1


class _Http(H11Protocol):
    """HTTP/1.1 that does not wait for ever for the head of a request."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is not IDLE:
            self._expect_nothing()
        elif self._late is None:
            self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect_nothing()
        super().connection_lost(exc)

    def _expect_head(self) -> None:
        self._late = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    def _expect_nothing(self) -> None:
        if self._late:
            self._late.cancel()
            self._late = None


class _WebSocket(WebSocketsSansIOProtocol):
    """A WebSocket to which can be written without waiting, and whose connection ends with it."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.close_timeout = CLOSE_SECONDS

    async def run_asgi(self) -> None:
        cast("dict[str, Any]", self.scope)["extensions"][WRITE] = self.write
        await super().run_asgi()
        # What still waits to be written would keep a transport that is only closed.
        self.loop.call_later(2 * CLOSE_SECONDS, self.transport.abort)

    async def send(self, message: Any) -> None:
        await super().send(message)
        # To be refused with an answer is one end of a handshake; the server would log an error.
        self.handshake_complete |= self.initial_response is not None

    def write(self, text: str) -> bool:
        """Write that text as a frame, if the client has taken most of what was written before.

        Returns whether it was written; else `send` is to be awaited with it.
        """
        if not self.writable.is_set() or self.close_sent or self.transport.is_closing():
            return False
        self.conn.send_text(text.encode())
        self.transport.write(b"".join(self.conn.data_to_send()))
        return True


def server(app: Any, *, factory: bool = False) -> uvicorn.Server:
    """Return a server for that ASGI app, or for what a factory at "module:name" makes."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            factory=factory,
            http=_Http,
            ws=_WebSocket,
            h11_max_incomplete_event_size=HEAD_BYTES,
            ws_max_size=MAX_FRAME_BYTES,
            # It would cost 40 KB a socket, and what is compressed beside a secret tells of it.
            ws_per_message_deflate=False,
            backlog=BACKLOG,
            timeout_graceful_shutdown=DRAIN_SECONDS,
            # The guard knows which proxies are trusted.
            proxy_headers=False,
            server_header=False,
            access_log=False,
            log_config=None,
            log_level="warning",
        )
    )


def _die_with(parent: int) -> None:
    """End in order when that process has ended, which has started this one."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit(0)


def _stop(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


def _tell_loaded() -> None:
    with suppress(OSError):  # `serve` has much to do, or is ending
        os.write(int(os.environ["CARECHAT_PULSE"]), str(os.getpid()).encode() + LOADED)


def _be_called(name: str) -> None:
    # Where the system does not let it, nothing but the name is missing.
    with suppress(OSError):
        Path("/proc/self/comm").write_text(name)


def main(app: str, descriptor: str, parent: str) -> None:
    """Load what the factory makes, and serve it on the bound socket once stdin says so."""
    # While it loads, and when it has served: uvicorn raises at its end what it was stopped with.
    signal.signal(signal.SIGTERM, _stop)
    _die_with(int(parent))
    sys.path.insert(0, os.getcwd())
    loaded = server(app, factory=True)
    loaded.config.load()
    _tell_loaded()
    _be_called(SPARE)
    if sys.stdin.buffer.read(1):
        _be_called(SERVES)
        loaded.run(sockets=[socket.socket(fileno=int(descriptor))])


if __name__ == "__main__":
    main(*sys.argv[1:])
