"""Proof: how much of a conversation is stored, delivered and read, and whether anything lacks."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from carechat.domain import errors, receipts
from carechat.domain.conversations import Conversation, Member
from carechat.services import access
from carechat.services.access import Address
from carechat.services.context import Context

COUNTED = 10_000
"""The newest messages that are counted: a long conversation costs no more than others."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many stored messages for one of the two are not on a device of theirs, or not read."""

    undelivered: int
    unread: int


@dataclass(frozen=True, slots=True)
class Proof:
    """What storage has of the numbers `first` to `last`; without a gap it has every one of them.

    `last` is the highest number that anybody is known to have had, so that a message which was
    there and is no more is missed. `own` are those that the caller wrote, `others` those for them.
    """

    conversation: Conversation
    first: int
    last: int
    stored: int
    own: Waiting
    others: Waiting

    @property
    def numbered(self) -> int:
        """How many there must be."""
        return self.last - self.first + 1

    @property
    def missing(self) -> int:
        """How many numbers have no message."""
        return self.numbered - self.stored

    @property
    def delivered(self) -> int:
        """How many are on a device of whom they are for."""
        return self.stored - self.own.undelivered - self.others.undelivered

    @property
    def read(self) -> int:
        """How many were read by whom they are for."""
        return self.stored - self.own.unread - self.others.unread


async def of(ctx: Context, address: Address, seen: int = 0, most: int = COUNTED) -> Proof:
    """Return what is stored of a conversation, of which the newest `most` numbers are counted.

    `seen` is the highest number that the caller's screen has. Raises `NotFoundError` if the
    conversation is not the caller's.
    """
    found = await access.addressed(ctx, address)
    # Read after the cursors, and after the screen saw anything: what is stored is at least as far.
    stored_seq = await ctx.store.messages.last_seq(found.id)
    last = max(stored_seq, seen, *(one.delivered_seq for one in found.members))
    first = max(1, last - most + 1)
    me = found.member(ctx.user.email)
    partner = found.partner(ctx.user.email)
    stored, own, others = await asyncio.gather(
        ctx.store.messages.count(found.id, first, last),
        _waiting(ctx, found.id, partner, first, last),
        _waiting(ctx, found.id, me, first, last),
    )
    return Proof(found, first, last, stored, own, others)


@dataclass(frozen=True, slots=True)
class Times:
    """When a message had reached a device of whom it is for, and was read (UTC), if known."""

    delivered_at: datetime | None
    read_at: datetime | None


async def times(ctx: Context, address: Address, seq: int) -> Times:
    """Return when the caller's message with that number was delivered and read.

    Raises `NotFoundError` if there is no such message, or none that the caller wrote.
    """
    found = await access.addressed(ctx, address)
    page = await ctx.store.messages.history(found.id, 1, after=seq - 1)
    own = [one for one in page if (one.seq, one.sender_email) == (seq, ctx.user.email)]
    if not own:
        raise errors.NotFoundError("There is no such message of yours.")
    receiver, read_at = found.partner(ctx.user.email), own[0].read_at
    arrivals = await ctx.store.conversations.arrivals(found.id, receiver.email)
    delivered_at = receipts.arrived_at(arrivals, seq)
    if delivered_at and read_at:  # reading is noted first, and says that it was there by then
        delivered_at = min(delivered_at, read_at)
    return Times(delivered_at, read_at)


async def _waiting(
    ctx: Context, conversation_id: str, receiver: Member, first: int, last: int
) -> Waiting:
    count = ctx.store.messages.count_received
    undelivered, unread = await asyncio.gather(
        *(
            count(conversation_id, receiver.email, max(cursor, first - 1), last + 1)
            for cursor in (receiver.delivered_seq, receiver.read_seq)
        )
    )
    return Waiting(undelivered, unread)
