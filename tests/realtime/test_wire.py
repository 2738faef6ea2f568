"""What processes tell each other comes back as it was, and nothing else is understood."""

from datetime import UTC, datetime

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
PATIENT = Member("patient@example.com", "Maria Jones", Role.PATIENT, disabled=True)
CONVERSATION = Conversation("5" * 24, Kind.DIRECT, None, (DOCTOR, PATIENT), assigned=False)
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
)
SENT = Happened(MessageSent(MESSAGE, CONVERSATION), CONVERSATION.emails)
ITEMS: list[Item] = [
    SENT,
    Happened(ReceiptMoved(Receipt(CONVERSATION.id, PATIENT.email, 17, 16)), CONVERSATION.emails),
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
    ],
)
def test_what_is_not_ours_is_garbled(said: bytes) -> None:
    with pytest.raises(wire.GarbledError):
        wire.decode(said, anybody)


PLAIN = orjson.loads(wire.encode(Batch("a", 1, [SENT])))
LEAVES = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3) | st.just([])


@given(st.integers(0, 10), LEAVES, st.sampled_from([2, 3]))
def test_a_message_with_a_wrong_field_is_garbled_or_still_of_the_right_types(
    place: int, leaf: object, part: int
) -> None:
    item = [*PLAIN[3][0]]
    item[part] = [*item[part]]
    item[part][place % len(item[part])] = leaf
    said = orjson.dumps([1, "a", 1, [item]])
    try:
        [heard] = wire.decode(said, anybody).items
    except wire.GarbledError:
        return
    assert isinstance(heard, Happened)
    assert isinstance(heard.event, MessageSent)
    message, conversation = heard.event.message, heard.event.conversation
    assert (type(message.seq), type(message.message)) in {(int, str), (bool, str)}
    assert all(isinstance(member, Member) for member in conversation.members)
