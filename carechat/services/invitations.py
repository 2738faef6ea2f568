"""Invitations: one-time links with which a patient joins, or anybody chooses a new password."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from carechat.domain import errors
from carechat.domain.users import Role, User, clean_email, clean_name
from carechat.security import passwords, tokens
from carechat.services import access, accounts
from carechat.services.context import Backend, Context
from carechat.storage.invitations import Invitation, Purpose
from carechat.storage.users import Credentials

JOIN_LIFETIME = timedelta(days=7)
RESET_LIFETIME = timedelta(hours=24)
MAX_OPEN = 500
"""Links of one doctor that nobody has used yet."""

USED_UP = "This link was used already, or is too old. Please ask your clinic for a new one."


@dataclass(frozen=True, slots=True)
class Link:
    """A one-time link, good until `expires_at` (UTC)."""

    url: str
    expires_at: datetime


async def invite(ctx: Context, email: str, name: str) -> Link | User:
    """Let a patient join the calling doctor: returns the link to hand over.

    Somebody who is a patient already is assigned at once, and the answer is their account. Raises
    `ConflictError` if the address has another kind of account, or too many links are open.
    """
    access.as_role(ctx, Role.DOCTOR)
    email, name = clean_email(email), clean_name(name)
    existing = await ctx.store.users.find(email)
    if existing is None:
        await _have_room(ctx)
        return await _issue(ctx.backend, Purpose.JOIN, email, name, ctx.user.email)
    if existing.role is not Role.PATIENT or existing.disabled:
        raise errors.ConflictError("That address has an account that cannot become your patient.")
    await ctx.store.conversations.assign(ctx.user, existing)
    return existing


async def reset(backend: Backend, user: User) -> Link:
    """Return a link with which that person chooses a new password; earlier links stop working."""
    await backend.store.invitations.withdraw(user.email)
    return await _issue(backend, Purpose.RESET, user.email, user.name, None)


async def find(backend: Backend, token: str) -> Invitation:
    """Return what a link is for; raises `NotFoundError` if it is used up, too old or made up."""
    found = await backend.store.invitations.find(tokens.digest(token), backend.clock())
    if found is None:
        raise errors.NotFoundError(USED_UP)
    return found


async def accept(backend: Backend, token: str, password: str, network: str) -> accounts.SignedIn:
    """Use up the link, give its person that password and begin a session.

    Raises `NotFoundError` for a link that is no good, and `InvalidError` for a password that cannot
    be chosen, or `RateLimitedError` while too many others do so, or sign in, from `network`; then
    the link stays good.
    """
    passwords.check(password)
    await find(backend, token)
    with backend.logins.turn(network):
        password_hash = await backend.passwords.hash(password)
    link = await backend.store.invitations.take(tokens.digest(token), backend.clock())
    if link is None:
        raise errors.NotFoundError(USED_UP)
    if link.purpose is Purpose.RESET:
        user = await _with_new_password(backend, link.email, password_hash)
    else:
        user = await _joined(backend, link, password_hash)
    return await accounts.admit(backend, Credentials(user, password_hash))


async def _have_room(ctx: Context) -> None:
    doctor = ctx.user.email
    if await ctx.store.invitations.count_open(doctor, ctx.now(), MAX_OPEN) >= MAX_OPEN:
        raise errors.ConflictError(
            f"Nobody has used your last {MAX_OPEN} invitations yet. They run out after a week."
        )


async def _issue(
    backend: Backend, purpose: Purpose, email: str, name: str, doctor_email: str | None
) -> Link:
    lifetime = JOIN_LIFETIME if purpose is Purpose.JOIN else RESET_LIFETIME
    expires_at = backend.clock() + lifetime
    token = tokens.one_time()
    invitation = Invitation(purpose, email, name, doctor_email, expires_at)
    await backend.store.invitations.add(tokens.digest(token), invitation)
    return Link(f"{backend.policy.public_url}/join?token={token}", expires_at)


async def _joined(backend: Backend, link: Invitation, password_hash: str) -> User:
    doctor = await backend.store.users.find(link.doctor_email or "")
    if doctor is None or doctor.disabled:
        raise errors.NotFoundError(USED_UP)
    users = backend.store.users
    patient = await users.add(link.email, link.name, Role.PATIENT, password_hash, backend.clock())
    await backend.store.conversations.assign(doctor, patient)
    return patient


async def _with_new_password(backend: Backend, email: str, password_hash: str) -> User:
    await accounts.set_password(backend, email, password_hash)
    user = await backend.store.users.find(email)
    if user is None or user.disabled:
        raise errors.NotFoundError(USED_UP)
    return user
