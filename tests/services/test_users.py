"""What an operator does with accounts and assignments."""

import asyncio

import pytest

from carechat.domain import errors
from carechat.domain.users import Role
from carechat.services import accounts, conversations, messages, users
from carechat.services.context import Backend
from tests.conftest import Records
from tests.factories import PASSWORD, a_caller, a_doctor, a_pair, a_patient, a_user, says, to


async def test_an_account_is_added_with_its_doctors(backend: Backend) -> None:
    doctors = [await a_doctor(backend), await a_doctor(backend)]
    emails = [doctor.user.email.upper() for doctor in doctors]
    user = await users.add(backend, "P@Example.com", " Pat  P ", Role.PATIENT, PASSWORD, emails)
    assert (user.email, user.name) == ("p@example.com", "Pat P")
    patient = await a_caller(backend, user)
    for doctor in doctors:
        await says(doctor, patient)


async def test_the_list_has_every_account_by_address(backend: Backend) -> None:
    for email in ("b@example.com", "a@example.com"):
        await a_user(backend, email=email)
    listed = await users.all_users(backend)
    assert [user.email for user in listed] == ["a@example.com", "b@example.com"]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"email": "no address"}, errors.InvalidError),
        ({"name": ""}, errors.InvalidError),
        ({"password": "short"}, errors.InvalidError),
        ({"password": "password"}, errors.InvalidError),
        ({"doctor_emails": ["nobody@example.com"]}, errors.NotFoundError),
        ({"doctor_emails": ["patient@example.com"]}, errors.NotFoundError),
        ({"role": Role.DOCTOR, "doctor_emails": ["doctor@example.com"]}, errors.InvalidError),
        ({"email": "Patient@example.com"}, errors.ConflictError),
    ],
)
async def test_a_bad_account_is_refused_and_nothing_is_stored(
    backend: Backend, records: Records, change: dict[str, object], error: type[Exception]
) -> None:
    await a_user(backend, Role.DOCTOR, "doctor@example.com")
    await a_user(backend, Role.PATIENT, "patient@example.com")
    good = {"email": "p@example.com", "name": "P", "role": Role.PATIENT, "password": PASSWORD}
    with pytest.raises(error):
        await users.add(backend, **{**good, **change})  # pyright: ignore[reportArgumentType]
    assert records["users"].count_documents({}) == 2
    assert records["conversations"].count_documents({}) == 0


async def test_two_accounts_at_once_for_one_address_are_one(backend: Backend) -> None:
    tries = [users.add(backend, "p@example.com", "P", Role.PATIENT, PASSWORD) for _ in range(5)]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(one, errors.ConflictError) for one in outcomes) == 4


async def test_disabling_ends_sessions_and_writing_but_not_reading(backend: Backend) -> None:
    doctor, patient = await a_pair(backend)
    await says(patient, doctor, "before")
    await users.disable(backend, patient.user.email.upper())
    assert await backend.store.sessions.find(patient.session.id) is None
    with pytest.raises(errors.ForbiddenError):
        await says(doctor, patient)
    page = await messages.history(doctor, to(patient))
    assert [one.message for one in page.messages] == ["before"]
    with pytest.raises(errors.UnauthenticatedError):
        await accounts.sign_in(backend, patient.user.email, PASSWORD, "")


async def test_enabling_brings_everything_back(backend: Backend) -> None:
    doctor, patient = await a_pair(backend)
    await users.disable(backend, patient.user.email)
    await users.enable(backend, patient.user.email)
    await accounts.sign_in(backend, patient.user.email, PASSWORD, "")
    await says(doctor, patient)


async def test_a_disabled_patient_who_is_assigned_cannot_be_written_to(backend: Backend) -> None:
    doctor, patient = await a_doctor(backend), await a_patient(backend)
    await users.disable(backend, patient.user.email)
    conversation = await users.assign(backend, doctor.user.email, patient.user.email)
    assert not conversation.writable


async def test_assigning_twice_or_at_once_gives_one_conversation(backend: Backend) -> None:
    doctor, patient = await a_doctor(backend), await a_patient(backend)
    pair = doctor.user.email, patient.user.email
    found = await asyncio.gather(*(users.assign(backend, *pair) for _ in range(8)))
    assert len({one.id for one in found}) == 1
    assert len((await conversations.page(doctor)).summaries) == 1


async def test_assigning_again_keeps_the_conversation_and_what_was_written(
    backend: Backend,
) -> None:
    doctor, patient = await a_pair(backend)
    first = await says(doctor, patient)
    await users.unassign(backend, doctor.user.email, patient.user.email)
    again = await users.assign(backend, doctor.user.email, patient.user.email)
    assert again.id == first.conversation_id
    assert (await says(patient, doctor)).seq == 2


@pytest.mark.parametrize(
    "pair",
    [
        ("patient@example.com", "doctor@example.com"),
        ("doctor@example.com", "doctor@example.com"),
        ("doctor@example.com", "admin@example.com"),
        ("nobody@example.com", "patient@example.com"),
        ("doctor@example.com", "nobody@example.com"),
    ],
)
async def test_only_a_doctor_and_a_patient_are_assigned(
    backend: Backend, pair: tuple[str, str]
) -> None:
    for role in Role:
        await a_user(backend, role, f"{role}@example.com")
    with pytest.raises(errors.NotFoundError):
        await users.assign(backend, *pair)


async def test_ending_an_assignment_that_is_none_is_an_error(backend: Backend) -> None:
    doctor, patient = await a_pair(backend)
    await users.unassign(backend, doctor.user.email.upper(), patient.user.email)
    with pytest.raises(errors.NotFoundError):
        await users.unassign(backend, doctor.user.email, patient.user.email)


@pytest.mark.parametrize("act", [users.disable, users.enable, users.reset])
async def test_nothing_is_done_to_an_unknown_account(backend: Backend, act: object) -> None:
    with pytest.raises(errors.NotFoundError):
        await act(backend, "nobody@example.com")  # pyright: ignore
