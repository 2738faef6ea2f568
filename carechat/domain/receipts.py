"""Receipts: how far a member of a conversation has got, in two numbers that only rise."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Receipt:
    """Up to `delivered_seq` all reached a device of this member, up to `read_seq` it was read."""

    conversation_id: str
    email: str
    delivered_seq: int
    read_seq: int
