"""The feed: what happens, for the open screens of one person; the only way to listen."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field

from carechat import metrics
from carechat.domain import errors
from carechat.domain.events import Event, FellBehind, MessageSent, PresenceChanged, SessionEnded
from carechat.realtime.hub import Sink
from carechat.services import accounts
from carechat.services.context import Backend, Context
from carechat.services.session_clock import SessionClock
from carechat.storage.messages import MAX_PAGE

BUFFER = 256
"""Events that may wait before whoever follows is told to read what it missed."""


@asynccontextmanager
async def follow(ctx: Context) -> AsyncGenerator[AsyncIterator[Event]]:
    """Give the events for the caller one by one, as `Following` hands them to a sink.

    A message counts as delivered once the next event is asked for. After `FellBehind`, what is
    shown must be read again.
    """
    waiting = _Waiting()
    following = Following(ctx, waiting.put)
    async with following.listening():
        yield waiting.events(following)


@dataclass(slots=True)
class _Told:
    """The numbers from `first` to `last` were told, and of the earlier ones those in `late`.

    A message is told late if for a while nobody knew that it is stored. All up to `handed` have
    reached the listener's device.
    """

    first: int
    last: int
    handed: int = 0
    late: set[int] = field(default_factory=set[int])

    def __contains__(self, seq: int) -> bool:
        return self.first <= seq <= self.last or seq in self.late

    def add(self, seq: int) -> None:
        self.last = max(self.last, seq)
        if seq < self.first:
            self.late.add(seq)
        while self.first - 1 in self.late:
            self.first -= 1
            self.late.remove(self.first)


@dataclass(slots=True)
class Syncing:
    """A conversation that is read from storage: up to `last` so far, None if not at all.

    `newest` was told of it meanwhile.
    """

    conversation_id: str
    newest: int = 0
    last: int | None = None

    def has_all(self, last: int) -> bool:
        """Note that everything up to `last` was read; returns whether no more was told of."""
        self.last = last
        return last >= self.newest


class Following:
    """Hands the events for the caller to a sink, in order.

    It knows where the listener is in each conversation: messages come in the order of their
    numbers, each once; one that was missed is read from storage. The last event is `SessionEnded`,
    when the session is over. After `FellBehind`, what is shown must be read again.
    """

    def __init__(self, ctx: Context, sink: Sink) -> None:
        self._ctx = ctx
        self._sink = sink
        self._told: dict[str, _Told] = {}
        self._syncing: dict[str, Syncing] = {}
        self._held: list[MessageSent] = []
        self._reading: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def listening(self) -> AsyncGenerator[None]:
        """Hand over what happens from now on; the caller counts as present meanwhile.

        Raises `UnauthenticatedError` if the session is over already.
        """
        ctx = self._ctx
        with ctx.backend.hub.listen(ctx.user.email, ctx.session.id, self.take) as listener:
            # From memory too, that is if an end from now on would be heard by the listener.
            if await ctx.store.sessions.current(ctx.session.id) is None:
                raise errors.UnauthenticatedError(accounts.SIGN_IN)
            _enter(ctx.backend, ctx.user.email)
            clock = SessionClock(ctx, listener)
            try:
                yield
            finally:
                clock.stop()
                self.stop()
                _leave(ctx.backend, ctx.user.email)

    def take(self, event: Event) -> None:
        """Take an event from the hub."""
        if isinstance(event, SessionEnded):
            self.start_anew()
        if not isinstance(event, MessageSent):
            self._sink(event)
        elif syncing := self._syncing.get(event.conversation.id):
            syncing.newest = max(syncing.newest, event.message.seq)
        elif self._reading is None:
            self._in_order(event)
        elif len(self._held) < BUFFER:
            self._held.append(event)
        else:
            self.start_anew()
            self._sink(FellBehind())

    def handed(self, sent: MessageSent) -> None:
        """Note that the message, and all that came before it, has reached the listener's device."""
        message = sent.message
        told = self._told.get(message.conversation_id)
        if told and message.sender_email != self._ctx.user.email:
            told.handed = max(told.handed, message.seq)
            arrived = self._ctx.backend.progress.arrived
            arrived(message.conversation_id, self._ctx.user.email, told.first, told.handed)

    @contextmanager
    def syncing(self, conversation_id: str) -> Generator["Syncing"]:
        """Hand over nothing of that conversation while the listener reads it from storage."""
        syncing = self._syncing[conversation_id] = Syncing(conversation_id)
        try:
            yield syncing
        finally:
            del self._syncing[conversation_id]
            if syncing.last is not None:
                self._told[conversation_id] = _Told(1, syncing.last, syncing.last)

    def start_anew(self) -> None:
        """Forget where the listener is: what waited for it was dropped."""
        self.stop()
        self._told.clear()
        self._held.clear()

    def stop(self) -> None:
        """Read nothing more."""
        if self._reading:
            self._reading.cancel()
            self._reading = None

    def _in_order(self, sent: MessageSent) -> None:
        seq = sent.message.seq
        told = self._told.setdefault(sent.conversation.id, _Told(seq, seq - 1))
        if seq > told.last + 1:
            metrics.resynced("missed")
            self._reading = self._ctx.backend.spawn(self._read_until(sent, told))
        elif seq not in told:
            told.add(seq)
            self._sink(sent)

    async def _read_until(self, sent: MessageSent, told: _Told) -> None:
        """Hand over what is missing before the message, then that one and those held meanwhile."""
        try:
            if await self._bring(sent, told):
                told.add(sent.message.seq)
                self._sink(sent)
            else:
                self._held.insert(0, sent)
        except errors.UnavailableError:
            self._sink(FellBehind())
        self._reading = None
        held, self._held = self._held, []
        for later in held:
            self.take(later)

    async def _bring(self, sent: MessageSent, told: _Told) -> bool:
        """Hand over what is missing before; returns False if the listener reads it itself."""
        conversation_id, history = sent.conversation.id, self._ctx.store.messages.history
        while told.last < sent.message.seq - 1:
            missed = await history(
                conversation_id, MAX_PAGE, before=sent.message.seq, after=told.last
            )
            if conversation_id in self._syncing or self._told.get(conversation_id) is not told:
                return False
            for one in missed:
                told.add(one.seq)
                self._sink(MessageSent(one, sent.conversation))
            if not missed:
                break
        return True


class _Waiting:
    """The events that wait to be asked for; if too many do, all give way to `FellBehind`."""

    def __init__(self) -> None:
        self._events: asyncio.Queue[Event] = asyncio.Queue(BUFFER)
        self._has_dropped = False

    def put(self, event: Event) -> None:
        """Let the event wait; nothing else waits beside the end of the session."""
        if isinstance(event, SessionEnded):
            self._drop()
        elif self._events.full():
            metrics.limited("listener_events")
            self._drop()
            self._has_dropped = True
            self._events.put_nowait(FellBehind())
        self._events.put_nowait(event)

    async def events(self, following: Following) -> AsyncIterator[Event]:
        """Give the events, the end of the session last."""
        while True:
            event = await self._events.get()
            if self._has_dropped:
                self._has_dropped = False
                following.start_anew()
            yield event
            if isinstance(event, SessionEnded):
                return
            if isinstance(event, MessageSent):
                following.handed(event)

    def _drop(self) -> None:
        while not self._events.empty():
            self._events.get_nowait()


async def tell_presence(backend: Backend, changed: Mapping[str, bool]) -> None:
    """Tell the partners' screens of this process who is present now, or no more."""
    await asyncio.gather(*(_tell_partners(backend, *one) for one in changed.items()))


async def _tell_partners(backend: Backend, email: str, present: bool) -> None:
    with suppress(errors.UnavailableError):
        partners = await backend.store.conversations.partners(email)
        backend.hub.deliver(PresenceChanged(email, present), partners)


def _enter(backend: Backend, email: str) -> None:
    if backend.presence.enter(email):
        backend.spawn(tell_presence(backend, {email: True}))


def _leave(backend: Backend, email: str) -> None:
    backend.presence.leave(email, lambda: backend.spawn(tell_presence(backend, {email: False})))
