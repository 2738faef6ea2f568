"""A WebSocket of a program that speaks CareChat's frames."""

import asyncio
from collections.abc import Callable
from typing import Any

import orjson

from tests.cheap_sockets import Socket
from tests.cheap_sockets import connect as open_socket

HOST = "127.0.0.1"
CONNECT_SECONDS = 15.0

Frame = dict[str, Any]


class Wire:
    """One connection; `closed` comes true with the code."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self.closed = socket.closed

    def send(self, frame: Frame) -> None:
        """Send a frame; it goes nowhere if the connection is gone."""
        self._socket.say(orjson.dumps(frame))

    def fall_silent(self) -> int:
        """Read nothing more; returns the own port, by which the system knows the connection."""
        return self._socket.fall_silent()

    def abort(self) -> None:
        """Drop the connection."""
        self._socket.close()


async def connect(
    port: int, email: str, token: str, on_frame: Callable[[Frame], None], *, narrow: bool = False
) -> Wire:
    """Return an open socket of that person, whose frames `on_frame` is called with.

    A `narrow` one has next to no room in the system for what it does not read. Raises `OSError`,
    also if the server refuses it, or `TimeoutError`.
    """

    def heard(payload: bytes) -> None:
        on_frame(orjson.loads(payload))

    async with asyncio.timeout(CONNECT_SECONDS):
        return Wire(await open_socket((HOST, port), (email, token), heard, narrow=narrow))
