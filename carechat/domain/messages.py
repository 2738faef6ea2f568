"""Messages: what may be written and what each one carries."""

import re
from dataclasses import dataclass, field, fields
from datetime import datetime

from carechat.domain import errors

MAX_LENGTH = 5_000
"""Unicode code points in one message, after trimming."""

MAX_CLIENT_ID_LENGTH = 64

MAX_SEQ = 2**53 - 1
"""The greatest number that JSON's readers agree on (RFC 8259, 6)."""

_CONTROL_AND_SURROGATES = r"\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff"
"""The categories Cc, but for tab and newline, and Cs of Unicode, which never change."""

_FORBIDDEN = re.compile(f"[{_CONTROL_AND_SURROGATES}]")
_UNPRINTABLE = re.compile(f"[\t\n{_CONTROL_AND_SURROGATES}]")


@dataclass(frozen=True, slots=True)
class Draft:
    """A message that may be stored: checked, but without a number or a time yet."""

    conversation_id: str
    client_id: str
    sender_email: str
    receiver_email: str | None
    message: str
    reply_to: str | None = None

    def became(self, stored: "Message") -> bool:
        """Whether what is stored under the draft's `client_id` is what its sender wants to say."""
        names = (one.name for one in fields(self))
        return all(getattr(stored, name) == getattr(self, name) for name in names)


@dataclass(frozen=True, slots=True)
class Message:
    """A stored message: `seq` counts 1, 2, 3 … in its conversation, `timestamp` (UTC) rises too.

    `delivered` and `read` say whether everybody it was for has got, or read, it; `read_at` (UTC)
    when it was read, where that is known.
    """

    id: str
    conversation_id: str
    seq: int
    client_id: str
    sender_email: str
    receiver_email: str | None
    message: str
    timestamp: datetime
    reply_to: str | None = None
    delivered: bool = False
    read: bool = False
    read_at: datetime | None = field(default=None, compare=False)


def clean_message(message: str) -> str:
    """Return the text as it is stored: trimmed, every line break a newline.

    Raises `InvalidError` if nothing is left, if it is longer than `MAX_LENGTH`, or if it holds,
    at its ends too, a control character (category Cc) other than newline and tab, or half of a
    surrogate pair.
    """
    message = message.replace("\r\n", "\n").replace("\r", "\n")
    if _FORBIDDEN.search(message):
        raise errors.InvalidError("The message has a character that cannot be sent.")
    message = message.strip()
    if not message:
        raise errors.InvalidError("Write something first: the message is empty.")
    if len(message) > MAX_LENGTH:
        raise errors.InvalidError(f"A message has at most {MAX_LENGTH:,} characters.")
    return message


def clean_client_id(client_id: str) -> str:
    """Return the `client_id`; raises `InvalidError` unless it has 1 to 64 printable characters."""
    if not 1 <= len(client_id) <= MAX_CLIENT_ID_LENGTH or _UNPRINTABLE.search(client_id):
        raise errors.InvalidError(f"A client_id has 1 to {MAX_CLIENT_ID_LENGTH} characters.")
    return client_id
