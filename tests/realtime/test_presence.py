"""Presence: somebody is there from the first page or socket until some time after the last."""

import asyncio

from carechat.realtime.presence import Presence

GRACE = 0.05


async def test_the_first_page_is_news_and_the_second_is_not() -> None:
    presence = Presence(GRACE)
    assert presence.enter("a")
    assert not presence.enter("a")
    assert presence.is_present("a")
    assert not presence.is_present("b")


async def test_one_is_gone_only_some_time_after_the_last_page() -> None:
    presence, gone = Presence(GRACE), asyncio.Event()
    presence.enter("a")
    presence.enter("a")
    presence.leave("a", gone.set)
    await asyncio.sleep(2 * GRACE)
    assert presence.is_present("a")
    presence.leave("a", gone.set)
    assert presence.is_present("a")
    async with asyncio.timeout(5):
        await gone.wait()
    assert not presence.is_present("a")
    assert presence.enter("a")


async def test_coming_back_in_time_is_not_leaving() -> None:
    presence, gone = Presence(GRACE), asyncio.Event()
    presence.enter("a")
    presence.leave("a", gone.set)
    assert not presence.enter("a")
    await asyncio.sleep(3 * GRACE)
    assert presence.is_present("a")
    assert not gone.is_set()


async def test_after_the_end_nobody_is_told_gone() -> None:
    presence, gone = Presence(GRACE), asyncio.Event()
    presence.enter("a")
    presence.leave("a", gone.set)
    presence.close()
    await asyncio.sleep(2 * GRACE)
    assert not gone.is_set()


def test_the_grace_is_ten_seconds() -> None:
    assert Presence()._grace == 10  # pyright: ignore[reportPrivateUsage]


async def test_somebody_who_is_with_another_process_is_present() -> None:
    presence = Presence(GRACE)
    assert presence.came_elsewhere("b", "a", present=True)
    assert not presence.enter("a")
    assert not presence.came_elsewhere("b", "a", present=False)
    assert presence.is_present("a")


async def test_of_the_people_of_a_process_only_changes_are_news() -> None:
    presence = Presence(GRACE)
    presence.enter("here")
    assert presence.are_elsewhere("b", ["here", "x", "y"]) == {"x": True, "y": True}
    assert presence.are_elsewhere("b", ["x", "z"]) == {"y": False, "z": True}
    assert presence.are_elsewhere("c", ["x"]) == {}


async def test_the_others_are_told_who_comes_and_who_has_left_for_good() -> None:
    presence, gone = Presence(GRACE), asyncio.Event()
    told: list[tuple[str, bool]] = []
    presence.announce = lambda email, present: told.append((email, present))
    presence.enter("a")
    presence.enter("a")
    presence.leave("a", gone.set)
    presence.leave("a", gone.set)
    assert presence.here == ("a",)
    async with asyncio.timeout(5):
        await gone.wait()
    assert told == [("a", True), ("a", False)]
    assert presence.here == ()


async def test_the_last_to_leave_anywhere_is_gone() -> None:
    presence, gone = Presence(GRACE), asyncio.Event()
    presence.enter("a")
    presence.came_elsewhere("b", "a", present=True)
    presence.leave("a", gone.set)
    await asyncio.sleep(3 * GRACE)
    assert not gone.is_set()
    assert presence.came_elsewhere("b", "a", present=False)


async def test_a_process_that_is_missed_keeps_its_people_for_the_grace() -> None:
    presence = Presence(GRACE)
    gone: list[dict[str, bool]] = []
    presence.are_elsewhere("b", ["x", "y"])
    presence.miss("b", gone.append)
    assert presence.is_present("x")
    assert presence.are_elsewhere("b", ["x"]) == {"y": False}
    await asyncio.sleep(3 * GRACE)
    assert presence.is_present("x")
    presence.miss("b", gone.append)
    await asyncio.sleep(3 * GRACE)
    assert gone == [{"x": False}]
    assert not presence.is_present("x")
