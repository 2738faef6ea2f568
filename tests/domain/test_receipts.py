"""Receipts: when a message arrived, as far as what is kept tells."""

from datetime import UTC, datetime, timedelta

import pytest

from carechat.domain.receipts import Arrival, arrived_at

BEGIN = datetime(2026, 1, 15, 14, 30, tzinfo=UTC)
ARRIVALS = [Arrival(seq, BEGIN + timedelta(minutes=seq)) for seq in (3, 4, 7)]


@pytest.mark.parametrize(("seq", "minutes"), [(4, 4), (5, 7), (7, 7)])
def test_a_message_arrived_when_the_number_first_reached_it(seq: int, minutes: int) -> None:
    assert arrived_at(ARRIVALS, seq) == BEGIN + timedelta(minutes=minutes)


@pytest.mark.parametrize("seq", [1, 3, 8])
def test_nothing_is_said_of_what_came_before_or_has_not_come(seq: int) -> None:
    assert arrived_at(ARRIVALS, seq) is None


def test_without_arrivals_nothing_is_known() -> None:
    assert arrived_at([], 1) is None
