"""The hub: hands events to all who listen in this process, without waiting for any of them."""

from collections import defaultdict
from collections.abc import Callable, Collection, Generator, Iterable
from contextlib import contextmanager

from carechat.domain.events import (
    DatabaseChanged,
    Ending,
    Event,
    FellBehind,
    ServerStopping,
    SessionEnded,
)

Sink = Callable[[Event], None]
"""Takes an event at once: it neither waits nor raises."""


class Listener:
    """One page or socket, and what takes its events."""

    __slots__ = ("_is_over", "_sink", "session_id")

    def __init__(self, session_id: str, sink: Sink) -> None:
        self.session_id = session_id
        self._sink = sink
        self._is_over = False

    def tell(self, event: Event) -> None:
        """Hand over an event, unless the session is over."""
        if not self._is_over:
            self._sink(event)

    def end(self, ending: Ending) -> None:
        """Hand over that the session is over, and nothing after it."""
        self.tell(SessionEnded(ending))
        self._is_over = True


class Hub:
    """All listeners of this process, by address; `relay` is told what other processes must hear."""

    def __init__(self) -> None:
        self._listeners: defaultdict[str, set[Listener]] = defaultdict(set)
        self.is_closed = False
        self.relay: Callable[[Event, tuple[str, ...]], None] | None = None

    @contextmanager
    def listen(self, email: str, session_id: str, sink: Sink) -> Generator[Listener]:
        """Let the sink take that person's events, for that session, until the context is left."""
        listener = Listener(session_id, sink)
        self._listeners[email].add(listener)
        if self.is_closed:
            listener.tell(ServerStopping())
        try:
            yield listener
        finally:
            self._listeners[email].discard(listener)
            if not self._listeners[email]:
                del self._listeners[email]

    def publish(self, event: Event, emails: Collection[str]) -> None:
        """Tell everybody who listens under one of those addresses, in other processes too."""
        self.deliver(event, emails)
        if self.relay:
            self.relay(event, tuple(emails))

    def listens(self, email: str) -> bool:
        """Whether anybody in this process listens under that address."""
        return email in self._listeners

    def deliver(self, event: Event, emails: Iterable[str]) -> None:
        """Tell everybody who listens under one of those addresses in this process."""
        for email in emails:
            for listener in tuple(self._listeners.get(email, ())):
                listener.tell(event)

    def database_changed(self, reachable: bool) -> None:
        """Tell everybody that messages can be stored again, or not for now."""
        self.deliver(DatabaseChanged(reachable), list(self._listeners))

    def fall_behind(self) -> None:
        """Tell everybody to read what they missed: nobody knows what that is."""
        self.deliver(FellBehind(), list(self._listeners))

    def close(self) -> None:
        """Tell everybody, also who comes now, that this process is about to stop."""
        self.is_closed = True
        self.deliver(ServerStopping(), list(self._listeners))

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
