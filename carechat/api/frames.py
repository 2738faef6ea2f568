"""Frames of `/ws` as text: read strictly, written once however many sockets take them."""

import json
from dataclasses import asdict
from typing import Annotated, cast

import orjson
from pydantic import Field, TypeAdapter, ValidationError

from carechat.api import schemas
from carechat.domain import errors
from carechat.domain.events import MessageSent, ReceiptMoved
from carechat.domain.messages import Message
from carechat.domain.receipts import Receipt

Frame = schemas.SendFrame | schemas.ReadFrame | schemas.SyncFrame | schemas.PingFrame
_FRAME: TypeAdapter[Frame] = TypeAdapter(Annotated[Frame, Field(discriminator="type")])


def read(text: str) -> object:
    """Return what the text says; raises `ValueError` if it is no JSON."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        # It also refuses half surrogate pairs: such a text is JSON, and its refusal has an id.
        try:
            return json.loads(text)
        except RecursionError as error:
            raise ValueError("Too deep.") from error


def parse(fields: object) -> Frame:
    """Return the frame; raises `InvalidError` if it has not the form of one."""
    if isinstance(fields, dict):
        fields = {"type": "send"} | cast("dict[str, object]", fields)
    try:
        return _FRAME.validate_python(fields)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "frame"
        raise errors.InvalidError(f"{place}: {first['msg']}") from error


def client_id(fields: object) -> str | None:
    """Return the `client_id` that a refusal names, if the frame has one."""
    found = cast("dict[str, object]", fields).get("client_id") if isinstance(fields, dict) else None
    # Half of a surrogate pair, which JSON can spell, could not be sent back.
    return found.encode(errors="replace").decode() if isinstance(found, str) else None


def ack(message: Message) -> str:
    """Return the acknowledgement of a stored message, in the form of `schemas.AckFrame`."""
    return _text(
        {
            "type": "ack",
            "client_id": message.client_id,
            "id": message.id,
            "conversation_id": message.conversation_id,
            "seq": message.seq,
            "timestamp": schemas.rfc3339(message.timestamp),
        }
    )


def message(message: Message) -> str:
    """Return the frame that brings a message, in the form of `schemas.MessageFrame`."""
    return _text(
        {
            "type": "message",
            "id": message.id,
            "conversation_id": message.conversation_id,
            "seq": message.seq,
            "client_id": message.client_id,
            "sender_email": message.sender_email,
            "receiver_email": message.receiver_email,
            "message": message.message,
            "timestamp": schemas.rfc3339(message.timestamp),
            "delivered": message.delivered,
            "read": message.read,
            "edited_at": None,
            "deleted_at": None,
            "reply_to": message.reply_to,
            "attachments": [],
            "reactions": [],
        }
    )


def receipt(receipt: Receipt) -> str:
    """Return the frame that tells how far a member has got, as `schemas.ReceiptFrame` says."""
    return _text({"type": "receipt", **asdict(receipt)})


class Writer:
    """Writes events as frames, each once: the hub tells everybody of one before the next."""

    def __init__(self) -> None:
        self._last: object = None
        self._text = ""

    def write(self, event: MessageSent | ReceiptMoved) -> str:
        """Return the frame that tells of the event."""
        if event is not self._last:
            is_message = isinstance(event, MessageSent)
            self._text = message(event.message) if is_message else receipt(event.receipt)
            self._last = event
        return self._text


def _text(frame: dict[str, object]) -> str:
    return orjson.dumps(frame).decode()
