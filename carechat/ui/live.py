"""What keeps an open page current: one follower of the feed, for all states that show events."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, contextmanager, suppress

import reflex as rx
from reflex.state import BaseState

from carechat import metrics
from carechat.domain import errors
from carechat.domain.events import (
    DatabaseChanged,
    Ending,
    Event,
    FellBehind,
    MessageSent,
    PresenceChanged,
    ReceiptMoved,
    SessionEnded,
)
from carechat.services import feed
from carechat.services.context import Context
from carechat.ui import pacing, routes, session
from carechat.ui.chat.state import Chat
from carechat.ui.inbox.state import Inbox

PAUSE_SECONDS = 0.3
"""Gathers what belongs together: a message and its being read are one change of the lists."""

LOAD_SECONDS = 3.0
"""After which a page that loads says that the database does not answer, and tries again."""

RETRY_SECONDS = 1.0
"""Between two tries to follow the feed while the database does not answer."""

_MISSED = (FellBehind(), DatabaseChanged(reachable=True))
"""After these the page may lack something, and reads what it shows again."""


class _LeftError(Exception):
    """The tab is somebody else's or nobody's by now."""


_followers: dict[str, asyncio.Task[object]] = {}


def follows(tab: str) -> bool:
    """Whether somebody keeps that tab current."""
    return tab in _followers


def stop(tab: str) -> None:
    """Let nobody follow for that tab any more: its socket has closed."""
    if follower := _followers.pop(tab, None):
        follower.cancel()


@contextmanager
def _alone(tab: str) -> Generator[None]:
    """Be the only one who follows for that tab; who did before is stopped."""
    stop(tab)
    if follower := asyncio.current_task():
        _followers[tab] = follower
    try:
        yield
    finally:
        if _followers.get(tab) is follower:
            del _followers[tab]


@asynccontextmanager
async def _followed(ctx: Context) -> AsyncGenerator[AsyncIterator[Event]]:
    """As `feed.follow`; a database that says nothing is soon one that cannot be reached."""
    async with AsyncExitStack() as stack:
        try:
            async with asyncio.timeout(session.ANSWER_SECONDS):
                events = await stack.enter_async_context(feed.follow(ctx))
        except TimeoutError as error:
            raise errors.UnavailableError(session.NO_ANSWER) from error
        yield events


def _shows_at_once(ctx: Context, event: Event) -> bool:
    """Whether somebody waits for it; what the lists alone show may wait for their rest."""
    match event:
        case ReceiptMoved(receipt):
            return receipt.email != ctx.user.email
        case PresenceChanged():
            return False
        case _:
            return True


class Live(rx.State):
    """Follows what happens for as long as a page is open."""

    @rx.event(background=True)
    async def listen(self):
        """Show the page and what happens until it is left or the session is over."""
        ctx = session.visitor()
        if ctx is None:
            yield await self._sign_in(ctx, self._missed())
            return
        with _alone(self.router.session.client_token):
            ending = await self._follow_on(ctx)
        if ending:
            yield await self._sign_in(ctx, ending)

    async def _follow_on(self, ctx: Context) -> Ending | None:
        """As `_follow`, again after the database was away; None if the tab is left."""
        with suppress(_LeftError):
            while True:
                try:
                    return await self._follow(ctx)
                except errors.UnauthenticatedError:
                    return Ending.ENDED
                except errors.UnavailableError:
                    await self._tell_unreachable(ctx)
                    await asyncio.sleep(RETRY_SECONDS)
        return None

    async def _follow(self, ctx: Context) -> Ending | None:
        """Show what happens until the session is over; returns why it is."""
        waiting: list[Event] = []
        async with (
            _followed(ctx) as events,
            aclosing(pacing.paced(events, PAUSE_SECONDS)) as happenings,
        ):
            await self._load(ctx)
            async for event in happenings:
                if isinstance(event, SessionEnded):
                    return event.ending
                if event in _MISSED:
                    metrics.resynced("reload")
                    waiting.clear()
                    await self._load(ctx)
                    continue
                if event is not None:
                    waiting.append(event)
                if event is None or _shows_at_once(ctx, event):
                    await self._show(ctx, waiting, at_rest=event is None)
                    waiting.clear()
        return None

    async def _tell_unreachable(self, ctx: Context) -> None:
        async with self._owned(ctx) as root:
            (await root.get_state(session.Tab)).unreachable = session.UNREACHABLE

    async def _load(self, ctx: Context) -> None:
        """Show all anew; as long as that takes the page can be shown nothing else."""
        try:
            async with asyncio.timeout(LOAD_SECONDS):
                await self._load_all(ctx)
        except TimeoutError as error:
            raise errors.UnavailableError(session.NO_ANSWER) from error

    async def _load_all(self, ctx: Context) -> None:
        async with self._owned(ctx) as root:
            (await root.get_state(Chat))._clear()
        async with self._owned(ctx) as root:
            (await root.get_state(session.Tab)).unreachable = ""
            await (await root.get_state(Inbox))._load(ctx)
            if routes.is_at(self.router.url, routes.CHAT):
                await (await root.get_state(Chat))._load(ctx)

    async def _show(self, ctx: Context, events: list[Event], at_rest: bool) -> None:
        """Show the events, in the lists when it is time to show there what came before.

        The states themselves are changed, not the proxies that a background event is given: those
        ask at each look whether the lock is held, which is most of what showing costs.
        """
        async with self._owned(ctx) as root:
            chat, inbox = await root.get_state(Chat), await root.get_state(Inbox)
            for event in events:
                chat._apply(event)
                inbox._take_in(ctx, event)
                if isinstance(event, DatabaseChanged):
                    (await root.get_state(session.Tab)).unreachable = session.UNREACHABLE
            if at_rest:
                await inbox._paint(ctx)
        for event in events:
            if isinstance(event, MessageSent):
                metrics.delivered("page", (ctx.now() - event.message.timestamp).total_seconds())

    @asynccontextmanager
    async def _owned(self, ctx: Context) -> AsyncGenerator[BaseState]:
        """Hold the tab's states, to be changed; raises `_LeftError` if it is left."""
        async with self:
            root = self._get_root_state()
            if not await session.owns(ctx, root):
                raise _LeftError
            yield root

    def _missed(self) -> Ending | None:
        """Why a visitor has no session: whoever wanted more than the first page had one."""
        return None if self.router.url.path.rstrip("/") == routes.DASHBOARD else Ending.ENDED

    async def _sign_in(
        self, ctx: Context | None, reason: Ending | None = None
    ) -> rx.event.EventSpec | None:
        """Forget everything; returns the way to the sign-in page and back to this one.

        None if the tab is somebody else's by now, who is neither disturbed nor led away.
        """
        async with self:
            if not await session.owns(ctx, self):
                return None
            url = self.router.url
            self._get_root_state().reset()
        here = routes.here(url) or session.here()
        return rx.redirect(routes.login(reason.value if reason else "", here))
