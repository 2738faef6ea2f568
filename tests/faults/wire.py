"""A WebSocket of a program, lean enough for thousands of them beside the server they talk to."""

import asyncio
import base64
import os
import socket
from collections.abc import Callable
from typing import Any, cast

import orjson

CONNECT_SECONDS = 15.0
TEXT, CLOSE, PING, PONG = 0x81, 0x88, 0x89, 0x8A
OPENED = 101
NO_CODE = 1006
MASKED = 0x80
NO_MASK = bytes(4)
"""A client has to mask what it sends; with this mask it stays as it is."""

NARROW = 4096

Frame = dict[str, Any]


class RefusedError(Exception):
    """The server answered the handshake with another HTTP status than 101."""


class Wire(asyncio.Protocol):
    """One connection: `on_frame` is called with every frame, `closed` comes true with the code."""

    def __init__(self, on_frame: Callable[[Frame], None]) -> None:
        loop = asyncio.get_running_loop()
        self._on_frame = on_frame
        self._buffer = bytearray()
        self._code = NO_CODE
        self.opened: asyncio.Future[int] = loop.create_future()
        self.closed: asyncio.Future[int] = loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what is written to."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let everybody know who waits."""
        if not self.opened.done():
            self.opened.set_exception(ConnectionResetError())
        if not self.closed.done():
            self.closed.set_result(self._code)

    def data_received(self, data: bytes) -> None:
        """Take frames as far as they are complete."""
        self._buffer += data
        if not self.opened.done():
            self._take_head()
        if self.opened.done() and self.opened.result() == OPENED:
            self._take_frames()

    def send(self, frame: Frame) -> None:
        """Send a frame; it goes nowhere if the connection is gone."""
        self._write(TEXT, orjson.dumps(frame))

    def ask(self, path: str, port: int, token: str) -> None:
        """Ask for the socket."""
        key = base64.b64encode(os.urandom(16)).decode()
        self._transport.write(
            f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            f"Authorization: Bearer {token}\r\n\r\n".encode()
        )

    def fall_silent(self) -> int:
        """Read nothing more; returns the own port, by which the system knows the connection."""
        self._transport.pause_reading()
        return int(self._transport.get_extra_info("sockname")[1])

    def abort(self) -> None:
        """Drop the connection."""
        self._transport.abort()

    def _take_head(self) -> None:
        end = self._buffer.find(b"\r\n\r\n")
        if end >= 0:
            self.opened.set_result(int(self._buffer[9:12]))
            del self._buffer[: end + 4]

    def _take_frames(self) -> None:
        buffer, at, size = self._buffer, 0, len(self._buffer)
        while size - at >= 2:
            start, length = at + 2, buffer[at + 1]
            if length > 125:
                start += 2 if length == 126 else 8
                length = int.from_bytes(buffer[at + 2 : start]) if size >= start else size
            if size < start + length:
                break
            self._take(buffer[at], bytes(buffer[start : start + length]))
            at = start + length
        del buffer[:at]

    def _take(self, kind: int, payload: bytes) -> None:
        if kind == TEXT:
            self._on_frame(orjson.loads(payload))
        elif kind == PING:
            self._write(PONG, payload)
        elif kind == CLOSE:
            self._code = int.from_bytes(payload[:2]) if payload else NO_CODE
            self._transport.close()
        else:
            raise AssertionError(f"a frame of kind {kind:#x}")

    def _write(self, kind: int, payload: bytes) -> None:
        if self._transport.is_closing():
            return
        length = len(payload)
        if length < 126:
            head = bytes((kind, MASKED | length))
        else:
            head = bytes((kind, MASKED | 126)) + length.to_bytes(2)
        self._transport.write(head + NO_MASK + payload)


async def connect(
    port: int, email: str, token: str, on_frame: Callable[[Frame], None], *, narrow: bool = False
) -> Wire:
    """Return an open socket of that person; raises `OSError`, `TimeoutError` or `RefusedError`.

    A `narrow` one has next to no room in the system for what it does not read.
    """
    place = socket.socket()
    place.setblocking(False)
    if narrow:
        place.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, NARROW)
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            await loop.sock_connect(place, ("127.0.0.1", port))
            _, wire = await loop.create_connection(lambda: Wire(on_frame), sock=place)
            wire.ask(f"/ws/{email}", port, token)
            status = await wire.opened
    except BaseException:
        place.close()
        raise
    if status != OPENED:
        wire.abort()
        raise RefusedError(str(status))
    return wire
