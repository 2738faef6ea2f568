"""The follower of a page: it writes nothing into a tab that has become somebody else's."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest
import reflex as rx

from carechat.domain import errors
from carechat.domain.events import Ending, Event, SessionEnded
from carechat.services.context import Backend, Context
from carechat.ui import live as following
from carechat.ui import rows, session
from carechat.ui.chat.state import Chat
from carechat.ui.live import Live
from tests.factories import a_doctor
from tests.listening import SECONDS

SHOWN = rows.PartnerRow(email="patient@example.com", name="Maria Jones")


@pytest.fixture
async def before(backend: Backend) -> Context:
    """Return the person whose follower goes on for a moment."""
    return await a_doctor(backend)


@pytest.fixture
async def live(backend: Backend) -> Live:
    """Return the follower's state in a tab in which the next person reads a conversation."""
    root = rx.State(_reflex_internal_init=True)  # pyright: ignore[reportCallIssue]
    (await root.get_state(session.Tab))._session_id = (await a_doctor(backend)).session.id
    (await root.get_state(Chat)).partner = SHOWN
    return cast("Live", await root.get_state(Live))


class Feed:
    """A feed that cannot be followed for some tries, and then tells of the end of the session."""

    def __init__(self) -> None:
        self.away = 0
        self.tried = asyncio.Event()

    @asynccontextmanager
    async def followed(self, _ctx: Context) -> AsyncGenerator[AsyncIterator[Event]]:
        self.tried.set()
        if self.away:
            self.away -= 1
            raise errors.UnavailableError("away")
        yield self._idle()

    async def _idle(self) -> AsyncIterator[Event]:
        yield SessionEnded(Ending.IDLE)


@pytest.fixture
def feed(monkeypatch: pytest.MonkeyPatch) -> Feed:
    """Return what is followed."""
    feed = Feed()
    monkeypatch.setattr(following, "_followed", feed.followed)
    return feed


async def test_who_comes_next_in_the_tab_keeps_what_they_read_and_is_not_followed_for_the_other(
    live: Live, before: Context
) -> None:
    async with asyncio.timeout(SECONDS):
        assert await live._follow_on(before) is None
    assert (await live.get_state(Chat)).partner == SHOWN
    assert not before.backend.hub.listens(before.user.email)


async def test_who_comes_next_in_the_tab_is_not_told_that_the_other_could_not_be_followed(
    live: Live, before: Context, feed: Feed
) -> None:
    feed.away = 1
    assert await live._follow_on(before) is None
    assert (await live.get_state(session.Tab)).unreachable == ""


async def test_whose_tab_it_still_is_hears_that_nothing_can_be_stored(
    live: Live, before: Context
) -> None:
    tab = await live.get_state(session.Tab)
    tab._session_id = before.session.id
    await live._tell_unreachable(before)
    assert tab.unreachable == session.UNREACHABLE


async def test_a_page_is_followed_again_when_the_database_answers_again(
    live: Live, before: Context, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    (await live.get_state(session.Tab))._session_id = before.session.id
    monkeypatch.setattr(following, "RETRY_SECONDS", 0)
    feed.away = 2
    assert await live._follow_on(before) is Ending.IDLE
    assert feed.away == 0


async def test_a_tab_that_is_closed_while_the_database_does_not_answer_is_not_followed_any_more(
    live: Live, before: Context, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    tab = await live.get_state(session.Tab)
    tab._session_id = before.session.id
    monkeypatch.setattr(following, "RETRY_SECONDS", 600)
    feed.away = 1_000
    session._caller.set(before)

    async def listen() -> None:
        async for _ in Live.listen.fn(live):
            pass

    listening = asyncio.create_task(listen())
    await feed.tried.wait()
    while not tab.unreachable:  # noqa: ASYNC110 as a page would see it
        await asyncio.sleep(0)
    token = live.router.session.client_token
    assert following.follows(token)
    following.stop(token)
    await asyncio.wait({listening}, timeout=SECONDS)
    assert listening.cancelled()
    assert not following.follows(token)


async def test_a_session_that_was_over_meanwhile_leads_to_the_sign_in(
    live: Live, before: Context
) -> None:
    await before.store.sessions.end(before.session.id)
    assert await live._follow_on(before) is Ending.ENDED
