"""The ledger notices what is lost, what is there twice, and what is missing between."""

from datetime import UTC, datetime, timedelta

import pytest
from bson import ObjectId

from tests.faults.ledger import Ack, Key, Ledger, Stored

BEGIN = datetime(2026, 1, 15, 14, 30, tzinfo=UTC)


def stored(seq: int, client_id: str = "", **other: object) -> Stored:
    """Return what MongoDB has of a message."""
    return {
        "_id": ObjectId(f"{seq:024x}"),
        "conversation_id": "talk",
        "sender_email": "doctor@example.com",
        "client_id": client_id or str(seq),
        "seq": seq,
        "timestamp": BEGIN + timedelta(seconds=seq),
        "message": text(client_id or seq),
    } | other


def text(client_id: object) -> str:
    """Return what was written in the message."""
    return f"{client_id} Hello"


def key(client_id: int) -> Key:
    """Return by what the message is known."""
    return "talk", "doctor@example.com", str(client_id)


def ack(seq: int) -> Ack:
    """Return what is promised of a message that is stored as `stored` has it."""
    return Ack(f"{seq:024x}", seq, f"2026-01-15T14:30:{seq:02}.000Z")


@pytest.fixture
def ledger() -> Ledger:
    """Return the ledger of three messages that were sent and acknowledged."""
    ledger = Ledger()
    for number in (1, 2, 3):
        ledger.sending(key(number), text(number))
        ledger.note_ack(key(number), ack(number))
    return ledger


def damage(ledger: Ledger, *found: Stored) -> tuple[int, int, int, int]:
    """Return how much is lost, there twice, missing between and without an answer."""
    ledger.compare(found)
    noted = ledger.damage
    return noted.lost, noted.twice, noted.gaps, noted.unanswered


def test_what_is_stored_as_it_was_acknowledged_is_well(ledger: Ledger) -> None:
    assert damage(ledger, stored(2), stored(1), stored(3)) == (0, 0, 0, 0)
    assert not ledger.damage


def test_what_was_acknowledged_and_is_not_stored_is_lost(ledger: Ledger) -> None:
    assert damage(ledger, stored(1), stored(2)) == (1, 0, 0, 0)


def test_what_is_stored_otherwise_than_acknowledged_is_lost(ledger: Ledger) -> None:
    assert damage(ledger, stored(1), stored(2), stored(3, _id=ObjectId())) == (1, 0, 0, 0)
    assert ledger.damage


def test_what_is_stored_with_the_words_of_another_message_is_lost(ledger: Ledger) -> None:
    mixed = stored(2, message=text(3)), stored(3, message=text(2))
    assert damage(ledger, stored(1), *mixed) == (2, 0, 0, 0)


def test_what_somebody_is_told_in_the_words_of_another_message_is_lost(ledger: Ledger) -> None:
    ledger.note_told(key(1), text(1))
    assert not ledger.damage
    ledger.note_told(key(1), text(2))
    ledger.note_told(key(4), text(4))
    assert ledger.damage.lost == 2


def test_a_client_id_that_is_stored_again_is_there_twice(ledger: Ledger) -> None:
    assert damage(ledger, stored(1), stored(2), stored(3), stored(4, "1"))[1] == 1


def test_what_nobody_sent_is_there_once_too_often(ledger: Ledger) -> None:
    assert damage(ledger, stored(1), stored(2), stored(3), stored(4)) == (0, 1, 0, 0)


def test_another_acknowledgement_of_the_same_is_noticed(ledger: Ledger) -> None:
    ledger.note_ack(key(1), ack(1))
    assert not ledger.damage
    ledger.note_ack(key(1), ack(4))
    assert ledger.damage.twice == 1


def test_a_number_that_is_missing_is_a_gap(ledger: Ledger) -> None:
    ledger.sending(key(5), text(5))
    ledger.note_ack(key(5), ack(5))
    assert damage(ledger, stored(1), stored(2), stored(3), stored(5)) == (0, 0, 1, 0)


def test_a_time_that_does_not_rise_is_noticed(ledger: Ledger) -> None:
    late = stored(2, timestamp=BEGIN + timedelta(seconds=3))
    assert damage(ledger, stored(1), late, stored(3))[2] == 1


def test_what_was_never_acknowledged_is_unanswered(ledger: Ledger) -> None:
    ledger.sending(key(4), text(4))
    assert damage(ledger, stored(1), stored(2), stored(3), stored(4)) == (0, 0, 0, 1)
