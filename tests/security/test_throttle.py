"""Throttles: how often a password may be tried and a message sent."""

from contextlib import ExitStack, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carechat.domain import errors
from carechat.security import throttle
from carechat.security.throttle import LoginThrottle, Seats, SendThrottle
from tests.scraping import Rise

EMAIL = "doctor@example.com"


def wait_for(logins: LoginThrottle, now: float, email: str = EMAIL, network: str = "n1") -> int:
    """Return how many seconds the next try has to wait, 0 if it was taken."""
    try:
        logins.attempt(email, network, now)
    except errors.RateLimitedError as error:
        return error.retry_after
    return 0


@pytest.fixture
def logins() -> LoginThrottle:
    """Return a throttle that has seen ten failures, a second apart, for one address."""
    logins = LoginThrottle()
    assert [wait_for(logins, now) for now in range(10)] == [0] * 10
    return logins


def test_the_eleventh_try_from_one_network_waits_for_the_first_to_be_forgotten(
    logins: LoginThrottle,
) -> None:
    assert wait_for(logins, 10) == 15 * 60 - 10
    assert wait_for(logins, 15 * 60 - 0.5) == 1
    assert wait_for(logins, 15 * 60) == 0
    assert wait_for(logins, 15 * 60) == 1


def test_many_at_once_from_one_network_leave_room_for_the_others() -> None:
    logins = LoginThrottle()
    with ExitStack() as under_way:
        for _ in range(throttle.MAX_AT_ONCE_FROM_ONE_NETWORK):
            under_way.enter_context(logins.turn("n1"))
        with pytest.raises(errors.RateLimitedError), logins.turn("n1"):
            pass
        with logins.turn("n2"):
            pass
    with logins.turn("n1"):
        pass


def test_many_at_once_from_everywhere_have_a_bound() -> None:
    logins = LoginThrottle()
    with ExitStack() as under_way:
        for number in range(throttle.MAX_AT_ONCE):
            under_way.enter_context(logins.turn(f"n{number}"))
        with pytest.raises(errors.RateLimitedError), logins.turn("another"):
            pass


def test_other_addresses_and_networks_do_not_wait(logins: LoginThrottle) -> None:
    assert wait_for(logins, 10, email="patient@example.com") == 0
    assert wait_for(logins, 10, network="n2") == 0


def test_a_refused_try_does_not_prolong_the_wait(logins: LoginThrottle) -> None:
    for now in range(10, 800):
        assert wait_for(logins, now) > 0
    assert wait_for(logins, 900) == 0


def test_who_knew_the_password_is_forgiven(logins: LoginThrottle) -> None:
    logins.succeeded(EMAIL, "n1")
    assert wait_for(logins, 10) == 0


def test_the_hundred_and_first_try_waits_wherever_it_comes_from() -> None:
    logins = LoginThrottle()
    assert not any(wait_for(logins, 1, network=f"n{number}") for number in range(100))
    assert wait_for(logins, 1, network="another") == 15 * 60
    logins.succeeded(EMAIL, "n7")
    assert wait_for(logins, 1, network="another") == 0


def test_success_forgives_only_the_tries_from_there() -> None:
    logins = LoginThrottle()
    for network in ["n1"] * 5 + ["n2"] * 10:
        wait_for(logins, 0, network=network)
    logins.succeeded(EMAIL, "n1")
    assert wait_for(logins, 1, network="n2") > 0


def test_what_is_remembered_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "MAX_KEYS", 20)
    logins = LoginThrottle()
    for _ in range(10):
        wait_for(logins, 0)
    for number in range(10):
        wait_for(logins, 1, email=f"p{number}@example.com")
    assert wait_for(logins, 1) == 0


def test_tries_of_other_processes_count_and_are_not_passed_on() -> None:
    logins = LoginThrottle()
    told: list[tuple[str, str, bool]] = []
    logins.announce = lambda *tried: told.append(tried)
    for _ in range(9):
        logins.note("a", "n", 0)
    logins.attempt("a", "n", 0)
    with pytest.raises(errors.RateLimitedError):
        logins.attempt("a", "n", 0)
    logins.forgive("a", "n")
    logins.attempt("a", "n", 0)
    logins.succeeded("a", "n")
    assert told == [("a", "n", False), ("a", "n", False), ("a", "n", True)]


def test_a_burst_is_let_through_and_then_one_at_a_time() -> None:
    sends = SendThrottle(rate=5, burst=20)
    for _ in range(20):
        sends.take("u1", 0)
    with pytest.raises(errors.RateLimitedError) as refusal:
        sends.take("u1", 0.1)
    assert refusal.value.retry_after == 1
    sends.take("u1", 0.3)
    sends.take("u2", 0.3)


@given(st.lists(st.floats(0, 2), max_size=60))
def test_never_more_than_the_rate_and_the_burst_get_through(pauses: list[float]) -> None:
    sends, now, taken = SendThrottle(rate=2, burst=3), 0.0, 0
    for pause in pauses:
        now += pause
        try:
            sends.take("u1", now)
        except errors.RateLimitedError:
            continue
        taken += 1
    assert taken <= 3 + 2 * now + 1e-6


def test_the_buckets_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "MAX_KEYS", 2)
    sends = SendThrottle(rate=1, burst=1)
    for user in ("u1", "u2", "u3", "u1"):
        sends.take(user, 0)


def test_the_newest_gets_no_seat_until_another_is_free() -> None:
    seats = Seats(2, "sockets_of_user")
    refused = Rise("carechat_limits_total", limit="sockets_of_user")
    with seats.seat("u1") as first, ExitStack() as second:
        assert (first, second.enter_context(seats.seat("u1"))) == (True, True)
        with seats.seat("u1") as third:
            assert not third
        with seats.seat("u2") as others:
            assert others
        second.close()
        with seats.seat("u1") as third:
            assert third
    assert refused() == 1


def test_a_seat_is_free_again_when_its_holder_fails() -> None:
    seats = Seats(1, "sockets_of_user")
    with suppress(RuntimeError), seats.seat("u1"):
        raise RuntimeError
    with seats.seat("u1") as free:
        assert free


@given(st.lists(st.tuples(st.sampled_from("ab"), st.booleans()), max_size=60))
def test_nobody_ever_has_more_seats_than_there_are(moves: list[tuple[str, bool]]) -> None:
    seats, held = Seats(3, "sockets_of_user"), dict[str, list[ExitStack]](a=[], b=[])
    for holder, comes in moves:
        if not comes and held[holder]:
            held[holder].pop().close()
        elif comes:
            stack = ExitStack()
            assert stack.enter_context(seats.seat(holder)) == (len(held[holder]) < 3)
            if len(held[holder]) < 3:
                held[holder].append(stack)


def test_each_throttle_says_which_limit_was_met() -> None:
    events = SendThrottle(rate=1, burst=1, limit="page_events")
    met = Rise("carechat_limits_total", limit="page_events")
    events.take("p1", 0)
    with pytest.raises(errors.RateLimitedError):
        events.take("p1", 0)
    assert met() == 1
