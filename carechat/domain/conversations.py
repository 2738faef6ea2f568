"""Conversations: who writes to whom, and how far each of them has got."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from carechat.domain import messages, users


class Kind(StrEnum):
    """How a conversation is made up."""

    DIRECT = "direct"
    TEAM = "team"


@dataclass(frozen=True, slots=True)
class Member:
    """One person in a conversation, with the highest `seq` that was delivered to them and read by them."""

    email: str
    name: str
    role: users.Role
    disabled: bool = False
    delivered_seq: int = 0
    read_seq: int = 0


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation and its members; `assigned` says whether a doctor and a patient belong together now."""

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
        """The message, saying whether it has reached everybody it was for."""
        others = [member for member in self.members if member.email != message.sender_email]
        delivered = message.read or all(one.delivered_seq >= message.seq for one in others)
        return replace(message, delivered=delivered)


@dataclass(frozen=True, slots=True)
class Summary:
    """A conversation as one of its members finds it in a list.

    `unread` counts the others' messages that the member has not read; `waiting_since` (UTC) is the time of
    the oldest of them.
    """

    conversation: Conversation
    last_message: messages.Message | None
    unread: int = 0
    waiting_since: datetime | None = None

    @property
    def last_seq(self) -> int:
        """The number of the newest message, 0 while there is none."""
        return self.last_message.seq if self.last_message else 0
