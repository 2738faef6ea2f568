"""Accounts: who gets a session, how long it lasts, and what ends it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from carechat.domain import errors
from carechat.domain.users import Role
from carechat.security.passwords import Passwords
from carechat.security.throttle import MAX_AT_ONCE_FROM_ONE_NETWORK
from carechat.services import accounts, messages, networks, receipts, users
from carechat.services.accounts import SignedIn
from carechat.services.context import Backend, Context
from tests.conftest import Clock, Records
from tests.factories import PASSWORD, a_caller, a_doctor, a_pair, a_token, a_user, says, to

NEW = "another fine password"


async def sign_in(backend: Backend, email: str, password: str = PASSWORD) -> SignedIn:
    """Return the session of somebody who signs in from a home."""
    return await accounts.sign_in(backend, email, password, "192.0.2.0/24")


async def goes_on(ctx: Context) -> bool:
    """Whether the session is still good."""
    try:
        await accounts.resolve(ctx.backend, a_token(ctx))
    except errors.UnauthenticatedError:
        return False
    return True


@pytest.mark.parametrize("role", list(Role))
async def test_everybody_signs_in_with_address_and_password(backend: Backend, role: Role) -> None:
    user = await a_user(backend, role)
    signed_in = await sign_in(backend, f" {user.email.upper()} ")
    assert (signed_in.user, signed_in.expires_in) == (user, 12 * 60 * 60)
    assert (await accounts.resolve(backend, signed_in.token)).user == user


class HeldUp(Passwords):
    """Passwords that begin to compare when the test says so."""

    def __init__(self) -> None:
        super().__init__(cost=4)
        self.asked = asyncio.Event()
        self.go_on = asyncio.Event()

    async def verify(self, password: str, hashed: str | None) -> bool:
        """Compare as always, but later."""
        self.asked.set()
        await self.go_on.wait()
        return await super().verify(password, hashed)


async def disabled(backend: Backend, email: str) -> None:
    """The account is closed."""
    await users.disable(backend, email)


async def another_password(backend: Backend, email: str) -> None:
    """The account gets another password."""
    await accounts.set_password(backend, email, await backend.passwords.hash(NEW))


@pytest.mark.parametrize("meanwhile", [disabled, another_password])
async def test_a_sign_in_under_way_does_not_outlive_what_ends_all_sessions(
    backend: Backend, meanwhile: Callable[[Backend, str], Awaitable[None]]
) -> None:
    user = await a_user(backend)
    passwords = HeldUp()
    signing_in = asyncio.create_task(sign_in(replace(backend, passwords=passwords), user.email))
    await passwords.asked.wait()
    await meanwhile(backend, user.email)
    passwords.go_on.set()
    with pytest.raises(errors.UnauthenticatedError):
        await signing_in
    passwords.close()


async def test_a_wrong_password_and_an_unknown_address_are_told_alike(backend: Backend) -> None:
    user = await a_user(backend)
    disabled = await a_user(backend)
    await users.disable(backend, disabled.email)
    tries = [
        (user.email, "wrong password"),
        (user.email, ""),
        ("nobody@example.com", PASSWORD),
        ("", ""),
        ("x" * 100_000, PASSWORD),
        (disabled.email, PASSWORD),
    ]
    told: set[str] = set()
    for email, password in tries:
        with pytest.raises(errors.UnauthenticatedError) as refusal:
            await sign_in(backend, email, password)
        told.add(refusal.value.detail)
    assert told == {"Email or password is not right"}


async def test_the_eleventh_wrong_try_waits_and_so_does_a_right_one(
    backend: Backend, clock: Clock
) -> None:
    user = await a_user(backend)
    for email in (user.email, "nobody@example.com"):
        for _ in range(10):
            with pytest.raises(errors.UnauthenticatedError):
                await sign_in(backend, email, "wrong")
        with pytest.raises(errors.RateLimitedError) as refusal:
            await sign_in(backend, email)
        assert refusal.value.retry_after == 15 * 60
    clock.advance(minutes=15)
    await sign_in(backend, user.email)


async def test_tries_at_once_count_before_they_are_answered(backend: Backend) -> None:
    user = await a_user(backend)
    tries = [sign_in(backend, user.email, "wrong") for _ in range(15)]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    limited = [one for one in outcomes if isinstance(one, errors.RateLimitedError)]
    assert len(limited) == 5


async def test_who_tries_many_made_up_addresses_keeps_nobody_else_waiting(
    backend: Backend,
) -> None:
    user = await a_user(backend)
    passwords = HeldUp()
    busy = replace(backend, passwords=passwords)
    tries = [
        asyncio.create_task(sign_in(busy, f"{number}@example.com"))
        for number in range(2 * MAX_AT_ONCE_FROM_ONE_NETWORK)
    ]
    await passwords.asked.wait()
    await accounts.sign_in(backend, user.email, PASSWORD, "198.51.100.0/24")
    passwords.go_on.set()
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(one, errors.RateLimitedError) for one in outcomes) == len(tries) // 2
    passwords.close()


async def test_who_asks_for_many_new_passwords_at_once_keeps_nobody_from_signing_in(
    backend: Backend,
) -> None:
    """From however many sessions, and although the password is the right one each time."""
    user = await a_user(backend)
    passwords = HeldUp()
    busy = replace(backend, passwords=passwords)
    sessions = [await a_caller(busy, user) for _ in range(6)]
    tries = [
        asyncio.create_task(accounts.change_password(ctx, PASSWORD, NEW, "192.0.2.0/24"))
        for ctx in sessions
        for _ in range(10)
    ]
    await passwords.asked.wait()
    doctor = await a_user(backend)
    await accounts.sign_in(backend, doctor.email, PASSWORD, "198.51.100.0/24")
    passwords.go_on.set()
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    let_in = [one for one in outcomes if not isinstance(one, errors.RateLimitedError)]
    assert len(let_in) <= MAX_AT_ONCE_FROM_ONE_NETWORK
    passwords.close()


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_tries_of_one_household_count_together(host: str, network: str) -> None:
    assert networks.network(host) == network


async def test_a_guesser_does_not_throw_out_the_owner(backend: Backend) -> None:
    user = await a_user(backend)
    owner = await a_caller(backend, user)
    for _ in range(10):
        with pytest.raises(errors.UnauthenticatedError):
            await sign_in(backend, user.email, "wrong")
    assert await goes_on(owner)
    await accounts.sign_in(backend, user.email, PASSWORD, "198.51.100.0/24")


async def test_sessions_are_kept_and_passwords_are_not(backend: Backend, records: Records) -> None:
    user = await a_user(backend)
    await sign_in(backend, user.email)
    session = records["sessions"].find_one({"email": user.email})
    assert session is not None
    kept = records["users"].find_one({"email": user.email})
    assert kept is not None
    assert kept["password_hash"].startswith("$2b$04$")
    assert PASSWORD not in str(kept) + str(session)


async def test_with_too_many_sessions_the_one_ends_that_was_quiet_for_longest(
    backend: Backend, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "MAX_SESSIONS", 2)
    user, other = await a_user(backend), await a_caller(backend, await a_user(backend))
    callers: list[Context] = []
    for _ in range(3):
        clock.advance(minutes=1)
        callers.append(await a_caller(backend, user))
    assert [await goes_on(caller) for caller in callers] == [False, True, True]
    assert await goes_on(other)


async def test_signing_out_ends_this_session_alone(backend: Backend) -> None:
    user = await a_user(backend)
    here, there = await a_caller(backend, user), await a_caller(backend, user)
    await accounts.sign_out(here)
    assert not await goes_on(here)
    assert await goes_on(there)
    await accounts.sign_out(here)


@pytest.mark.parametrize(
    ("role", "minutes"), [(Role.DOCTOR, 15), (Role.ADMIN, 15), (Role.PATIENT, 60)]
)
async def test_a_session_ends_after_its_idle_time(
    backend: Backend, clock: Clock, role: Role, minutes: int
) -> None:
    ctx = await a_caller(backend, await a_user(backend, role))
    clock.advance(minutes=minutes, seconds=-1)
    assert await goes_on(ctx)
    clock.advance(seconds=1)
    assert not await goes_on(ctx)


async def test_acting_keeps_a_session_awake_but_not_beyond_twelve_hours(
    backend: Backend, clock: Clock
) -> None:
    ctx = await a_doctor(backend)
    for _ in range(12 * 6 - 1):
        clock.advance(minutes=10)
        accounts.touch(await accounts.resolve(backend, a_token(ctx)))
        await backend.activity.settle()
    assert await goes_on(ctx)
    clock.advance(minutes=10)
    assert not await goes_on(ctx)


async def test_sending_keeps_awake_and_reading_does_not(backend: Backend, clock: Clock) -> None:
    doctor, patient = await a_pair(backend)
    clock.advance(minutes=10)
    await says(doctor, patient)
    await backend.activity.settle()
    clock.advance(minutes=10)
    assert await goes_on(doctor)
    await receipts.read(doctor, to(patient), 1)
    await messages.history(doctor, to(patient))
    clock.advance(minutes=5)
    assert not await goes_on(doctor)


async def test_a_token_of_a_session_that_is_somebody_elses_is_refused(backend: Backend) -> None:
    doctor, patient = await a_pair(backend)
    mixed = replace(patient.session, user=doctor.user)
    assert not await goes_on(Context(backend, mixed))


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "\ud800", "null"])
async def test_what_is_no_token_names_nobody(backend: Backend, token: str) -> None:
    with pytest.raises(errors.UnauthenticatedError):
        await accounts.resolve(backend, token)


async def test_a_new_password_ends_the_other_sessions_and_keeps_the_own(backend: Backend) -> None:
    user = await a_user(backend)
    here, there = await a_caller(backend, user), await a_caller(backend, user)
    somebody = await a_doctor(backend)
    await accounts.change_password(here, PASSWORD, NEW, "")
    assert [await goes_on(ctx) for ctx in (here, there, somebody)] == [True, False, True]
    with pytest.raises(errors.UnauthenticatedError):
        await sign_in(backend, user.email, PASSWORD)
    await sign_in(backend, user.email, NEW)


async def test_a_password_is_only_changed_by_who_knows_it(backend: Backend) -> None:
    ctx = await a_doctor(backend)
    other = await a_caller(backend, ctx.user)
    with pytest.raises(errors.ForbiddenError):
        await accounts.change_password(ctx, "wrong", NEW, "")
    assert await goes_on(other)
    await sign_in(backend, ctx.user.email, PASSWORD)


@pytest.mark.parametrize(
    "new", ["short", "password", "x" * 73, "nul\0nul\0nul", "half \ud800 a pair"]
)
async def test_a_password_that_cannot_be_chosen_changes_nothing(backend: Backend, new: str) -> None:
    ctx = await a_doctor(backend)
    other = await a_caller(backend, ctx.user)
    for current in (PASSWORD, "wrong"):  # it is not even compared
        with pytest.raises(errors.InvalidError):
            await accounts.change_password(ctx, current, new, "")
    assert await goes_on(other)
    await sign_in(backend, ctx.user.email, PASSWORD)


async def test_guessing_the_current_password_is_throttled(backend: Backend) -> None:
    ctx = await a_doctor(backend)
    for _ in range(10):
        with pytest.raises(errors.ForbiddenError):
            await accounts.change_password(ctx, "wrong", NEW, "")
    with pytest.raises(errors.RateLimitedError):
        await accounts.change_password(ctx, PASSWORD, NEW, "")


async def test_a_session_lasts_as_long_as_the_operator_says(built: Backend, clock: Clock) -> None:
    policy = replace(built.policy, idle=timedelta(minutes=2))
    ctx = await a_doctor(replace(built, policy=policy))
    clock.advance(minutes=2)
    assert not await goes_on(ctx)
    await built.close()
