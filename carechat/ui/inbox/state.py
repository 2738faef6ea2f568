"""What somebody has to look at: their conversations, kept current while a page is open."""

import asyncio
from typing import Any

import reflex as rx

from carechat.domain import errors
from carechat.domain.conversations import Summary
from carechat.domain.users import Role
from carechat.services import conversations, feed
from carechat.services.access import Address
from carechat.services.context import Context
from carechat.ui import routes, rows, session
from carechat.ui.inbox.changes import Changes
from carechat.ui.parts.phases import Phase

PAGE = 50
"""Conversations that are shown at first, and that are added each time."""

RETRY = 1.0
"""Seconds to wait when the database did not answer."""

KEPT = 20
"""Conversations in `changed` at most; more of them at once are loaded anew."""


class Inbox(rx.State):
    """The conversations of the person who is signed in, and what the frame of every page shows of them."""

    clinic: str = "CareChat"
    viewer: rows.ViewerRow = rows.ViewerRow()
    phase: str = Phase.LOADING.value
    conversations: list[rows.ConversationRow] = []
    loaded: int = 0
    changed: list[dict[str, Any]] = []
    more: bool = False
    total: int = 0
    unread: int = 0
    waiting: int = 0
    waiting_since: int = 0
    latest: str = ""
    name: str = ""
    _limit: int = PAGE

    @rx.event(background=True)
    async def listen(self):
        """Show the conversations and keep them current until the page is left or the session ends."""
        ctx, changes = session.caller(), Changes()
        async with feed.follow(ctx) as events:
            painting = asyncio.create_task(self._paint(ctx, changes))
            try:
                end = await changes.collect(events)
            finally:
                painting.cancel()
        async with self:
            here = f"{self.router.url.path}?{self.router.url.query}"
            self.reset()
        return rx.redirect(routes.login(end.ending.value if end else "ended", here))

    @rx.event
    async def load(self):
        """Show the first conversations, and who the reader is."""
        await self._load(session.caller())

    @rx.event
    async def show_more(self):
        """Show the next conversations as well."""
        if self.more:
            self._limit = len(self.conversations) + PAGE
            await self._load(session.caller())

    @rx.event
    async def search(self, name: str):
        """Show only conversations with somebody whose name has that in it."""
        self.name, self._limit = str(name), PAGE
        await self._load(session.caller())

    async def _load(self, ctx: Context) -> None:
        self.clinic, self.viewer = ctx.backend.policy.clinic_name, rows.viewer(ctx.user)
        try:
            found = await conversations.dashboard(ctx, self._limit, self.name)
        except errors.UnavailableError:
            self.phase = Phase.FAILED.value
            return
        self.conversations = [_row(ctx, summary) for summary in found.summaries]
        self.total, self.more = found.total, found.total > len(found.summaries)
        self.loaded, self.changed = self.loaded + 1, []
        self.phase = Phase.READY.value
        self._count(found)

    def _count(self, found: conversations.Dashboard) -> None:
        self.unread, self.waiting = found.unread, found.waiting
        since = found.waiting_since
        self.waiting_since = rows.milliseconds(since) if since else 0

    async def _paint(self, ctx: Context, changes: Changes) -> None:
        """Show what changed, whenever something did."""
        while True:
            await changes.wait()
            everything, addresses = changes.take()
            try:
                await self._repaint(ctx, addresses, everything or len(addresses) > KEPT)
            except errors.UnavailableError:
                changes.note_everything()
                await asyncio.sleep(RETRY)

    async def _repaint(self, ctx: Context, addresses: set[Address], everything: bool) -> None:
        if everything:
            async with self:
                await self._load(ctx)
            return
        current = [_row(ctx, await conversations.find(ctx, address)) for address in addresses]
        counts = await conversations.dashboard(ctx, 1)
        async with self:
            self._count(counts)
            self._change(current)
