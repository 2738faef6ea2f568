"""What processes tell each other, as bytes: small, versioned, and checked on arrival."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import NoneType
from typing import Any

import orjson

from carechat.domain.conversations import Conversation, Kind, Member
from carechat.domain.events import Event, MessageSent, ReceiptMoved
from carechat.domain.messages import Message
from carechat.domain.receipts import Receipt
from carechat.domain.users import Role

VERSION = 1
"""Raised with every change that a process of another version would misunderstand."""

_PERHAPS = (str, NoneType)
_TIMESTAMP = 7

# The types of what arrives, in the order of the fields.
_BATCH = (int, str, int, list)
_MESSAGE = (str, str, int, str, str, _PERHAPS, str, float, _PERHAPS, bool, bool)
_RECEIPT = (str, str, int, int)
_CONVERSATION = (str, str, _PERHAPS, list, bool)
_MEMBER = (str, str, str, bool, int, int)

RELAYED = (MessageSent, ReceiptMoved)
"""Of the events those that a process can hear of from another process alone."""


class GarbledError(ValueError):
    """The bytes are not what a process of this version says."""


@dataclass(frozen=True, slots=True)
class Happened:
    """An event, for whoever listens under those addresses."""

    event: Event
    emails: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hello:
    """A process has just begun to listen: the others tell it who is with them."""


@dataclass(frozen=True, slots=True)
class Present:
    """Everybody who has a page or socket open there."""

    emails: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Came:
    """Somebody opened the first page or socket there, or has left."""

    email: str
    present: bool


@dataclass(frozen=True, slots=True)
class Tried:
    """A password was tried there; `right` if it was the right one after all.

    `network` is where the try came from, as the throttle counts it.
    """

    email: str
    network: str
    right: bool


@dataclass(frozen=True, slots=True)
class Lost:
    """What happened there in the last so many seconds was not all told."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Bye:
    """The process ends, having told everything."""


Item = Happened | Hello | Present | Came | Tried | Lost | Bye


@dataclass(frozen=True, slots=True)
class Batch:
    """What one process tells at once; its batches are numbered without a gap."""

    origin: str
    number: int
    items: Sequence[Item]


def encode(batch: Batch) -> bytes:
    """Return the bytes that tell all of that."""
    return orjson.dumps([VERSION, batch.origin, batch.number, [_plain(one) for one in batch.items]])


def decode(data: bytes, is_wanted: Callable[[str], bool]) -> Batch:
    """Return what the bytes tell, without the events for addresses that are not wanted.

    Raises `GarbledError` for anything else, another version included.
    """
    try:
        version, origin, number, items = _checked(orjson.loads(data), _BATCH)
        if version != VERSION:
            raise GarbledError
        return Batch(origin, number, [_item(*one) for one in items if _concerns(one, is_wanted)])
    except (ValueError, TypeError, LookupError) as error:
        raise GarbledError from error


def _plain(item: Item) -> tuple[Any, ...]:
    match item:
        case Happened(MessageSent(message, conversation), emails):
            return "message", emails, _plain_message(message), _plain_conversation(conversation)
        case Happened(ReceiptMoved(one), emails):
            receipt = one.conversation_id, one.email, one.delivered_seq, one.read_seq
            return "receipt", emails, receipt
        case Present(emails):
            return "present", emails
        case Came(email, present):
            return "came", email, present
        case Tried(email, network, right):
            return "tried", email, network, right
        case Lost(seconds):
            return "lost", seconds
        case Hello():
            return ("hello",)
        case Bye():
            return ("bye",)
        case _:
            raise TypeError(f"{type(item).__name__} is not told to other processes")


def _plain_message(one: Message) -> tuple[Any, ...]:
    return (
        one.id,
        one.conversation_id,
        one.seq,
        one.client_id,
        one.sender_email,
        one.receiver_email,
        one.message,
        one.timestamp.timestamp(),
        one.reply_to,
        one.delivered,
        one.read,
    )


def _plain_conversation(one: Conversation) -> tuple[Any, ...]:
    members = [
        (who.email, who.name, who.role, who.disabled, who.delivered_seq, who.read_seq)
        for who in one.members
    ]
    return one.id, one.kind, one.title, members, one.assigned


def _concerns(item: list[Any], is_wanted: Callable[[str], bool]) -> bool:
    """Most events of others are for nobody here: those are not looked at any further."""
    return item[0] not in _EVENTS or any(map(is_wanted, item[1]))


def _item(kind: str, *plain: Any) -> Item:
    return _ITEMS[kind](*plain)


def _message_sent(emails: list[str], message: list[Any], conversation: list[Any]) -> Happened:
    return Happened(MessageSent(_message(message), _conversation(conversation)), tuple(emails))


def _receipt_moved(emails: list[str], receipt: list[Any]) -> Happened:
    return Happened(ReceiptMoved(Receipt(*_checked(receipt, _RECEIPT))), tuple(emails))


def _present(emails: list[str]) -> Present:
    return Present(tuple(_checked(emails, (str,) * len(emails))))


def _came(*plain: Any) -> Came:
    return Came(*_checked(plain, (str, bool)))


def _tried(*plain: Any) -> Tried:
    return Tried(*_checked(plain, (str, str, bool)))


def _lost(*plain: Any) -> Lost:
    return Lost(*_checked(plain, ((int, float),)))


_EVENTS = {"message": _message_sent, "receipt": _receipt_moved}
_ITEMS: dict[str, Callable[..., Item]] = {
    **_EVENTS,
    "present": _present,
    "came": _came,
    "tried": _tried,
    "lost": _lost,
    "hello": Hello,
    "bye": Bye,
}


def _message(plain: list[Any]) -> Message:
    _checked(plain, _MESSAGE)
    plain[_TIMESTAMP] = datetime.fromtimestamp(plain[_TIMESTAMP], UTC)
    return Message(*plain)


def _conversation(plain: list[Any]) -> Conversation:
    id_, kind, title, members, assigned = _checked(plain, _CONVERSATION)
    return Conversation(id_, Kind(kind), title, tuple(map(_member, members)), assigned)


def _member(plain: list[Any]) -> Member:
    email, name, role, disabled, delivered_seq, read_seq = _checked(plain, _MEMBER)
    return Member(email, name, Role(role), disabled, delivered_seq, read_seq)


def _checked(plain: Sequence[Any], types: tuple[Any, ...]) -> Sequence[Any]:
    if len(plain) != len(types) or not all(map(isinstance, plain, types)):
        raise GarbledError
    return plain
