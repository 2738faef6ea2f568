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


class Changes:
    """Conversations of which something happened since they were last taken; `everything` if it is not known which."""

    def __init__(self) -> None:
        self.everything = False
        self.addresses: set[Address] = set()
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
                self.addresses.add(Address(conversation_id=event.conversation.id))
            case ReceiptMoved():
                self.addresses.add(Address(conversation_id=event.receipt.conversation_id))
            case PresenceChanged():
                self.addresses.add(Address(partner_email=event.email))
            case _:
                self.everything = True
        self._news.set()

    async def wait(self) -> None:
        """Return a moment after something happened, so that what follows at once is there as well."""
        await self._news.wait()
        await asyncio.sleep(PAUSE)
        self._news.clear()

    def take(self) -> tuple[bool, set[Address]]:
        """Return `everything` and the addresses, and forget them."""
        taken = self.everything, self.addresses
        self.everything, self.addresses = False, set()
        return taken
