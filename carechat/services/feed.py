"""The feed: what happens, for the open screens of one person; the only way to the hub."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from carechat.domain import errors
from carechat.domain.events import (
    Ending,
    Event,
    FellBehind,
    MessageSent,
    PresenceChanged,
    SessionEnded,
)
from carechat.realtime.hub import Listener
from carechat.services import accounts, receipts
from carechat.services.context import Backend, Context

PAGE = 200
"""Messages read at once when some were missed."""

RECHECK = timedelta(seconds=1)
"""How soon to ask again whether a session goes on when the database did not say."""


@asynccontextmanager
async def follow(ctx: Context) -> AsyncGenerator["Following"]:
    """Give the events for the caller from now on; the caller counts as present meanwhile.

    Messages come in the order of their numbers, each once; one that was missed is read from
    storage. What was taken counts as delivered once the next event is asked for. The last event is
    `SessionEnded`, when the session is over. After `FellBehind`, what is shown must be read again.
    Raises `UnauthenticatedError` if the session is over already.
    """
    with ctx.backend.hub.listen(ctx.user.email, ctx.session.id) as listener:
        if await ctx.store.sessions.find(ctx.session.id) is None:
            raise errors.UnauthenticatedError(accounts.SIGN_IN)
        _enter(ctx.backend, ctx.user.email)
        try:
            yield Following(ctx, listener)
        finally:
            _leave(ctx.backend, ctx.user.email)


@dataclass(slots=True)
class _Told:
    """The numbers from `first` to `last` were told, and of the earlier ones those in `late`.

    `due` if others' are among them and were not noted as delivered yet. A message is told late if
    for a while nobody knew that it is stored.
    """

    first: int
    last: int
    late: set[int] = field(default_factory=set[int])
    due: bool = False

    def __contains__(self, seq: int) -> bool:
        return self.first <= seq <= self.last or seq in self.late

    def add(self, seq: int) -> None:
        self.last = max(self.last, seq)
        if seq < self.first:
            self.late.add(seq)
        while self.first - 1 in self.late:
            self.first -= 1
            self.late.remove(self.first)


class Following(AsyncIterator[Event]):
    """The events for one listener: where it is in each conversation, when its session ends."""

    def __init__(self, ctx: Context, listener: Listener) -> None:
        self._ctx = ctx
        self._listener = listener
        self._ends_at = ctx.session.ends_at
        self._told: dict[str, _Told] = {}
        self._delivering: asyncio.Task[None] | None = None
        self._coming = self._events()

    async def __anext__(self) -> Event:
        return await anext(self._coming)

    async def over(self) -> None:
        """Wait until somebody ended the session, also while no event is asked for."""
        await self._listener.over()

    async def _events(self) -> AsyncIterator[Event]:
        while True:
            event = await self._next()
            if isinstance(event, MessageSent):
                async for told in self._messages(event):
                    yield told
            else:
                yield event
            if isinstance(event, SessionEnded):
                return
            self._start_delivering()

    async def _next(self) -> Event:
        while (left := self._ends_at - self._ctx.now()) > timedelta(0):
            try:
                async with asyncio.timeout(left.total_seconds()):
                    return await self._listener.next()
            except TimeoutError:
                self._ends_at = await self._later_end()
        # It is over even if that cannot be stored now: `accounts.resolve` goes by the time.
        with suppress(errors.UnavailableError):
            await self._ctx.store.sessions.end(self._ctx.session.id)
        expired = self._ctx.now() >= self._ctx.session.expires_at
        return SessionEnded(Ending.ENDED if expired else Ending.IDLE)

    async def _later_end(self) -> datetime:
        """When the session ends after all, if its owner did something on another page or socket."""
        try:
            session = await self._ctx.store.sessions.find(self._ctx.session.id)
        except errors.UnavailableError:
            return self._ctx.now() + RECHECK
        return session.ends_at if session else self._ends_at

    async def _messages(self, event: MessageSent) -> AsyncIterator[Event]:
        """The message after those missed before it; `FellBehind` if they cannot be read."""
        try:
            async for sent in self._in_order(event):
                yield sent
                self._note(sent)
        except errors.UnavailableError:
            yield FellBehind()

    async def _in_order(self, event: MessageSent) -> AsyncIterator[MessageSent]:
        message, conversation = event.message, event.conversation
        told = self._told.setdefault(conversation.id, _Told(message.seq, message.seq - 1))
        while told.last < message.seq - 1:
            history = self._ctx.store.messages.history
            missed = await history(conversation.id, PAGE, before=message.seq, after=told.last)
            for one in missed:
                yield MessageSent(one, conversation)
            told.last = missed[-1].seq if missed else message.seq - 1
        if message.seq not in told:
            yield event

    def _note(self, sent: MessageSent) -> None:
        message = sent.message
        told = self._told[message.conversation_id]
        told.add(message.seq)
        told.due |= message.sender_email != self._ctx.user.email

    def _start_delivering(self) -> None:
        """By itself: what happens next is told whether or not this can be stored now."""
        is_under_way = self._delivering is not None and not self._delivering.done()
        if not is_under_way and any(told.due for told in self._told.values()):
            self._delivering = self._ctx.backend.spawn(self._deliver())

    async def _deliver(self) -> None:
        """Note what was told as delivered; what cannot be stored now waits for the next event."""
        while due := {one: told for one, told in self._told.items() if told.due}:
            for conversation_id, told in due.items():
                told.due = False
                try:
                    with suppress(errors.NotFoundError):
                        await receipts.delivered(self._ctx, conversation_id, told.first, told.last)
                except errors.UnavailableError:
                    told.due = True
                    return


def _enter(backend: Backend, email: str) -> None:
    if backend.presence.enter(email):
        backend.spawn(_tell_presence(backend, email, present=True))


def _leave(backend: Backend, email: str) -> None:
    backend.presence.leave(
        email, lambda: backend.spawn(_tell_presence(backend, email, present=False))
    )


async def _tell_presence(backend: Backend, email: str, present: bool) -> None:
    with suppress(errors.UnavailableError):
        partners = await backend.store.conversations.partners(email)
        backend.hub.publish(PresenceChanged(email, present), partners)
