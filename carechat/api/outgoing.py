"""What is written to a socket: at once while its client takes it, else in order, within bounds."""

import asyncio
from collections import deque
from collections.abc import Callable

from starlette.types import Send

from carechat.domain.events import MessageSent

MAX_WAITING = 1_000
MAX_WAITING_BYTES = 2 * 1024 * 1024
"""Frames that may wait for a client, and their length, before it counts as too slow."""

ROOM = 100
"""Frames that may wait before what a client sends has to wait as well."""

PATIENCE_SECONDS = 5
"""How long more of them may wait before the client counts as too slow."""

Write = Callable[[str], bool]
"""Writes a text frame at once, or returns that it cannot now."""


class Outgoing:
    """The frames for a client; `push` writes those that could not be written at once.

    `written` hears of each message that was written, `too_slow` that the client takes too little.
    """

    __slots__ = (
        "_has_work",
        "_patience",
        "_room",
        "_send",
        "_size",
        "_too_slow",
        "_waiting",
        "_write_now",
        "_written",
    )

    def __init__(
        self,
        send: Send,
        write_now: Write,
        written: Callable[[MessageSent], None],
        too_slow: Callable[[], None],
    ) -> None:
        self._send = send
        self._write_now = write_now
        self._written = written
        self._too_slow = too_slow
        self._waiting: deque[tuple[str, MessageSent | None]] = deque()
        self._size = 0
        self._has_work = asyncio.Event()
        self._room: asyncio.Event | None = None
        self._patience: asyncio.TimerHandle | None = None

    def write(self, text: str, sent: MessageSent | None = None) -> None:
        """Write a frame, or let it wait; `sent` is the message that it brings, if it is new."""
        if not self._waiting and self._write_now(text):
            if sent:
                self._written(sent)
            return
        self._waiting.append((text, sent))
        self._size += len(text)
        self._has_work.set()
        if len(self._waiting) > MAX_WAITING or self._size > MAX_WAITING_BYTES:
            self._too_slow()
        elif len(self._waiting) > ROOM and self._patience is None:
            self._room = asyncio.Event()
            loop = asyncio.get_running_loop()
            self._patience = loop.call_later(PATIENCE_SECONDS, self._too_slow)

    async def room(self) -> None:
        """Wait while too much waits."""
        if self._room:
            await self._room.wait()

    async def push(self) -> None:
        """Write what waits, until the client is gone or what waits is dropped."""
        while True:
            await self._has_work.wait()
            self._has_work.clear()
            while self._waiting:
                # It stays the first one until it is written: nothing may overtake it.
                waiting = self._waiting
                text, sent = waiting[0]
                try:
                    await self._send({"type": "websocket.send", "text": text})
                except (RuntimeError, OSError):
                    return
                if sent:
                    self._written(sent)
                if waiting is not self._waiting:
                    return
                waiting.popleft()
                self._size -= len(text)
                if self._patience and len(self._waiting) <= ROOM:
                    self._make_room(self._patience)

    def drop(self) -> None:
        """Forget what waits: it is not for whoever is there now."""
        self._waiting, self._size = deque(), 0

    def stop(self) -> None:
        """Call nobody too slow any more."""
        if self._patience:
            self._patience.cancel()

    def _make_room(self, patience: asyncio.TimerHandle) -> None:
        patience.cancel()
        self._patience = None
        if self._room:
            self._room.set()
            self._room = None
