"""What is taken of an event that a browser sends."""

import pytest

from carechat.ui.sockets import trimmed

PLACE = {"pathname": "/chat", "asPath": "/chat?email=a", "query": {"email": "a"}}


def test_an_event_keeps_the_place_that_it_comes_from_and_nothing_beside() -> None:
    sent = {"name": "x", "payload": {"a": 1}, "router_data": {**PLACE, "junk": "x", "token": "t"}}
    assert trimmed(sent) == {"name": "x", "payload": {"a": 1}, "router_data": PLACE}


@pytest.mark.parametrize("event", [None, 1, "x", [], {}, {"router_data": None}, {"name": "x"}])
def test_what_has_no_place_is_left_to_reflex(event: object) -> None:
    assert trimmed(event) == event
