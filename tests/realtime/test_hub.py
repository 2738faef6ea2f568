"""The hub: who is told what, and what is the last thing that somebody is told."""

from contextlib import ExitStack

import pytest

from carechat.domain.events import (
    Ending,
    Event,
    PresenceChanged,
    ServerStopping,
    SessionEnded,
)
from carechat.realtime.hub import Hub

NEWS = PresenceChanged("x@example.com", present=True)


def told() -> list[Event]:
    """Return what takes events and keeps them."""
    return []


def test_only_those_who_are_addressed_are_told() -> None:
    hub, a, b, other = Hub(), told(), told(), told()
    with ExitStack() as listening:
        for email, session_id, events in (("a", "s1", a), ("b", "s2", b), ("a", "s3", other)):
            listening.enter_context(hub.listen(email, session_id, events.append))
        hub.publish(NEWS, ["a", "nobody"])
    assert [a, other, b] == [[NEWS], [NEWS], []]


def test_who_has_left_is_told_nothing_and_forgotten() -> None:
    hub, left = Hub(), told()
    with hub.listen("a", "s1", left.append), hub.listen("a", "s2", told().append):
        assert hub.sessions() == {"s1", "s2"}
    hub.publish(NEWS, ["a"])
    assert left == []
    assert hub.sessions() == set()


def test_an_exception_leaves_no_listener_behind() -> None:
    hub = Hub()
    with pytest.raises(ZeroDivisionError), hub.listen("a", "s1", told().append):
        _ = 1 / 0
    assert hub.sessions() == set()


def test_the_end_of_a_session_is_told_to_its_listeners_alone_and_nothing_after_it() -> None:
    hub, ended, other = Hub(), told(), told()
    with hub.listen("a", "s1", ended.append), hub.listen("a", "s2", other.append):
        hub.end_session("s1", Ending.IDLE)
        hub.publish(NEWS, ["a"])
        hub.end_session("s1", Ending.ENDED)
    assert ended == [SessionEnded(Ending.IDLE)]
    assert other == [NEWS]


def test_who_leaves_while_all_are_told_disturbs_nobody() -> None:
    hub, other = Hub(), told()
    with ExitStack() as leaving, hub.listen("a", "s2", other.append):
        leaving.enter_context(hub.listen("a", "s1", lambda _: leaving.close()))
        hub.publish(NEWS, ["a"])
        hub.publish(NEWS, ["a"])
    assert other == [NEWS, NEWS]


def test_everybody_hears_that_the_process_stops_who_comes_too_late_as_well() -> None:
    hub, early, late = Hub(), told(), told()
    with hub.listen("a", "s1", early.append):
        hub.close()
        with hub.listen("b", "s2", late.append):
            assert early == late == [ServerStopping()]


def test_what_is_published_is_passed_on_and_what_is_delivered_is_not() -> None:
    hub, here = Hub(), told()
    passed: list[tuple[Event, tuple[str, ...]]] = []
    hub.relay = lambda event, emails: passed.append((event, emails))
    with hub.listen("a", "s1", here.append):
        hub.publish(NEWS, ["a", "b"])
        hub.deliver(NEWS, ["a", "b"])
        hub.database_changed(reachable=True)
        hub.close()
    assert here[:2] == [NEWS, NEWS]
    assert passed == [(NEWS, ("a", "b"))]
