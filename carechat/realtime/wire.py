"""What processes tell each other, as bytes: small, versioned, and checked on arrival."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter, contains
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

_Types = tuple[type, ...]

_TEXT: _Types = (str,)
_PERHAPS: _Types = (str, NoneType)
_NUMBER: _Types = (int,)
_SECONDS: _Types = (int, float)
_FLAG: _Types = (bool,)
_LIST: _Types = (list,)

_BATCH = (_NUMBER, _TEXT, _NUMBER, _LIST)

# The fields that are told, in the order in which they are, and the types of what arrives.
_MESSAGE: dict[str, _Types] = {
    "id": _TEXT,
    "conversation_id": _TEXT,
    "seq": _NUMBER,
    "client_id": _TEXT,
    "sender_email": _TEXT,
    "receiver_email": _PERHAPS,
    "message": _TEXT,
    "timestamp": (float,),
    "reply_to": _PERHAPS,
    "delivered": _FLAG,
    "read": _FLAG,
}
_RECEIPT: dict[str, _Types] = {
    "conversation_id": _TEXT,
    "email": _TEXT,
    "delivered_seq": _NUMBER,
    "read_seq": _NUMBER,
}
_CONVERSATION: dict[str, _Types] = {
    "id": _TEXT,
    "kind": _TEXT,
    "title": _PERHAPS,
    "members": _LIST,
    "assigned": _FLAG,
}
_MEMBER: dict[str, _Types] = {
    "email": _TEXT,
    "name": _TEXT,
    "role": _TEXT,
    "disabled": _FLAG,
    "delivered_seq": _NUMBER,
    "read_seq": _NUMBER,
}

_message_fields = attrgetter(*_MESSAGE)
_receipt_fields = attrgetter(*_RECEIPT)
_conversation_fields = attrgetter(*_CONVERSATION)
_member_fields = attrgetter(*_MEMBER)
_TIMESTAMP = list(_MESSAGE).index("timestamp")
_MEMBERS = list(_CONVERSATION).index("members")

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
    # A number may be no time that there is: too large for a float, or for the system.
    except (ValueError, TypeError, LookupError, OverflowError, OSError) as error:
        raise GarbledError from error


def _plain(item: Item) -> tuple[Any, ...]:
    match item:
        case Happened(MessageSent(message, conversation), emails):
            return "message", emails, _plain_message(message), _plain_conversation(conversation)
        case Happened(ReceiptMoved(receipt), emails):
            return "receipt", emails, _receipt_fields(receipt)
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


def _plain_message(one: Message) -> list[Any]:
    plain = [*_message_fields(one)]
    plain[_TIMESTAMP] = one.timestamp.timestamp()
    return plain


def _plain_conversation(one: Conversation) -> list[Any]:
    plain = [*_conversation_fields(one)]
    plain[_MEMBERS] = [_member_fields(who) for who in one.members]
    return plain


def _concerns(item: list[Any], is_wanted: Callable[[str], bool]) -> bool:
    """Most events of others are for nobody here: those are not looked at any further."""
    return item[0] not in _EVENTS or any(map(is_wanted, item[1]))


def _item(kind: str, *plain: Any) -> Item:
    return _ITEMS[kind](*plain)


def _message_sent(emails: list[str], message: list[Any], conversation: list[Any]) -> Happened:
    return Happened(MessageSent(_message(message), _conversation(conversation)), _texts(emails))


def _receipt_moved(emails: list[str], receipt: list[Any]) -> Happened:
    return Happened(ReceiptMoved(Receipt(**_named(receipt, _RECEIPT))), _texts(emails))


def _present(emails: list[str]) -> Present:
    return Present(_texts(emails))


def _came(*plain: Any) -> Came:
    return Came(*_checked(plain, (_TEXT, _FLAG)))


def _tried(*plain: Any) -> Tried:
    return Tried(*_checked(plain, (_TEXT, _TEXT, _FLAG)))


def _lost(*plain: Any) -> Lost:
    return Lost(*_checked(plain, (_SECONDS,)))


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
    told = _named(plain, _MESSAGE)
    told["timestamp"] = datetime.fromtimestamp(told["timestamp"], UTC)
    return Message(**told)


def _conversation(plain: list[Any]) -> Conversation:
    told = _named(plain, _CONVERSATION)
    told["kind"] = Kind(told["kind"])
    told["members"] = tuple(map(_member, told["members"]))
    return Conversation(**told)


def _member(plain: list[Any]) -> Member:
    told = _named(plain, _MEMBER)
    told["role"] = Role(told["role"])
    return Member(**told)


def _texts(plain: Any) -> tuple[str, ...]:
    return tuple(_checked(plain, (_TEXT,) * len(plain)))


def _named(plain: Sequence[Any], types: Mapping[str, _Types]) -> dict[str, Any]:
    return dict(zip(types, _checked(plain, types.values()), strict=True))


def _checked(plain: Sequence[Any], types: Collection[_Types]) -> Sequence[Any]:
    # By the type itself: True is no number.
    if len(plain) != len(types) or not all(map(contains, types, map(type, plain))):
        raise GarbledError
    return plain
