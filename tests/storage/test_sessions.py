"""Sessions: remembered only as long as every end of one would be heard of."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from carechat.domain import errors
from carechat.domain.events import SessionEnded
from carechat.services import accounts, users
from carechat.services.context import Backend, Context
from tests import listening
from tests.conftest import Clock, Records
from tests.factories import PASSWORD, a_caller, a_doctor, a_token
from tests.listening import a_screen
from tests.unreliable import Unreliable

AT_ONCE = 0.2
"""From memory it takes no time; who asks MongoDB, which says nothing, takes longer."""

End = Callable[[Backend, Context], Awaitable[object]]


async def signed_out(backend: Backend, ctx: Context) -> None:
    await backend.store.sessions.end(ctx.session.id)


async def disabled(backend: Backend, ctx: Context) -> None:
    await users.disable(backend, ctx.user.email)


async def another_password(backend: Backend, ctx: Context) -> None:
    elsewhere = await a_caller(backend, ctx.user)
    await accounts.change_password(elsewhere, PASSWORD, "another fine password", "")


async def is_good(ctx: Context) -> bool:
    """Whether the session's token is taken."""
    try:
        await accounts.resolve(ctx.backend, a_token(ctx))
    except errors.UnauthenticatedError:
        return False
    return True


async def is_known_by_heart(ctx: Context) -> bool:
    """Whether it is taken while the database does not say anything of it."""
    try:
        async with asyncio.timeout(AT_ONCE):
            return await is_good(ctx)
    except (errors.UnavailableError, TimeoutError):
        return False


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait until it does."""
    async with asyncio.timeout(listening.SECONDS):
        while not await holds():  # noqa: ASYNC110 MongoDB tells nobody by itself
            await asyncio.sleep(0.01)


async def is_refused(ctx: Context) -> bool:
    """Whether the session's token is not taken any more."""
    return not await is_good(ctx)


async def test_a_session_is_looked_up_once_while_its_end_would_be_heard(
    fragile: Backend, failing: Unreliable
) -> None:
    doctor = await a_doctor(fragile)
    await listening.watch(fragile)

    async def is_remembered() -> bool:
        failing.heal()
        assert await is_good(doctor)
        failing.fail(["find"], errorCode=8000)
        return await is_known_by_heart(doctor)

    # Not at once on a machine so busy that MongoDB's answers are no news.
    await until(is_remembered)


async def test_without_anybody_who_hears_it_is_looked_up_each_time(
    fragile: Backend, failing: Unreliable
) -> None:
    doctor = await a_doctor(fragile)
    assert await is_good(doctor)
    failing.fail(["find"], errorCode=8000)
    assert not await is_known_by_heart(doctor)


@pytest.mark.parametrize("end", [signed_out, disabled, another_password])
async def test_a_session_ended_by_another_process_is_refused_once_that_is_heard(
    watching: Backend, other_process: Backend, end: End
) -> None:
    doctor = await a_doctor(watching)
    assert await is_good(doctor)
    await end(other_process, doctor)
    await until(lambda: is_refused(doctor))


@pytest.mark.parametrize("end", [signed_out, disabled, another_password])
async def test_a_session_ended_by_this_process_is_refused_at_once(
    watching: Backend, end: End
) -> None:
    doctor = await a_doctor(watching)
    assert await is_good(doctor)
    await end(watching, doctor)
    assert not await is_good(doctor)


@pytest.mark.parametrize(
    "how",
    [
        {"errorCode": 8000},
        {"closeConnection": True},
        {"blockConnection": True, "blockTimeMS": 2_500},
    ],
    ids=["refuses", "hangs up", "says nothing"],
)
async def test_once_ends_are_not_heard_any_more_memory_counts_for_nothing(
    fragile: Backend, failing: Unreliable, how: dict[str, Any]
) -> None:
    """Also if the stream of changes is not broken, but has said nothing for a second."""
    doctor = await a_doctor(fragile)
    await listening.watch(fragile)
    assert await is_good(doctor)
    failing.fail(["getMore", "aggregate", "find"], **how)

    async def is_forgotten() -> bool:
        return not await is_known_by_heart(doctor)

    await until(is_forgotten)


async def test_what_ended_while_nobody_heard_it_is_refused_when_the_stream_goes_on(
    fragile: Backend, failing: Unreliable
) -> None:
    doctor = await a_doctor(fragile)
    await listening.watch(fragile)
    assert await is_good(doctor)
    failing.fail(["getMore", "aggregate"], errorCode=8000)
    await fragile.store.sessions.end(doctor.session.id)
    failing.heal()
    await listening.watch(fragile)
    assert not await is_good(doctor)


async def test_an_end_is_not_forgotten_over_what_was_read_before_it(
    backend: Backend, other_process: Backend
) -> None:
    """The session is read, then it ends and that is heard, and then what was read arrives."""
    doctor = await a_doctor(backend)
    sessions = backend.store.sessions
    heard = sessions._heard  # pyright: ignore[reportPrivateUsage] else only `Changes` tells it
    heard.until(asyncio.get_running_loop().time() + 60)
    reading = asyncio.create_task(sessions.current(doctor.session.id))
    await asyncio.sleep(0)
    sessions.forget(doctor.session.id)
    assert await reading
    await other_process.store.sessions.end(doctor.session.id)
    assert not await is_good(doctor)


async def test_what_an_operator_changes_by_hand_counts_once_that_is_heard(
    watching: Backend, records: Records, clock: Clock
) -> None:
    doctor = await a_doctor(watching)
    assert await is_good(doctor)
    change = {"$set": {"expires_at": clock() - timedelta(minutes=1)}}
    records["sessions"].update_one({"_id": doctor.session.id}, change)
    await until(lambda: is_refused(doctor))


async def test_who_throws_all_sessions_away_ends_all_screens(
    watching: Backend, records: Records
) -> None:
    doctor = await a_doctor(watching)
    assert await is_good(doctor)
    async with a_screen(doctor) as screen:
        records["sessions"].drop()
        await until(lambda: is_refused(doctor))
        await screen.until(SessionEnded)


async def test_a_remembered_session_is_awake_if_its_owner_acted_elsewhere(
    watching: Backend, other_process: Backend, clock: Clock
) -> None:
    doctor = await a_doctor(watching)
    assert await is_good(doctor)
    clock.advance(minutes=14)
    accounts.touch(await accounts.resolve(other_process, a_token(doctor)))
    await other_process.activity.settle()
    clock.advance(minutes=14)
    assert await is_good(doctor)
    clock.advance(minutes=2)
    assert not await is_good(doctor)


async def test_who_acts_often_keeps_a_remembered_session_awake(
    watching: Backend, clock: Clock
) -> None:
    doctor = await a_doctor(watching)
    for _ in range(10):
        clock.advance(minutes=10)
        accounts.touch(await accounts.resolve(watching, a_token(doctor)))
        await watching.activity.settle()
    clock.advance(minutes=14)
    assert await is_good(doctor)
