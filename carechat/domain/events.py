"""Events: what has happened, told to whose screens show it; the database alone is the truth."""

from dataclasses import dataclass, field
from enum import StrEnum

from carechat.domain import conversations, messages, receipts


@dataclass(frozen=True, slots=True)
class MessageSent:
    """A message is stored for good, in that conversation; `origin` is what let it be sent."""

    message: messages.Message
    conversation: conversations.Conversation
    origin: object = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ReceiptMoved:
    """A member has got further."""

    receipt: receipts.Receipt


@dataclass(frozen=True, slots=True)
class PresenceChanged:
    """Somebody opened the first page or socket, or closed the last."""

    email: str
    present: bool


@dataclass(frozen=True, slots=True)
class ConversationChanged:
    """A conversation came into being, or who may write in it changed."""

    conversation: conversations.Conversation


@dataclass(frozen=True, slots=True)
class DatabaseChanged:
    """Messages can be stored again, or cannot for now."""

    reachable: bool


@dataclass(frozen=True, slots=True)
class FellBehind:
    """This listener did not keep up and missed events; it must read what it missed."""


@dataclass(frozen=True, slots=True)
class ServerStopping:
    """This process is about to stop; another one, or the next, goes on."""


class Ending(StrEnum):
    """Why a session is over."""

    ENDED = "ended"
    IDLE = "idle"


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """The listener's own session is over; nothing comes after this."""

    ending: Ending


Event = (
    MessageSent
    | ReceiptMoved
    | PresenceChanged
    | ConversationChanged
    | DatabaseChanged
    | FellBehind
    | ServerStopping
    | SessionEnded
)
