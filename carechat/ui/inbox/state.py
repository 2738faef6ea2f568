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
"""Seconds until the next try when the database did not answer."""


class Inbox(rx.State):
    """The conversations of the person who is signed in, and what the frame of every page shows of them.

    `shown` are as they were loaded, `changed` says what is different since; the page puts them together.
    """

    clinic: str = "CareChat"
    viewer: rows.ViewerRow = rows.ViewerRow()
    phase: str = Phase.LOADING.value
    shown: list[rows.ConversationRow] = []
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
        return rx.redirect(await self._leave(end.ending.value if end else ""))

    @rx.event
    async def load(self):
        """Show the conversations anew."""
        await self._load(session.caller())

    @rx.event
    async def show_more(self):
        """Show the next conversations as well."""
        if self.more:
            self._limit = len(self.shown) + PAGE
            await self._load(session.caller())

    @rx.event
    async def search(self, name: str):
        """Show only conversations with somebody in whose name that is."""
        self.name, self._limit = name, PAGE
        await self._load(session.caller())

    async def _paint(self, ctx: Context, changes: Changes) -> None:
        while True:
            try:
                await self._repaint(ctx, changes.take())
            except errors.CareChatError:
                changes.note_everything()
                await asyncio.sleep(RETRY)
            await changes.wait()

    async def _repaint(self, ctx: Context, addresses: set[Address] | None) -> None:
        if addresses is None:
            async with self:
                await self._load(ctx)
            return
        current = [_row(ctx, await conversations.find(ctx, address)) for address in addresses]
        counted = await conversations.dashboard(ctx, 1)
        async with self:
            self._change(current)
            self._count(counted)

    async def _load(self, ctx: Context) -> None:
        self._set(viewer=rows.viewer(ctx.user), clinic=ctx.backend.policy.clinic_name)
        try:
            found = await conversations.dashboard(ctx, self._limit, self.name)
        except errors.UnavailableError:
            self._set(phase=Phase.FAILED.value)
            return
        self.shown = [_row(ctx, summary) for summary in found.summaries]
        self.loaded, self.changed = self.loaded + 1, []
        self._set(
            phase=Phase.READY.value, total=found.total, more=found.total > len(found.summaries)
        )
        self._count(found)

    def _change(self, current: list[rows.ConversationRow]) -> None:
        loaded = {row.id: row for row in self.shown}
        changed = {change["id"]: change for change in self.changed}
        for row in current:
            if row.id in loaded or not self.name:
                changed[row.id] = rows.difference(loaded.get(row.id), row)
        self._set(changed=list(changed.values()))

    def _count(self, found: conversations.Dashboard) -> None:
        since = found.waiting_since
        self._set(
            unread=found.unread,
            waiting=found.waiting,
            waiting_since=rows.milliseconds(since) if since else 0,
        )
        if found.summaries and not self.name:
            partner = found.summaries[0].conversation.partner(self.viewer.email)
            self._set(latest=routes.chat(partner.email))

    def _set(self, **values: Any) -> None:
        """Assign what is different: Reflex sends whatever was assigned."""
        for name, value in values.items():
            if getattr(self, name) != value:
                setattr(self, name, value)

    async def _leave(self, reason: str) -> str:
        """Forget everything; returns where to sign in again and come back from."""
        async with self:
            url = self.router.url
            self.reset()
        return routes.login(reason or "ended", f"{url.path}?{url.query}" if url.query else url.path)


def _row(ctx: Context, summary: Summary) -> rows.ConversationRow:
    present = ctx.user.role is Role.PATIENT and conversations.is_present(ctx, summary.conversation)
    return rows.conversation(summary, ctx.user.email, present)
