"""The hub: who is told what, and what becomes of a listener that does not keep up."""

import asyncio
from contextlib import suppress

import pytest

from carechat.domain.events import (
    DatabaseChanged,
    Ending,
    Event,
    FellBehind,
    PresenceChanged,
    ServerStopping,
    SessionEnded,
)
from carechat.realtime.hub import BUFFER, Hub, Listener

NEWS = PresenceChanged("x@example.com", present=True)


async def taken(listener: Listener) -> list[Event]:
    """Return everything that waits for a listener."""
    events: list[Event] = []
    with suppress(TimeoutError):
        while True:
            async with asyncio.timeout(0.05):
                events.append(await listener.next())
    return events


async def test_only_those_who_are_addressed_are_told() -> None:
    hub = Hub()
    with hub.listen("a", "s1") as a, hub.listen("b", "s2") as b, hub.listen("a", "s3") as other:
        hub.publish(NEWS, ["a", "nobody"])
        assert [await taken(one) for one in (a, other, b)] == [[NEWS], [NEWS], []]


async def test_who_has_left_is_told_nothing_and_forgotten() -> None:
    hub = Hub()
    with hub.listen("a", "s1") as listener, hub.listen("a", "s2"):
        assert hub.sessions() == {"s1", "s2"}
    hub.publish(NEWS, ["a"])
    assert await taken(listener) == []
    assert hub.sessions() == set()


async def test_an_exception_leaves_no_listener_behind() -> None:
    hub = Hub()
    with pytest.raises(ZeroDivisionError), hub.listen("a", "s1"):
        _ = 1 / 0
    assert hub.sessions() == set()


async def test_who_does_not_keep_up_is_told_so_and_what_came_last() -> None:
    hub = Hub()
    with hub.listen("a", "s1") as listener:
        for _ in range(BUFFER):
            hub.publish(NEWS, ["a"])
        hub.database_changed(reachable=False)
        assert await taken(listener) == [FellBehind(), DatabaseChanged(reachable=False)]


async def test_the_end_of_a_session_is_all_that_its_listeners_are_told() -> None:
    hub = Hub()
    with hub.listen("a", "s1") as ended, hub.listen("a", "s2") as other:
        hub.publish(NEWS, ["a"])
        hub.end_session("s1", Ending.IDLE)
        assert await taken(ended) == [SessionEnded(Ending.IDLE)]
        assert await taken(other) == [NEWS]


async def test_nothing_pushes_the_end_of_a_session_aside() -> None:
    hub = Hub()
    with hub.listen("a", "s1") as listener:
        hub.end_session("s1", Ending.ENDED)
        for _ in range(2 * BUFFER):
            hub.publish(NEWS, ["a"])
        assert await taken(listener) == [SessionEnded(Ending.ENDED)]


async def test_everybody_hears_that_the_process_stops_who_comes_too_late_as_well() -> None:
    hub = Hub()
    with hub.listen("a", "s1") as early:
        hub.close()
        with hub.listen("b", "s2") as late:
            assert await taken(early) == await taken(late) == [ServerStopping()]
