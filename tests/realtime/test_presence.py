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
