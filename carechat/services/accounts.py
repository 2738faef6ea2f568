"""Accounts: signing in and out, what a token stands for, and passwords."""

from dataclasses import dataclass
from datetime import timedelta

from carechat import metrics
from carechat.domain import errors
from carechat.domain.users import MAX_EMAIL_LENGTH, User
from carechat.security import passwords, tokens
from carechat.services.context import Backend, Context
from carechat.storage.sessions import Session
from carechat.storage.users import Credentials

SESSION_LIFETIME = timedelta(hours=12)
MAX_SESSIONS = 100
"""Of one person: with one more the one ends that was quiet for longest."""

TOUCH_INTERVAL = timedelta(seconds=5)
"""How exactly it is kept when somebody was last active."""

WRONG = "Email or password is not right"
SIGN_IN = "Please sign in."


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A fresh session: its token proves who its bearer is."""

    token: str
    session: Session

    @property
    def user(self) -> User:
        """Whose session it is."""
        return self.session.user

    @property
    def expires_in(self) -> int:
        """Seconds until it ends in any case."""
        return int(SESSION_LIFETIME.total_seconds())


async def sign_in(backend: Backend, email: str, password: str, network: str) -> SignedIn:
    """Begin a session for the person with that password.

    Raises `UnauthenticatedError` alike, in words and time, for a wrong password and an unknown
    address, and `RateLimitedError` after too many failures for the address; `network` is where the
    try comes from.
    """
    # Nobody has a longer address; the throttle remembers no more of a made-up one.
    email = email.strip().lower()[: MAX_EMAIL_LENGTH + 1]
    try:
        with backend.logins.turn(network):
            credentials = await _proved(backend, email, password, network)
    except errors.RateLimitedError:
        metrics.signed_in("limited")
        raise
    metrics.signed_in("right" if credentials else "wrong")
    if credentials is None:
        raise errors.UnauthenticatedError(WRONG)
    return await admit(backend, credentials)


async def admit(backend: Backend, credentials: Credentials) -> SignedIn:
    """Begin a session for somebody who has just proved who they are with these credentials.

    Raises `UnauthenticatedError` if meanwhile the account was closed or given another password,
    which ended all sessions but this one.
    """
    signed_in = await begin_session(backend, credentials.user)
    if await backend.store.users.credentials(credentials.user.email) != credentials:
        await backend.store.sessions.end(signed_in.session.id)
        raise errors.UnauthenticatedError(WRONG)
    return signed_in


async def begin_session(backend: Backend, user: User) -> SignedIn:
    """Begin a session for that person."""
    now = backend.clock()
    session = Session(
        id=tokens.one_time(),
        user=user,
        expires_at=now + SESSION_LIFETIME,
        active_at=now,
        idle=backend.policy.idle_for(user.role),
    )
    await backend.store.sessions.add(session)
    await backend.store.sessions.end_oldest(user.email, but=MAX_SESSIONS)
    return SignedIn(backend.tokens.issue(user, session.id, now, session.expires_at), session)


async def resolve(backend: Backend, token: str) -> Context:
    """Return the bearer of a token; raises `UnauthenticatedError` unless its session goes on."""
    claims = backend.tokens.verify(token, backend.clock())
    session = await backend.store.sessions.current(claims.session_id)
    if session and session.ends_at <= backend.clock():
        # Not if its owner was active on another process meanwhile.
        session = await backend.store.sessions.find(session.id)
    if session is None or session.user.id != claims.user_id or session.ends_at <= backend.clock():
        raise errors.UnauthenticatedError(SIGN_IN)
    return Context(backend, session)


def whose(backend: Backend, token: str) -> str:
    """Return the id of the person for whom the token was made, or nothing if it is none of ours.

    To count by, not to let anybody in: the session may have ended since.
    """
    try:
        return backend.tokens.verify(token, backend.clock()).user_id
    except errors.UnauthenticatedError:
        return ""


def touch(ctx: Context) -> None:
    """Keep the session awake: its owner did something just now."""
    now = ctx.now()
    if now - ctx.store.sessions.active_at(ctx.session) >= TOUCH_INTERVAL:
        ctx.store.sessions.active(ctx.session.id, now)
        ctx.backend.activity.put(ctx.session.id, now)


async def sign_out(ctx: Context) -> None:
    """End the session; its pages and sockets close wherever they are."""
    await ctx.store.sessions.end(ctx.session.id)


async def change_password(ctx: Context, current: str, new: str, network: str) -> None:
    """Replace the caller's password and end their other sessions.

    Raises `ForbiddenError` if `current` is wrong, `InvalidError` if `new` cannot be chosen, and
    `RateLimitedError` after too many wrong tries, or while too many others are in `network`.
    """
    passwords.check(new)
    email = ctx.user.email
    # Guesses count for each session. A digest: what is counted is told to the other processes.
    session = tokens.digest(ctx.session.id)
    with ctx.backend.logins.turn(network):
        if await _proved(ctx.backend, email, current, session) is None:
            raise errors.ForbiddenError("Your current password is not right.")
        password_hash = await ctx.backend.passwords.hash(new)
    await set_password(ctx.backend, email, password_hash, keep=ctx.session.id)


async def set_password(backend: Backend, email: str, password_hash: str, keep: str = "") -> None:
    """Give the account another password and end its sessions, but the one to keep."""
    await backend.store.users.set_password(email, password_hash)
    await backend.store.sessions.end_all(email, but=keep)


async def _proved(backend: Backend, email: str, password: str, network: str) -> Credentials | None:
    """The credentials of the account if that is its password, None if not, after as long."""
    backend.logins.attempt(email, network, backend.seconds())
    found = await backend.store.users.credentials(email)
    password_hash = found.password_hash if found else None
    is_right = await backend.passwords.verify(password, password_hash)
    if found is None or not is_right:
        return None
    backend.logins.succeeded(email, network)
    return found
