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


async def test_who_comes_next_in_the_tab_keeps_what_they_read(live: Live, before: Context) -> None:
    await live._load(before)
    assert (await live.get_state(Chat)).partner == SHOWN


async def test_who_comes_next_in_the_tab_is_not_told_that_the_other_could_not_be_followed(
    live: Live, before: Context
) -> None:
    await live._tell_unreachable(before)
    assert (await live.get_state(session.Tab)).unreachable == ""


async def test_whose_tab_it_still_is_hears_that_nothing_can_be_stored(
    live: Live, before: Context
) -> None:
    tab = await live.get_state(session.Tab)
    tab._session_id = before.session.id
    await live._tell_unreachable(before)
    assert tab.unreachable == session.UNREACHABLE


async def test_who_comes_next_in_the_tab_is_not_followed_for_the_other(
    live: Live, before: Context
) -> None:
    async with asyncio.timeout(SECONDS):
        assert await live._follow_on(before) is None
    assert not before.backend.hub.listens(before.user.email)


async def test_a_page_is_followed_again_when_the_database_answers_again(
    live: Live, before: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    (await live.get_state(session.Tab))._session_id = before.session.id
    tries: list[Context] = []

    async def idle() -> AsyncIterator[Event]:
        yield SessionEnded(Ending.IDLE)

    @asynccontextmanager
    async def followed(ctx: Context) -> AsyncGenerator[AsyncIterator[Event]]:
        tries.append(ctx)
        if len(tries) < 3:
            raise errors.UnavailableError("away")
        yield idle()

    monkeypatch.setattr(following, "RETRY_SECONDS", 0)
    monkeypatch.setattr(following, "_followed", followed)
    assert await live._follow_on(before) is Ending.IDLE
    assert tries == 3 * [before]


async def test_a_session_that_was_over_meanwhile_leads_to_the_sign_in(
    live: Live, before: Context
) -> None:
    await before.store.sessions.end(before.session.id)
    assert await live._follow_on(before) is Ending.ENDED
