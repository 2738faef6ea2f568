"""Invitations: how a patient joins a doctor, and how a lost password is replaced."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from carechat.domain import errors
from carechat.domain.users import Role, User
from carechat.security.passwords import Passwords
from carechat.security.throttle import MAX_AT_ONCE_FROM_ONE_NETWORK
from carechat.services import accounts, conversations, invitations, users
from carechat.services.context import Backend, Context
from carechat.services.invitations import Link
from tests.conftest import Clock, Records
from tests.factories import PASSWORD, a_caller, a_doctor, a_pair, a_patient, a_user, says, to

EMAIL = "new@example.com"
SECONDS = 10.0


def token_of(link: Link | User) -> str:
    """Return the token that a link carries."""
    assert isinstance(link, Link)
    return parse_qs(urlsplit(link.url).query)["token"][0]


async def an_invitation(doctor: Context) -> str:
    """Return the token of an invitation by that doctor."""
    return token_of(await invitations.invite(doctor, EMAIL, "Nora New"))


async def test_a_link_leads_to_the_public_page_for_seven_days(
    backend: Backend, clock: Clock
) -> None:
    link = await invitations.invite(await a_doctor(backend), EMAIL, "Nora New")
    assert isinstance(link, Link)
    assert link.url.startswith("http://localhost:8000/join?token=")
    assert link.expires_at == clock.time + timedelta(days=7)


async def test_who_accepts_is_signed_in_and_belongs_to_the_doctor(backend: Backend) -> None:
    doctor = await a_doctor(backend)
    link = await invitations.invite(doctor, " New@Example.com ", " Nora  New ")
    signed_in = await invitations.accept(backend, token_of(link), PASSWORD, "")
    patient = await accounts.resolve(backend, signed_in.token)
    assert (patient.user.email, patient.user.name) == (EMAIL, "Nora New")
    assert patient.user.role is Role.PATIENT
    await says(patient, doctor)
    await accounts.sign_in(backend, EMAIL, PASSWORD, "")


async def test_a_link_is_good_once(backend: Backend) -> None:
    token = await an_invitation(await a_doctor(backend))
    await invitations.accept(backend, token, PASSWORD, "")
    with pytest.raises(errors.NotFoundError):
        await invitations.accept(backend, token, PASSWORD, "")
    with pytest.raises(errors.NotFoundError):
        await invitations.find(backend, token)


async def test_of_two_who_accept_at_once_one_is_too_late(backend: Backend) -> None:
    token = await an_invitation(await a_doctor(backend))
    tries = [invitations.accept(backend, token, PASSWORD, "") for _ in range(4)]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(one, errors.NotFoundError) for one in outcomes) == 3


class HeldUp(Passwords):
    """Passwords that are hashed when the test says so."""

    def __init__(self) -> None:
        super().__init__(cost=4)
        self.go_on = asyncio.Event()

    async def hash(self, password: str) -> str:
        """Hash as always, but later."""
        await self.go_on.wait()
        return await super().hash(password)


async def test_one_link_that_many_accept_keeps_nobody_from_signing_in(backend: Backend) -> None:
    """Whatever is hashed waits in the queue in which passwords are compared."""
    passwords = HeldUp()
    busy = replace(backend, passwords=passwords)
    token = await an_invitation(await a_doctor(backend))
    tries = [
        asyncio.create_task(invitations.accept(busy, token, PASSWORD, "192.0.2.0/24"))
        for _ in range(80)
    ]
    async with asyncio.timeout(SECONDS):
        while sum(t.done() for t in tries) < 80 - MAX_AT_ONCE_FROM_ONE_NETWORK:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    passwords.go_on.set()
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    limited = [one for one in outcomes if isinstance(one, errors.RateLimitedError)]
    assert len(limited) == 80 - MAX_AT_ONCE_FROM_ONE_NETWORK
    assert sum(isinstance(one, accounts.SignedIn) for one in outcomes) == 1
    passwords.close()


async def test_a_doctor_has_so_many_open_invitations_and_no_more(
    backend: Backend, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invitations, "MAX_OPEN", 2)
    doctor, other = await a_doctor(backend), await a_doctor(backend)
    for _ in range(2):
        await an_invitation(doctor)
    with pytest.raises(errors.ConflictError, match="Nobody has used"):
        await an_invitation(doctor)
    await an_invitation(other)
    clock.advance(days=7)
    await an_invitation(await a_caller(backend, doctor.user))


async def test_an_old_link_is_as_good_as_none(backend: Backend, clock: Clock) -> None:
    token = await an_invitation(await a_doctor(backend))
    clock.advance(days=7, seconds=-1)
    assert (await invitations.find(backend, token)).email == EMAIL
    clock.advance(seconds=1)
    with pytest.raises(errors.NotFoundError):
        await invitations.accept(backend, token, PASSWORD, "")


@pytest.mark.parametrize("token", ["", "x", "\ud800", '{"$ne": null}'])
async def test_a_made_up_link_is_not_found(backend: Backend, token: str) -> None:
    await an_invitation(await a_doctor(backend))
    with pytest.raises(errors.NotFoundError):
        await invitations.accept(backend, token, PASSWORD, "")


async def test_a_bad_password_does_not_use_up_the_link(backend: Backend) -> None:
    token = await an_invitation(await a_doctor(backend))
    for password in ("short", "password", "x" * 73):
        with pytest.raises(errors.InvalidError):
            await invitations.accept(backend, token, password, "")
    await invitations.accept(backend, token, PASSWORD, "")


async def test_only_a_digest_of_the_token_is_kept(backend: Backend, records: Records) -> None:
    token = await an_invitation(await a_doctor(backend))
    assert token not in str(records["invitations"].find_one())


async def test_an_existing_patient_is_assigned_at_once(backend: Backend) -> None:
    doctor, patient = await a_doctor(backend), await a_patient(backend)
    invited = await invitations.invite(doctor, patient.user.email.upper(), "Whoever")
    assert isinstance(invited, User)
    assert (invited.email, invited.name) == (patient.user.email, patient.user.name)
    await says(doctor, patient)


async def test_a_former_patient_is_assigned_again_to_the_same_conversation(
    backend: Backend,
) -> None:
    doctor, patient = await a_pair(backend)
    before = (await conversations.find(doctor, to(patient))).conversation
    await users.unassign(backend, doctor.user.email, patient.user.email)
    await invitations.invite(doctor, patient.user.email, "Maria Jones")
    after = (await conversations.find(doctor, to(patient))).conversation
    assert (after.id, after.writable) == (before.id, True)


@pytest.mark.parametrize("role", [Role.DOCTOR, Role.ADMIN])
async def test_any_other_account_is_a_conflict(backend: Backend, role: Role) -> None:
    other = await a_user(backend, role)
    with pytest.raises(errors.ConflictError):
        await invitations.invite(await a_doctor(backend), other.email, "Other")


async def test_a_disabled_patient_is_a_conflict(backend: Backend) -> None:
    doctor, patient = await a_pair(backend)
    await users.disable(backend, patient.user.email)
    with pytest.raises(errors.ConflictError):
        await invitations.invite(doctor, patient.user.email, "Maria Jones")


@pytest.mark.parametrize("role", [Role.PATIENT, Role.ADMIN])
async def test_only_a_doctor_invites(backend: Backend, role: Role) -> None:
    caller = await a_caller(backend, await a_user(backend, role))
    with pytest.raises(errors.ForbiddenError):
        await invitations.invite(caller, EMAIL, "Nora New")


@pytest.mark.parametrize(("email", "name"), [("no address", "Nora"), (EMAIL, " "), ("", "")])
async def test_what_is_no_address_or_name_is_refused(
    backend: Backend, records: Records, email: str, name: str
) -> None:
    with pytest.raises(errors.InvalidError):
        await invitations.invite(await a_doctor(backend), email, name)
    assert records["invitations"].count_documents({}) == 0


async def test_an_address_that_got_an_account_meanwhile_is_a_conflict(backend: Backend) -> None:
    first, second = [await an_invitation(await a_doctor(backend)) for _ in range(2)]
    await invitations.accept(backend, first, PASSWORD, "")
    with pytest.raises(errors.ConflictError):
        await invitations.accept(backend, second, "their own password", "")


async def test_a_link_of_a_doctor_who_was_disabled_is_worth_nothing(
    backend: Backend, records: Records
) -> None:
    doctor = await a_doctor(backend)
    token = await an_invitation(doctor)
    await users.disable(backend, doctor.user.email)
    with pytest.raises(errors.NotFoundError):
        await invitations.accept(backend, token, PASSWORD, "")
    assert records["users"].count_documents({"email": EMAIL}) == 0


async def test_a_reset_link_gives_a_new_password_for_a_day_and_ends_all_sessions(
    backend: Backend, clock: Clock
) -> None:
    patient = await a_patient(backend)
    link = await users.reset(backend, patient.user.email)
    assert link.expires_at == clock.time + timedelta(hours=24)
    await invitations.accept(backend, token_of(link), "brand new password", "")
    assert await backend.store.sessions.find(patient.session.id) is None
    await accounts.sign_in(backend, patient.user.email, "brand new password", "")
    with pytest.raises(errors.UnauthenticatedError):
        await accounts.sign_in(backend, patient.user.email, PASSWORD, "")


async def test_a_second_reset_link_makes_the_first_worthless(backend: Backend) -> None:
    user = await a_user(backend)
    first = token_of(await users.reset(backend, user.email))
    second = token_of(await users.reset(backend, user.email))
    with pytest.raises(errors.NotFoundError):
        await invitations.accept(backend, first, PASSWORD, "")
    await invitations.accept(backend, second, PASSWORD, "")


async def test_a_disabled_account_has_no_reset_link(backend: Backend) -> None:
    user = await a_user(backend)
    token = token_of(await users.reset(backend, user.email))
    await users.disable(backend, user.email)
    with pytest.raises(errors.NotFoundError):
        await invitations.accept(backend, token, PASSWORD, "")
    with pytest.raises(errors.ConflictError):
        await users.reset(backend, user.email)
