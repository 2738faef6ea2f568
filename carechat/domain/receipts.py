"""Receipts: how far a member of a conversation has got, in two numbers that only rise."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Receipt:
    """Up to `delivered_seq` all reached a device of this member, up to `read_seq` it was read."""

    conversation_id: str
    email: str
    delivered_seq: int
    read_seq: int


@dataclass(frozen=True, slots=True)
class Arrival:
    """From `at` (UTC) on, everything up to `seq` had reached a device of a member."""

    seq: int
    at: datetime


def arrived_at(arrivals: Iterable[Arrival], seq: int) -> datetime | None:
    """Return when the message arrived, by the newest arrivals in order, or None if not known.

    The first of them says nothing of when the messages up to its number came: those may have
    arrived with earlier ones that are not kept.
    """
    earlier = False
    for arrival in arrivals:
        if arrival.seq >= seq:
            return arrival.at if earlier else None
        earlier = True
    return None
