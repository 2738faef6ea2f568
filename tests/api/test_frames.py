"""Frames: written by hand for speed, in the form that the schemas document."""

import json
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from carechat.api import frames, schemas
from carechat.domain.events import MessageSent, ReceiptMoved
from carechat.domain.messages import MAX_SEQ, Message
from carechat.domain.receipts import Receipt
from tests.factories import CONVERSATION

texts = st.text(st.characters(exclude_categories=["Cs"]))
times = st.datetimes(timezones=st.just(UTC)) | st.just(
    datetime(2026, 1, 15, 14, 30, tzinfo=timezone(timedelta(hours=2)))
)
messages = st.builds(
    Message,
    id=texts,
    conversation_id=texts,
    seq=st.integers(1, MAX_SEQ),
    client_id=texts,
    sender_email=texts,
    receiver_email=st.none() | texts,
    message=texts,
    timestamp=times,
    reply_to=st.none() | texts,
    delivered=st.booleans(),
    read=st.booleans(),
)
receipts = st.builds(
    Receipt,
    conversation_id=texts,
    email=texts,
    delivered_seq=st.integers(0, MAX_SEQ),
    read_seq=st.integers(0, MAX_SEQ),
)


def documented(schema: type[BaseModel], known: Message | Receipt) -> object:
    """Return what the schema makes of the same."""
    return schema.model_validate(known, from_attributes=True).model_dump(mode="json")


@given(messages)
def test_messages_and_their_acknowledgements_have_the_documented_form(message: Message) -> None:
    assert json.loads(frames.message(message)) == documented(schemas.MessageFrame, message)
    assert json.loads(frames.ack(message)) == documented(schemas.AckFrame, message)


@given(receipts)
def test_receipts_have_the_documented_form(receipt: Receipt) -> None:
    assert json.loads(frames.receipt(receipt)) == documented(schemas.ReceiptFrame, receipt)


@given(st.lists(messages | receipts, min_size=1))
def test_each_event_is_written_as_itself(happened: list[Message | Receipt]) -> None:
    writer = frames.Writer()
    for one in happened:
        if isinstance(one, Message):
            event, expected = MessageSent(one, CONVERSATION), frames.message(one)
        else:
            event, expected = ReceiptMoved(one), frames.receipt(one)
        assert [writer.write(event) for _ in range(3)] == [expected] * 3


def test_an_event_is_written_once_for_all() -> None:
    writer = frames.Writer()
    event = ReceiptMoved(Receipt("c", "a@example.com", 1, 1))
    assert writer.write(event) is writer.write(event)
