"""The session clock: ends whoever listens when the time of the session is up."""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta

from carechat.domain import errors
from carechat.domain.events import Ending
from carechat.realtime.hub import Listener
from carechat.services.context import Context

RECHECK = timedelta(seconds=1)
"""How soon to ask again whether a session goes on when the database did not say."""


class SessionClock:
    """Ends a listener when its session's time is up, unless its owner did something elsewhere."""

    def __init__(self, ctx: Context, listener: Listener) -> None:
        """Begin to wait."""
        self._ctx = ctx
        self._listener = listener
        self._asking: asyncio.Task[None] | None = None
        self._timer = self._wait_until(ctx.session.ends_at)

    def stop(self) -> None:
        """Ask no more."""
        self._timer.cancel()
        if self._asking:
            self._asking.cancel()

    def _wait_until(self, ends_at: datetime) -> asyncio.TimerHandle:
        left = max((ends_at - self._ctx.now()).total_seconds(), 0)
        return asyncio.get_running_loop().call_later(left, self._ask)

    def _ask(self) -> None:
        self._asking = self._ctx.backend.spawn(self._end_or_wait())

    async def _end_or_wait(self) -> None:
        ends_at = await self._later_end()
        if ends_at > self._ctx.now():
            self._timer = self._wait_until(ends_at)
            return
        # It is over even if that cannot be stored now: `accounts.resolve` goes by the time.
        with suppress(errors.UnavailableError):
            await self._ctx.store.sessions.end(self._ctx.session.id)
        expired = self._ctx.now() >= self._ctx.session.expires_at
        self._listener.end(Ending.ENDED if expired else Ending.IDLE)

    async def _later_end(self) -> datetime:
        try:
            session = await self._ctx.store.sessions.find(self._ctx.session.id)
        except errors.UnavailableError:
            return self._ctx.now() + RECHECK
        return session.ends_at if session else self._ctx.session.ends_at
