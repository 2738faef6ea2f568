"""What processes tell each other comes back as it was, and nothing else is understood."""

from contextlib import suppress
from dataclasses import fields
from datetime import UTC, datetime
from types import NoneType
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carechat.domain.conversations import Conversation, Kind, Member
from carechat.domain.events import DatabaseChanged, MessageSent, ReceiptMoved
from carechat.domain.messages import Message
from carechat.domain.receipts import Receipt
from carechat.domain.users import Role
from carechat.realtime import wire
from carechat.realtime.wire import Batch, Bye, Came, Happened, Hello, Item, Lost, Present, Tried

DOCTOR = Member("doctor@example.com", "Dr. Sarah Chen", Role.DOCTOR, delivered_seq=3, read_seq=2)
PATIENT = Member(
    "patient@example.com", "Maria Jones", Role.PATIENT, disabled=True, delivered_seq=17, read_seq=16
)
CONVERSATION = Conversation("5" * 24, Kind.DIRECT, "Knee", (DOCTOR, PATIENT), assigned=False)
MESSAGE = Message(
    id="6" * 24,
    conversation_id=CONVERSATION.id,
    seq=17,
    client_id="c-17",
    sender_email=DOCTOR.email,
    receiver_email=PATIENT.email,
    message="Hello 👋\nWie geht es Ihnen?",
    timestamp=datetime(2026, 1, 15, 14, 30, 0, 123_000, UTC),
    reply_to="7" * 24,
    delivered=True,
    read=True,
)
RECEIPT = Receipt(CONVERSATION.id, PATIENT.email, 17, 16)
NOT_TOLD = {"read_at"}
"""No screen shows it before it is asked for."""

SENT = Happened(MessageSent(MESSAGE, CONVERSATION), CONVERSATION.emails)
ITEMS: list[Item] = [
    SENT,
    Happened(ReceiptMoved(RECEIPT), CONVERSATION.emails),
    Hello(),
    Present((DOCTOR.email, PATIENT.email)),
    Came(DOCTOR.email, present=False),
    Tried(DOCTOR.email, "192.0.2.0/24", right=True),
    Lost(1.5),
    Bye(),
]


def anybody(_email: str) -> bool:
    return True


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: type(item).__name__)
def test_each_thing_is_heard_as_it_was_told(item: Item) -> None:
    batch = Batch("a", 7, [item, item])
    assert wire.decode(wire.encode(batch), anybody) == batch


@pytest.mark.parametrize("told", [MESSAGE, CONVERSATION, PATIENT, RECEIPT], ids=lambda t: type(t))
def test_no_field_of_what_is_told_here_has_its_default(told: Any) -> None:
    """Else nobody would see here that it does not reach other processes."""
    at_default = {one.name for one in fields(told) if getattr(told, one.name) == one.default}
    assert at_default <= NOT_TOLD


def test_events_for_nobody_here_are_left_out() -> None:
    data = wire.encode(Batch("a", 7, ITEMS))
    assert wire.decode(data, lambda _: False).items == ITEMS[2:]
    assert wire.decode(data, lambda email: email == PATIENT.email).items == ITEMS


def test_an_event_that_is_not_for_others_cannot_be_told() -> None:
    with pytest.raises(TypeError):
        wire.encode(Batch("a", 1, [Happened(DatabaseChanged(reachable=True), ())]))


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"\xff",
        b"null",
        b'{"version": 1}',
        b'[2,"a",1,[]]',
        b'[1,"a",1]',
        b'[1,"a","1",[]]',
        b'[1,"a",1,[[]]]',
        b'[1,"a",1,["hello"]]',
        b'[1,"a",1,[["unheard of"]]]',
        b'[1,"a",1,[["came","doctor@example.com",1]]]',
        b'[1,"a",1,[["present",[1]]]]',
        b'[1,"a",1,[["message",["doctor@example.com"],[],[]]]]',
        b'[1,"a",1,[["message",5,[],[]]]]',
        b'[true,"a",1,[]]',
        b'[1,"a",1,[["lost",true]]]',
        b'[1,"a",1,[["receipt",[5],["c","e",1,1]]]]',
    ],
)
def test_what_is_not_ours_is_garbled(said: bytes) -> None:
    with pytest.raises(wire.GarbledError):
        wire.decode(said, anybody)


PLAIN = orjson.loads(wire.encode(Batch("a", 1, [SENT])))
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.sampled_from([1.5, 1e18, -1e18, 1e300, 2**63 - 1])
    | st.text(max_size=3)
    | st.just([])
)


@given(st.sampled_from([2, 3]), st.data())
def test_a_message_with_a_wrong_field_is_garbled_or_still_of_the_right_types(
    part: int, data: st.DataObject
) -> None:
    item = [*PLAIN[3][0]]
    item[part] = [*item[part]]
    place = data.draw(st.integers(0, len(item[part]) - 1))
    item[part][place] = data.draw(LEAVES)
    try:
        [heard] = wire.decode(orjson.dumps([1, "a", 1, [item]]), anybody).items
    except wire.GarbledError:
        return
    assert isinstance(heard, Happened)
    assert isinstance(heard.event, MessageSent)
    for told, good in ((heard.event.message, MESSAGE), (heard.event.conversation, CONVERSATION)):
        for field in fields(told):
            type_ = type(getattr(told, field.name))
            may_be_left_out = "None" in str(field.type)
            assert type_ is type(getattr(good, field.name)) or (
                may_be_left_out and type_ is NoneType
            )


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=12,
)
KINDS = [item[0] for item in orjson.loads(wire.encode(Batch("a", 1, ITEMS)))[3]]


@given(st.sampled_from(KINDS), st.lists(JSON, max_size=4), JSON)
def test_whatever_is_said_is_understood_or_garbled_and_nothing_else(
    kind: str, plain: list[object], batch: object
) -> None:
    for said in ([1, "a", 1, [[kind, *plain]]], batch):
        with suppress(wire.GarbledError):
            wire.decode(orjson.dumps(said), anybody)
