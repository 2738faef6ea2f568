"""Conversations: who may write, and when a message has reached everybody."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from carechat.domain.conversations import Conversation, Kind, Member, Summary
from carechat.domain.messages import Message
from carechat.domain.users import Role

DOCTOR = Member("doctor@example.com", "Dr. Sarah Chen", Role.DOCTOR)
PATIENT = Member("patient@example.com", "Maria Jones", Role.PATIENT)
CONVERSATION = Conversation("c", Kind.DIRECT, None, (DOCTOR, PATIENT))
MESSAGE = Message(
    id="m",
    conversation_id="c",
    seq=3,
    client_id="x",
    sender_email=DOCTOR.email,
    receiver_email=PATIENT.email,
    message="Hello",
    timestamp=datetime(2026, 1, 15, tzinfo=UTC),
)


def test_the_two_of_an_assignment_may_write() -> None:
    assert CONVERSATION.writable


def test_nobody_may_write_after_the_assignment_has_ended() -> None:
    assert not replace(CONVERSATION, assigned=False).writable


@pytest.mark.parametrize("position", [0, 1])
def test_nobody_may_write_when_one_of_the_two_is_disabled(position: int) -> None:
    members = [DOCTOR, PATIENT]
    members[position] = replace(members[position], disabled=True)
    assert not replace(CONVERSATION, members=tuple(members)).writable


def test_each_finds_the_other_and_oneself() -> None:
    assert CONVERSATION.partner(DOCTOR.email) is PATIENT
    assert CONVERSATION.partner(PATIENT.email) is DOCTOR
    assert CONVERSATION.member(DOCTOR.email) is DOCTOR
    assert CONVERSATION.emails == (DOCTOR.email, PATIENT.email)


@pytest.mark.parametrize(("seq", "delivered"), [(0, False), (2, False), (3, True), (4, True)])
def test_a_message_is_delivered_when_the_receivers_number_has_reached_it(
    seq: int, delivered: bool
) -> None:
    members = (DOCTOR, replace(PATIENT, delivered_seq=seq))
    shown = replace(CONVERSATION, members=members).with_delivery(MESSAGE)
    assert shown == replace(MESSAGE, delivered=delivered)


def test_the_senders_own_number_delivers_nothing() -> None:
    members = (replace(DOCTOR, delivered_seq=9), PATIENT)
    assert not replace(CONVERSATION, members=members).with_delivery(MESSAGE).delivered


def test_what_was_read_was_delivered() -> None:
    assert CONVERSATION.with_delivery(replace(MESSAGE, read=True)).delivered


def test_a_summary_counts_to_the_last_message() -> None:
    assert Summary(CONVERSATION, None).last_seq == 0
    assert Summary(CONVERSATION, MESSAGE).last_seq == 3
