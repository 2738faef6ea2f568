"""The gate before the pages' socket: which frames come in, and how many of one person."""

import itertools
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import nullcontext
from typing import Any

from carechat import metrics
from carechat.domain import errors
from carechat.services import accounts
from carechat.services.context import Backend
from carechat.ui import session

CUT_OFF = 1008
"""The close code of a socket that sends what no page does, or too much."""

_PONG = "3"
_FRAMES = ("1", "40", "41", "42")
"""What pages send beside: that they close, come, go, and that something has happened.

Never anything binary, of which Socket.IO would collect as much as it was announced.
"""

_Frame = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Frame]]
_Send = Callable[[_Frame], Awaitable[None]]
_App = Callable[[_Frame, _Receive, _Send], Awaitable[None]]


class Gate:
    """Lets in what pages send, as often as people can cause it.

    Counted is by person, and of those who have not signed in by where they are: whatever a socket
    says of itself and however often it is opened anew.
    """

    def __init__(
        self, app: _App, sessions: session.SessionMiddleware, holder: Callable[[_Frame], str]
    ) -> None:
        """Stand before `app`; `holder` says whose a socket is of nobody who has signed in."""
        self._app = app
        self._sessions = sessions
        self._holder = holder
        self._unknown = itertools.count()

    async def __call__(self, scope: _Frame, receive: _Receive, send: _Send) -> None:
        backend = self._sessions.backend
        if scope["type"] != "websocket" or backend is None:
            await self._app(scope, receive, send)
            return
        user = accounts.whose(backend, self._sessions.token(scope["headers"]))
        whose = user or self._holder(scope) or f"unknown {next(self._unknown)}"
        with backend.sockets.seat(f"page {user}") if user else nullcontext(True) as seated:
            if seated:
                await self._app(scope, _Frames(receive, backend, whose).receive, send)
            else:
                await send({"type": "websocket.close", "code": CUT_OFF, "reason": ""})


class _Frames:
    """What a socket sends, until that is too much."""

    def __init__(self, receive: _Receive, backend: Backend, whose: str) -> None:
        self._receive = receive
        self._backend = backend
        self._whose = whose

    async def receive(self) -> _Frame:
        """Return the next frame, or that there are no more."""
        frame = await self._receive()
        if frame["type"] == "websocket.receive" and not self._lets_in(frame.get("text") or ""):
            return {"type": "websocket.disconnect", "code": CUT_OFF}
        return frame

    def _lets_in(self, text: str) -> bool:
        if text != _PONG and not text.startswith(_FRAMES):
            metrics.limited("bad_frames")
            return False
        # Open pages answer every two seconds, also those with which nobody does anything.
        whose = f"{self._whose} is there" if text == _PONG else self._whose
        try:
            self._backend.page_events.take(whose, self._backend.seconds())
        except errors.RateLimitedError:
            return False
        return True
