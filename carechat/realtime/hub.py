"""The hub: hands events to all who listen in this process, without waiting for any of them."""

import asyncio
from collections import defaultdict
from collections.abc import Generator, Iterable
from contextlib import contextmanager

from carechat.domain.events import (
    DatabaseChanged,
    Ending,
    Event,
    FellBehind,
    ServerStopping,
    SessionEnded,
)

BUFFER = 256
"""Events that a listener may be behind before it is told to read what it missed."""


class Listener:
    """One page or socket: the events that are waiting for it."""

    def __init__(self, email: str, session_id: str) -> None:
        self.email = email
        self.session_id = session_id
        self._events: asyncio.Queue[Event] = asyncio.Queue(BUFFER)
        self._over = asyncio.Event()

    async def next(self) -> Event:
        """Wait for the next event."""
        return await self._events.get()

    async def over(self) -> None:
        """Wait until the session was ended, without taking any event."""
        await self._over.wait()

    def tell(self, event: Event) -> None:
        """Let the event wait; if too many do, they all give way to `FellBehind`."""
        if self._over.is_set():
            return
        if self._events.full():
            self._forget()
            self._events.put_nowait(FellBehind())
        self._events.put_nowait(event)

    def end(self, ending: Ending) -> None:
        """Let nothing but the end wait, whatever is told later."""
        self._over.set()
        self._forget()
        self._events.put_nowait(SessionEnded(ending))

    def _forget(self) -> None:
        while not self._events.empty():
            self._events.get_nowait()


class Hub:
    """All listeners of this process, by address."""

    def __init__(self) -> None:
        self._listeners: defaultdict[str, set[Listener]] = defaultdict(set)
        self.is_closed = False

    @contextmanager
    def listen(self, email: str, session_id: str) -> Generator[Listener]:
        """Give a listener for that person's events, of that session, until the context is left."""
        listener = Listener(email, session_id)
        self._listeners[email].add(listener)
        if self.is_closed:
            listener.tell(ServerStopping())
        try:
            yield listener
        finally:
            self._listeners[email].discard(listener)
            if not self._listeners[email]:
                del self._listeners[email]

    def publish(self, event: Event, emails: Iterable[str]) -> None:
        """Tell everybody who listens under one of those addresses."""
        for email in emails:
            for listener in self._listeners.get(email, ()):
                listener.tell(event)

    def database_changed(self, reachable: bool) -> None:
        """Tell everybody that messages can be stored again, or not for now."""
        self.publish(DatabaseChanged(reachable), list(self._listeners))

    def close(self) -> None:
        """Tell everybody, also who comes now, that this process is about to stop."""
        self.is_closed = True
        self.publish(ServerStopping(), list(self._listeners))

    def end_session(self, session_id: str, ending: Ending) -> None:
        """End every listener of that session."""
        for listener in self._everybody():
            if listener.session_id == session_id:
                listener.end(ending)

    def sessions(self) -> set[str]:
        """The sessions that are being listened for."""
        return {listener.session_id for listener in self._everybody()}

    def _everybody(self) -> list[Listener]:
        return [listener for group in self._listeners.values() for listener in group]
