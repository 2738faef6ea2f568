"""Which conversations have to be shown anew, gathered until somebody has time for them."""

import asyncio
from collections.abc import AsyncIterator

from carechat.domain.events import (
    Event,
    MessageSent,
    PresenceChanged,
    ReceiptMoved,
    SessionEnded,
)
from carechat.services.access import Address

PAUSE = 0.3
"""Seconds in which what belongs together is gathered: a message and its being read are one change."""

MANY = 20
"""Conversations from which on it is simpler to show all anew."""


class Changes:
    """The conversations in which something happened; at first that is all of them."""

    def __init__(self) -> None:
        self._everything = True
        self._addresses: set[Address] = set()
        self._news = asyncio.Event()

    async def collect(self, events: AsyncIterator[Event]) -> SessionEnded | None:
        """Note every event until the session ends; returns its end."""
        async for event in events:
            if isinstance(event, SessionEnded):
                return event
            self.note(event)
        return None

    def note(self, event: Event) -> None:
        """Remember what the event is about."""
        match event:
            case MessageSent():
                self._addresses.add(Address(conversation_id=event.conversation.id))
            case ReceiptMoved():
                self._addresses.add(Address(conversation_id=event.receipt.conversation_id))
            case PresenceChanged():
                self._addresses.add(Address(partner_email=event.email))
            case _:
                self._everything = True
        self._news.set()

    def note_everything(self) -> None:
        """Remember that it is not known what has changed."""
        self._everything = True
        self._news.set()

    async def wait(self) -> None:
        """Return a moment after something happened, so that what follows at once is there as well."""
        await self._news.wait()
        await asyncio.sleep(PAUSE)
        self._news.clear()

    def take(self) -> set[Address] | None:
        """Return the conversations, None for all of them, and forget them."""
        addresses, everything = self._addresses, self._everything
        self._addresses, self._everything = set(), False
        return None if everything or len(addresses) > MANY else addresses
