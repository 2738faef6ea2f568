"""Users: what an operator does with accounts and assignments from the command line."""

from collections.abc import Sequence

from carechat.domain import errors
from carechat.domain.conversations import Conversation
from carechat.domain.users import Role, User, clean_email, clean_name
from carechat.services import invitations
from carechat.services.context import Backend


async def add(  # noqa: PLR0913 what an operator's table has in its columns
    backend: Backend,
    email: str,
    name: str,
    role: Role,
    password: str,
    doctor_emails: Sequence[str] = (),
) -> User:
    """Add an account; a patient may be given doctors at once.

    Raises `InvalidError` for a value that cannot be, `ConflictError` if the address is taken and
    `NotFoundError` for an unknown doctor; then nothing is stored.
    """
    email, name = clean_email(email), clean_name(name)
    if doctor_emails and role is not Role.PATIENT:
        raise errors.InvalidError("Only a patient has doctors.")
    doctors = [await _account(backend, doctor, Role.DOCTOR) for doctor in doctor_emails]
    password_hash = await backend.passwords.hash(password)
    user = await backend.store.users.add(email, name, role, password_hash, backend.clock())
    for doctor in doctors:
        await backend.store.conversations.assign(doctor, user)
    return user


async def all_users(backend: Backend) -> list[User]:
    """Return every account, by address."""
    return await backend.store.users.all()


async def disable(backend: Backend, email: str) -> None:
    """Close an account: its sessions end, its conversations can only be read."""
    user = await _account(backend, email)
    await backend.store.users.set_disabled(user.email, disabled=True)
    await backend.store.invitations.withdraw(user.email)
    await backend.store.sessions.end_all(user.email)
    await backend.store.conversations.set_disabled(user.email, disabled=True)


async def enable(backend: Backend, email: str) -> None:
    """Open a closed account again."""
    user = await _account(backend, email)
    await backend.store.users.set_disabled(user.email, disabled=False)
    await backend.store.conversations.set_disabled(user.email, disabled=False)


async def reset(backend: Backend, email: str) -> invitations.Link:
    """Return a one-time link with which that person chooses a new password."""
    user = await _account(backend, email)
    if user.disabled:
        raise errors.ConflictError("That account is disabled: enable it first.")
    return await invitations.reset(backend, user)


async def assign(backend: Backend, doctor_email: str, patient_email: str) -> Conversation:
    """Let a doctor and a patient write to each other."""
    doctor = await _account(backend, doctor_email, Role.DOCTOR)
    patient = await _account(backend, patient_email, Role.PATIENT)
    return await backend.store.conversations.assign(doctor, patient)


async def unassign(backend: Backend, doctor_email: str, patient_email: str) -> None:
    """Stop the two from writing; both can still read what was written."""
    doctor_email, patient_email = clean_email(doctor_email), clean_email(patient_email)
    if not await backend.store.conversations.unassign(doctor_email, patient_email):
        raise errors.NotFoundError(f"{patient_email} is not a patient of {doctor_email}.")


async def _account(backend: Backend, email: str, role: Role | None = None) -> User:
    email = clean_email(email)
    user = await backend.store.users.find(email)
    if user is None or (role and user.role is not role):
        raise errors.NotFoundError(f"There is no {role or 'account'} with the address {email}.")
    return user
