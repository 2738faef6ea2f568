"""WebSockets as cheap as Python has them, so that the load weighs little beside the servers.

Of RFC 6455 there is just what a load client needs: whole text frames of less than 64 KiB, pings
answered, the code of a close.
"""

import asyncio
import base64
import os
import socket
from collections.abc import Callable
from typing import cast

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
FINAL = MASKED = 0x80
OPCODE = 0x0F
MEDIUM = 126
"""A size from here on stands in two bytes more, or in eight."""

NO_MASK = bytes(4)
"""Servers take this mask off like any other, and putting it on costs nothing."""

OFFER = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"
SWITCHING = b"HTTP/1.1 101 "

NO_CODE = 1006
"""What a connection ends with that is cut without a word."""

NARROW = 4096
Heard = Callable[[bytes], None]
Place = tuple[str, int]
Person = tuple[str, str]
"""An address and a token."""


def _ignore(_: bytes) -> None:
    """Hear nothing."""


class Socket(asyncio.Protocol):
    """One connected socket; `heard` is called with the bytes of every text that comes."""

    def __init__(self, request: bytes, heard: Heard) -> None:
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = loop.create_future()
        self.closed: asyncio.Future[int] = loop.create_future()
        """With which code."""
        self.heard = heard
        self._code = NO_CODE
        self._request = request
        self._is_open = False
        self._rest = b""

    def say(self, text: bytes) -> None:
        """Send a text; it goes nowhere if the connection is gone."""
        self._write(TEXT, text)

    def fall_silent(self) -> int:
        """Read nothing more; returns the own port, by which the system knows the connection."""
        self._transport.pause_reading()
        return int(self._transport.get_extra_info("sockname")[1])

    def close(self) -> None:
        """Cut the connection."""
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Take apart what came; what is not whole yet waits for the rest."""
        data = self._rest + data
        place = 0 if self._is_open else self._welcome(data)
        while self._is_open and (payload := whole(data, place)):
            self._take(data[place] & OPCODE, data[payload])
            place = payload.stop
        self._rest = data[place:]

    def connection_lost(self, exc: Exception | None) -> None:
        """Let whoever waits know."""
        if not self.opened.done():
            self.opened.set_exception(exc or ConnectionResetError("The server cut the connection."))
        if not self.closed.done():
            self.closed.set_result(self._code)

    def _welcome(self, data: bytes) -> int:
        """Return where the frames begin, once the server's answer is whole."""
        answer, end, _ = data.partition(b"\r\n\r\n")
        if not end:
            return 0
        if answer.startswith(SWITCHING):
            self._is_open = True
            self.opened.set_result(None)
        else:
            status = answer.partition(b"\r\n")[0].decode()
            self.opened.set_exception(ConnectionRefusedError(status))
        return len(answer) + len(end)

    def _take(self, kind: int, payload: bytes) -> None:
        if kind == TEXT:
            self.heard(payload)
        elif kind == PING:
            self._write(PONG, payload)
        elif kind == CLOSE:
            self._code = int.from_bytes(payload[:2]) if payload else NO_CODE
            self._transport.close()

    def _write(self, kind: int, payload: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(framed(kind, payload))


async def connect(
    place: Place,
    person: Person,
    heard: Heard = _ignore,
    *,
    like_a_browser: bool = False,
    narrow: bool = False,
) -> Socket:
    """Return an open socket of that person; raises `OSError` if the server refuses it.

    Browsers offer to compress. Where a server agrees, what comes then could not be read here. A
    `narrow` one has next to no room in the system for what it does not read.
    """
    email, token = person
    lines = [
        f"GET /ws/{email} HTTP/1.1",
        f"Host: localhost:{place[1]}",
        f"Authorization: Bearer {token}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        *([OFFER] if like_a_browser else []),
    ]
    request = "\r\n".join([*lines, "", ""]).encode()
    connection = await _connection(place, lambda: Socket(request, heard), narrow)
    try:
        await connection.opened
    except BaseException:
        connection.close()
        raise
    return connection


async def _connection(place: Place, protocol: Callable[[], Socket], narrow: bool) -> Socket:
    loop = asyncio.get_running_loop()
    end = socket.socket()
    end.setblocking(False)
    if narrow:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, NARROW)
    try:
        await loop.sock_connect(end, place)
        _, connection = await loop.create_connection(protocol, sock=end)
    except BaseException:
        end.close()
        raise
    return connection


def framed(kind: int, payload: bytes) -> bytes:
    """Return the payload, of less than 64 KiB, as a frame from a client."""
    size = len(payload)
    if size < MEDIUM:
        return bytes((FINAL | kind, MASKED | size)) + NO_MASK + payload
    return bytes((FINAL | kind, MASKED | MEDIUM)) + size.to_bytes(2) + NO_MASK + payload


def whole(data: bytes, place: int) -> slice | None:
    """Return where the payload of the frame at that place lies, if all of it is there."""
    if len(data) < place + 2:
        return None
    start, size = place + 2, data[place + 1]
    if size >= MEDIUM:
        width = 2 if size == MEDIUM else 8
        start, size = start + width, int.from_bytes(data[start : start + width])
    return slice(start, start + size) if len(data) >= start + size else None
