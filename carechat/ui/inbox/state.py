"""What somebody has to look at: their conversations, kept current while a page is open."""

from collections.abc import Iterable
from typing import Any

import reflex as rx

from carechat.domain import errors, inbox
from carechat.domain.conversations import Summary
from carechat.domain.events import Event, PresenceChanged
from carechat.domain.users import MAX_NAME_LENGTH, Role
from carechat.services import accounts, conversations
from carechat.services.access import Address
from carechat.services.context import Context
from carechat.ui import incoming, routes, rows, session
from carechat.ui.parts.phases import Phase

PAGE = 50
"""Conversations that are shown at first, and that are added each time."""


class Inbox(rx.State):
    """The conversations of whoever is signed in, and what the frame of every page shows of them.

    `shown` are as they were loaded, for the time that `loaded` counts; `changed` are the rows that
    the last of the `changes` since then has touched. The page puts them together, and asks for all
    if it has missed one of the changes: so what an event costs on the wire does not grow.
    """

    clinic: str = "CareChat"
    viewer: rows.ViewerRow = rows.ViewerRow()
    phase: str = Phase.LOADING.value
    shown: list[rows.ConversationRow] = []
    loaded: int = 0
    changed: list[dict[str, Any]] = []
    changes: int = 0
    more: bool = False
    total: int = 0
    unread: int = 0
    elsewhere: int = 0
    beside: str = ""
    writer: str = ""
    waiting: int = 0
    waiting_since: int = 0
    waiting_link: str = ""
    latest: str = ""
    name: str = ""
    idle_seconds: int = 0
    _limit: int = PAGE
    _known: inbox.Known = inbox.Known()
    _partners: dict[str, str] = {}
    _loaded: tuple[rows.ConversationRow, ...] = ()

    @rx.event
    async def load(self):
        """Show the conversations anew."""
        await self._load(session.caller())

    @rx.event
    async def keep_awake(self):
        """Note that the person is there: the session's idle time begins again."""
        accounts.touch(session.caller())

    @rx.event
    async def show_more(self):
        """Show the next conversations as well."""
        if self.more:
            self._limit = len(self.shown) + PAGE
            await self._load(session.caller())

    @rx.event
    async def search(self, name: str):
        """Show only conversations with somebody in whose name that is."""
        self.name, self._limit = incoming.text(name)[:MAX_NAME_LENGTH], PAGE
        await self._load(session.caller())

    def _take_in(self, ctx: Context, event: Event) -> None:
        """Take in what has happened; `_paint` shows it."""
        # Only patients are shown who is there.
        if not isinstance(event, PresenceChanged) or ctx.user.role is Role.PATIENT:
            self._known.take_in(event)

    async def _paint(self, ctx: Context) -> None:
        """Show what the events since the last time have changed."""
        changed: list[dict[str, Any]] = []
        for conversation_id in self._known.touched():
            row = _row(ctx, await self._current(ctx, conversation_id))
            loaded = next((one for one in self._loaded if one.id == conversation_id), None)
            if loaded or not self.name:
                changed.append(rows.difference(loaded, row))
        if changed:
            self.changed, self.changes = changed, self.changes + 1
        if not self.name:
            self._set(total=max(self.total, len(self._known.summaries)))
        self._count()

    async def _load(self, ctx: Context) -> None:
        """Show the conversations as they are in storage."""
        self._set(viewer=rows.viewer(ctx.user), clinic=ctx.backend.policy.clinic_name)
        self._set(idle_seconds=int(ctx.session.idle.total_seconds()))
        try:
            found = await self._find(ctx)
        except errors.UnavailableError:
            self._set(phase=Phase.FAILED.value)
            return
        self._known = inbox.Known(ctx.user.email, found.summaries, found.unread)
        self._partners = {id_: partner.email for id_, partner in found.partners.items()}
        self._loaded = tuple(_row(ctx, one) for one in found.summaries)
        self.shown = list(self._loaded)
        self.loaded, self.changed, self.changes = self.loaded + 1, [], 0
        self._set(total=found.total, more=found.total > len(found.summaries))
        self._set(phase=Phase.READY.value)
        self._count()

    async def _find(self, ctx: Context) -> conversations.Dashboard:
        """What the page has room for; a search lasts as long as the field that shows it."""
        url = self.router.url
        if not routes.is_at(url, routes.DASHBOARD):
            self._set(name="")
        if routes.is_at(url, routes.CHAT):
            return await conversations.beside(ctx, self._limit, routes.partner(url))
        return await conversations.dashboard(ctx, self._limit, self.name)

    async def _current(self, ctx: Context, conversation_id: str) -> Summary:
        summary = self._known.summaries.get(conversation_id)
        if summary is None:
            summary = await conversations.find(ctx, Address(conversation_id=conversation_id))
            self._partners[conversation_id] = summary.conversation.partner(ctx.user.email).email
        self._known.learn(summary)
        return summary

    def _count(self) -> None:
        unread = self._known.unread
        if unread:
            longest = min(unread, key=lambda one: unread[one].since)
            self._set(waiting_since=rows.milliseconds(unread[longest].since))
            self._set(waiting_link=routes.chat(self._partners[longest]))
        self._count_elsewhere()
        self._set(
            unread=sum(one.count for one in unread.values()),
            waiting=len(unread),
            latest=self._latest(),
        )

    def _count_elsewhere(self) -> None:
        """Count what is unread in conversations that are not open; find who wrote last there."""
        url = self.router.url
        beside = routes.partner(url) if routes.is_at(url, routes.CHAT) else ""
        unread = self._known.unread.items()
        others = {id_: one.count for id_, one in unread if self._partners[id_] != beside}
        self._set(elsewhere=sum(others.values()), beside=beside, writer=self._writer(others))

    def _writer(self, conversations: Iterable[str]) -> str:
        # A search hides conversations: who wrote last may not be listed.
        summaries = {} if self.name else self._known.summaries
        listed = [summaries[id_] for id_ in conversations if id_ in summaries]
        newest = max(listed, key=lambda one: one.last_at, default=None)
        return newest.conversation.partner(self.viewer.email).name if newest else ""

    def _latest(self) -> str:
        """Where "Messages" leads: to somebody who waits, else to the newest message."""
        summaries = self._known.summaries.values()
        waits = [one for one in summaries if one.unread]
        if self._known.unread and not waits:
            return self.waiting_link
        newest = max(waits or summaries, key=lambda one: one.last_at, default=None)
        return routes.chat(newest.conversation.partner(self.viewer.email).email) if newest else ""

    def _set(self, **values: Any) -> None:
        """Assign what is different: Reflex sends whatever was assigned."""
        for name, value in values.items():
            if getattr(self, name) != value:
                setattr(self, name, value)


def _row(ctx: Context, summary: Summary) -> rows.ConversationRow:
    shown = ctx.user.role is Role.PATIENT and summary.conversation.writable
    present = shown and conversations.is_present(ctx, summary.conversation)
    return rows.conversation(summary, ctx.user.email, present)
