"""What of a message crosses to the browser, and what does not, is decided field by field."""

from dataclasses import fields
from datetime import UTC, datetime

from carechat.domain.messages import Message
from carechat.ui import rows

CALLED = {"mine": "sender_email", "text": "message", "at": "timestamp"}
"""What a row calls otherwise than the message."""

NOT_IN_ROWS = {
    "conversation_id",  # the page's
    "receiver_email",  # the page's partner, or the reader
    "reply_to",  # no page shows answers yet
    "delivered",  # the partner's cursors, which move without the row
    "read",
    "read_at",  # asked for by itself
}
"""What of a message the thread does without."""

MESSAGE = Message(
    id="m1",
    conversation_id="talk",
    seq=7,
    client_id="c1",
    sender_email="doctor@example.com",
    receiver_email="patient@example.com",
    message="How are you?",
    timestamp=datetime(2026, 1, 15, 14, 30, tzinfo=UTC),
)


def test_each_field_of_a_message_is_in_its_row_or_named_as_one_that_is_not() -> None:
    in_rows = {CALLED.get(one.name, one.name) for one in fields(rows.MessageRow)}
    assert in_rows | NOT_IN_ROWS == {one.name for one in fields(Message)}
    assert not in_rows & NOT_IN_ROWS


def test_a_row_says_of_an_own_message_by_which_id_the_outbox_knows_it() -> None:
    row = rows.message(MESSAGE, "doctor@example.com")
    at = 1_768_487_400_000
    assert row == rows.MessageRow(7, "m1", "c1", mine=True, text="How are you?", at=at)


def test_a_row_of_the_partners_message_has_no_such_id() -> None:
    row = rows.message(MESSAGE, "patient@example.com")
    assert (row.mine, row.client_id) == (False, "")
