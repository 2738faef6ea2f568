"""The pages' socket, with bounds: what is kept of an event, what waits, and whose it is."""

import asyncio
import contextlib
import sys
from collections.abc import Mapping
from typing import Any

from reflex.app import App, EventNamespace
from reflex.istate.manager.memory import StateManagerMemory
from reflex.istate.manager.token import BaseStateToken
from reflex.state import State, StateUpdate
from reflex_base.event.context import EventContext

from carechat import metrics
from carechat.ui import live, session

MAX_WAITING = 64
MAX_WAITING_BYTES = 4 * 1024 * 1024
"""Updates that a browser has not taken, and the memory that they need if they are more than one,
before its socket is cut off; it reads anew when it comes back."""

FORGET_SECONDS = 5.0
"""How long the states of a tab are kept after its socket has closed."""

_PLACE = ("pathname", "asPath", "query")
"""What an event says of the page that it comes from; whatever else a browser adds is dropped."""

_Headers = Mapping[str, Any]


class PageSockets(EventNamespace):
    """Reflex's own endpoint of the pages, which trusts a tab's token and takes anything.

    An update goes out only to a socket of the session that it was made for: Reflex looks for the
    tab's newest socket, which may be that of somebody who knows the tab's token.
    """

    def __init__(self, namespace: str, app: App, sessions: session.SessionMiddleware) -> None:
        super().__init__(namespace, app)
        self._sessions = sessions

    async def on_event(self, sid: str, data: Any) -> None:
        """Take of an event of a browser what a state needs."""
        await super().on_event(sid, trimmed(data))

    async def emit_update(self, update: StateUpdate, token: str) -> None:
        """Send an update to the tab if it still belongs to the session that it was made for."""
        record = self._token_manager.token_to_socket.get(token)
        if record is None or self._session_of(record.sid) != self._session_of_event():
            return
        await super().emit_update(update, token)
        if self._too_much_waits_for(record.sid):
            metrics.limited("page_updates")
            await self._cut_off(record.sid)

    def on_disconnect(self, sid: str) -> asyncio.Task[None] | None:
        """Let go of the tab whose socket has closed, unless it has a newer one."""
        token = self.sid_to_token.get(sid)
        record = self._token_manager.token_to_socket.get(token) if token else None
        cleaning = super().on_disconnect(sid)
        if token and record and record.sid == sid:
            live.stop(token)
            asyncio.get_running_loop().call_later(FORGET_SECONDS, self._forget, token)
        return cleaning

    def _forget(self, token: str) -> None:
        """What a closed tab has shown stays in nobody's memory."""
        manager = self.app.state_manager
        if token not in self._token_manager.token_to_socket and isinstance(
            manager, StateManagerMemory
        ):
            manager._purge_token(BaseStateToken(ident=token, cls=State))

    def _session_of(self, sid: str) -> str:
        known = self._static_router_data.get(sid, {})
        return self._token(known.get("headers", {}))

    def _session_of_event(self) -> str:
        return self._token(EventContext.get().router_data.get("headers", {}))

    def _token(self, headers: _Headers) -> str:
        return session.token(headers.get("cookie", ""), self._sessions.cookie)

    def _too_much_waits_for(self, sid: str) -> bool:
        socket = self._socket(sid)
        waiting = tuple(socket.queue._queue) if socket else ()
        # One alone may be all that a page shows.
        return len(waiting) > MAX_WAITING or (
            len(waiting) > 1 and sum(map(_size, waiting)) > MAX_WAITING_BYTES
        )

    async def _cut_off(self, sid: str) -> None:
        """Close the socket without a word, which its client might never take."""
        if socket := self._socket(sid):
            await socket.close(wait=False, abort=True)
            while not socket.queue.empty():
                socket.queue.get_nowait()
                socket.queue.task_done()
            # Its writer ends with this; else it would wait for something to write.
            await socket.queue.put(None)

    def _socket(self, sid: str) -> Any:
        server = self.app.sio
        with contextlib.suppress(KeyError):
            return server and server.eio._get_socket(
                server.manager.eio_sid_from_sid(sid, self.namespace)
            )
        return None


def _size(packet: Any) -> int:
    """How many bytes of memory what waits for a browser needs; nothing ends the queue."""
    return sys.getsizeof(packet.data) if packet else 0


def trimmed(event: Any) -> Any:
    """Return the event of a browser without what a state would keep and nothing needs."""
    place = event.get("router_data") if isinstance(event, dict) else None
    if not isinstance(place, dict):
        return event
    return {**event, "router_data": {name: place[name] for name in _PLACE if name in place}}


def guard(app: App, sessions: session.SessionMiddleware) -> None:
    """Let the app's pages use this socket; before it serves."""
    before = app.event_namespace
    if before is None or app.sio is None:
        raise RuntimeError("An app without State has no socket.")
    app._event_namespace = PageSockets(before.namespace, app, sessions)
    app.sio.register_namespace(app._event_namespace)
