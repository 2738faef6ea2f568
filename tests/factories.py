"""People and talk for tests, each valid by itself: a test names only what it cares about."""

import itertools
from collections.abc import Sequence

from carechat.domain.conversations import Conversation, Kind, Member
from carechat.domain.messages import Message
from carechat.domain.users import Role, User
from carechat.services import accounts, messages, users
from carechat.services.access import Address
from carechat.services.context import Backend, Context
from carechat.services.messages import Outgoing
from tests.people import PASSWORD as PASSWORD  # also for tests

CONVERSATION = Conversation(
    id="1" * 24,
    kind=Kind.DIRECT,
    title=None,
    members=(
        Member("a@example.com", "Dr. A", Role.DOCTOR),
        Member("b@example.com", "B", Role.PATIENT),
    ),
)
"""One that is in no database."""

_numbers = itertools.count(1)


async def a_user(
    backend: Backend, role: Role = Role.PATIENT, email: str = "", name: str = "Pat Example"
) -> User:
    """Return a new account."""
    email = email or f"{role}{next(_numbers)}@example.com"
    return await users.add(backend, email, name, role, PASSWORD)


async def a_caller(backend: Backend, user: User) -> Context:
    """Return that person, freshly signed in."""
    signed_in = await accounts.begin_session(backend, user)
    return await accounts.resolve(backend, signed_in.token)


async def a_doctor(backend: Backend, name: str = "Dr. Sarah Chen") -> Context:
    """Return a doctor, signed in."""
    return await a_caller(backend, await a_user(backend, Role.DOCTOR, name=name))


async def a_patient(backend: Backend, *doctors: Context, name: str = "Maria Jones") -> Context:
    """Return a patient of those doctors, signed in."""
    patient = await a_user(backend, Role.PATIENT, name=name)
    for doctor in doctors:
        await users.assign(backend, doctor.user.email, patient.email)
    return await a_caller(backend, patient)


async def a_pair(backend: Backend) -> tuple[Context, Context]:
    """Return a doctor and a patient who belong together, signed in."""
    doctor = await a_doctor(backend)
    return doctor, await a_patient(backend, doctor)


def to(partner: Context) -> Address:
    """Return the address of the conversation with that person."""
    return Address(partner_email=partner.user.email)


async def says(
    sender: Context, receiver: Context, text: str = "Hello", client_id: str | None = None
) -> Message:
    """Return a message that the one sent to the other."""
    sent = await messages.send(sender, to(receiver), Outgoing(text, client_id))
    return sent.message


async def a_conversation(
    doctor: Context, patient: Context, texts: Sequence[str] = ()
) -> Conversation:
    """Return their conversation, in which the patient wrote those texts."""
    for text in texts:
        await says(patient, doctor, text)
    return (await messages.history(doctor, to(patient))).conversation


def a_token(ctx: Context) -> str:
    """Return a token that proves that session."""
    session = ctx.session
    return ctx.backend.tokens.issue(ctx.user, session.id, session.active_at, session.expires_at)


def bearer(ctx: Context) -> dict[str, str]:
    """Return the header with which an API client is that person."""
    return {"Authorization": f"Bearer {a_token(ctx)}"}


async def days_of_talk(doctor: Context, patient: Context, count: int) -> None:
    """Let the patient have written that many messages, numbered from 1."""
    for number in range(1, count + 1):
        await says(patient, doctor, str(number))
