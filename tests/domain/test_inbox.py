"""What somebody's list knows of their conversations, and what events do to it."""

from datetime import UTC, datetime

from carechat.domain.conversations import Conversation, Kind, Member, Summary, Unread
from carechat.domain.events import ConversationChanged, PresenceChanged, ReceiptMoved
from carechat.domain.inbox import Known
from carechat.domain.receipts import Receipt
from carechat.domain.users import Role

DOCTOR, PATIENT = "doctor@example.com", "patient@example.com"
SINCE = datetime(2026, 1, 15, 14, 30, tzinfo=UTC)


def a_summary(unread: Unread | None = None) -> Summary:
    """Return what the doctor's list shows of the conversation with the patient."""
    doctor = Member(DOCTOR, "Dr. Sarah Chen", Role.DOCTOR)
    patient = Member(PATIENT, "Maria Jones", Role.PATIENT)
    return Summary(Conversation("c1", Kind.DIRECT, None, (doctor, patient)), None, unread)


def test_what_events_touch_is_told_once() -> None:
    known = Known(DOCTOR, [a_summary()])
    known.take_in(ReceiptMoved(Receipt("c1", PATIENT, 3, 2)))
    known.take_in(ConversationChanged(a_summary().conversation))
    assert known.touched() == {"c1"}
    assert known.touched() == set()


def test_whose_presence_changes_touches_their_conversations_alone() -> None:
    known = Known(DOCTOR, [a_summary()])
    known.take_in(PresenceChanged("stranger@example.com", present=True))
    assert known.touched() == set()
    known.take_in(PresenceChanged(PATIENT, present=True))
    assert known.touched() == {"c1"}


def test_a_conversation_that_is_not_listed_is_touched_and_stays_unknown() -> None:
    known = Known(DOCTOR)
    known.take_in(ReceiptMoved(Receipt("c1", PATIENT, 3, 2)))
    assert (known.touched(), known.summaries) == ({"c1"}, {})


def test_what_waits_follows_what_the_list_shows() -> None:
    known = Known(DOCTOR, [a_summary()])
    known.learn(a_summary(Unread(2, SINCE)))
    assert known.unread == {"c1": Unread(2, SINCE)}
    known.learn(a_summary())
    assert known.unread == {}
