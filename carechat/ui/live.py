"""What keeps an open page current: one follower of the feed, for all states that show events."""

import asyncio

import reflex as rx

from carechat.domain import errors
from carechat.domain.events import DatabaseChanged, Ending, Event, FellBehind, SessionEnded
from carechat.services import feed
from carechat.services.context import Context
from carechat.ui import routes, session
from carechat.ui.chat.state import Chat
from carechat.ui.inbox.state import Inbox

RETRY_SECONDS = 1.0
"""Between two tries to follow the feed while the database does not answer."""

_MISSED = (FellBehind(), DatabaseChanged(reachable=True))
"""After these the page may lack something, and reads what it shows again."""


class Live(rx.State):
    """Follows what happens for as long as a page is open."""

    @rx.event(background=True)
    async def listen(self):
        """Show the page and what happens until it is left or the session is over."""
        ctx = session.visitor()
        if ctx is None:
            yield rx.redirect(await self._sign_in())
            return
        try:
            async with feed.follow(ctx) as events:
                await self._load(ctx)
                async for event in events:
                    if isinstance(event, SessionEnded):
                        yield rx.redirect(await self._sign_in(event.ending))
                        return
                    if event in _MISSED:
                        await self._load(ctx)
                    elif await self._apply(ctx, event):
                        yield Inbox.paint
        except errors.UnavailableError:
            async with self:
                await self._say(session.UNREACHABLE)
            await asyncio.sleep(RETRY_SECONDS)
            yield Live.listen

    async def _load(self, ctx: Context) -> None:
        async with self:
            chat = await self.get_state(Chat)
            chat.clear()
        async with self:
            await self._say("")
            await (await self.get_state(Inbox)).show(ctx)
            if self.router.url.path.rstrip("/") == routes.CHAT:
                await (await self.get_state(Chat)).show(ctx)

    async def _apply(self, ctx: Context, event: Event) -> bool:
        """Show the event; returns whether the list of conversations is to be painted for it."""
        async with self:
            if not await session.owns(ctx, self):
                return False
            if isinstance(event, DatabaseChanged):
                await self._say(session.UNREACHABLE)
            (await self.get_state(Chat)).apply(event)
            return (await self.get_state(Inbox)).note(ctx, event)

    async def _say(self, unreachable: str) -> None:
        (await self.get_state(session.Tab)).unreachable = unreachable

    async def _sign_in(self, reason: Ending | None = None) -> str:
        """Forget everything; returns the way to the sign-in page and back to this one."""
        async with self:
            url = self.router.url
            self._get_root_state().reset()
        here = f"{url.path}?{url.query}" if url.query else url.path
        return routes.login(reason.value if reason else "", here)
