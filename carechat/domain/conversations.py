"""Conversations: who writes to whom, and how far each of them has got."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from carechat.domain import messages, receipts, users

_NEVER = datetime.min.replace(tzinfo=UTC)


class Kind(StrEnum):
    """How a conversation is made up."""

    DIRECT = "direct"
    TEAM = "team"


@dataclass(frozen=True, slots=True)
class Member:
    """One person in a conversation, with the highest `seq` delivered to and read by them."""

    email: str
    name: str
    role: users.Role
    disabled: bool = False
    delivered_seq: int = 0
    read_seq: int = 0

    def after(self, receipt: receipts.Receipt) -> "Member":
        """The member after getting as far as the receipt says; never less far than before."""
        return replace(
            self,
            delivered_seq=max(self.delivered_seq, receipt.delivered_seq),
            read_seq=max(self.read_seq, receipt.read_seq),
        )


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation; `assigned` says whether its doctor and patient belong together now."""

    id: str
    kind: Kind
    title: str | None
    members: tuple[Member, ...]
    assigned: bool = True

    @property
    def writable(self) -> bool:
        """Whether its members may write now; reading stays possible in any case."""
        return self.assigned and not any(member.disabled for member in self.members)

    @property
    def emails(self) -> tuple[str, ...]:
        """The members' addresses."""
        return tuple(member.email for member in self.members)

    def member(self, email: str) -> Member:
        """The member with that address."""
        return next(member for member in self.members if member.email == email)

    def partner(self, email: str) -> Member:
        """The other one of a direct conversation, seen from the member with that address."""
        return next(member for member in self.members if member.email != email)

    def with_delivery(self, message: messages.Message) -> messages.Message:
        """The message, saying whether everybody it was for has got it, and has read it."""
        others = [member for member in self.members if member.email != message.sender_email]
        read = message.read or all(one.read_seq >= message.seq for one in others)
        delivered = read or all(one.delivered_seq >= message.seq for one in others)
        return replace(message, delivered=delivered, read=read)

    def with_receipt(self, receipt: receipts.Receipt) -> "Conversation":
        """The conversation after one of its members has got further."""
        members = tuple(
            member.after(receipt) if member.email == receipt.email else member
            for member in self.members
        )
        return replace(self, members=members)


@dataclass(frozen=True, slots=True)
class Unread:
    """How many messages of a conversation are not read, the oldest sent at `since` (UTC)."""

    count: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Summary:
    """A conversation as one of its members finds it in a list.

    `unread` tells of the others' messages that the member has not read, None if there are none.
    """

    conversation: Conversation
    last_message: messages.Message | None
    unread: Unread | None = None

    @property
    def last_seq(self) -> int:
        """The number of the newest message, 0 while there is none."""
        return self.last_message.seq if self.last_message else 0

    @property
    def last_at(self) -> datetime:
        """When the newest message was sent (UTC), long ago while there is none."""
        return self.last_message.timestamp if self.last_message else _NEVER
