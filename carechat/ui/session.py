"""Who is behind a State event: the session of the socket's cookie, verified each time."""

import asyncio
from contextvars import ContextVar
from http.cookies import CookieError, SimpleCookie

import reflex as rx
from reflex.app import App
from reflex.event import Event
from reflex.middleware.middleware import Middleware
from reflex.state import BaseState, StateUpdate

from carechat.domain import errors
from carechat.services import accounts
from carechat.services.context import Backend, Context

ANSWER_SECONDS = 1.5
"""How long a page waits to hear whose it is: its state can show nothing else meanwhile, not even
that the database does not answer."""

RETRY_SECONDS = 1.0
"""Between two tries to find out who a page belongs to while the database does not answer."""

_HYDRATION = (".hydrate", ".hydrate_and_load")

NO_ANSWER = "CareChat does not answer right now. Please try again in a moment."

_backend: ContextVar[Backend] = ContextVar("backend")
_caller: ContextVar[Context | None] = ContextVar("caller", default=None)


class Owner(rx.State):
    """Notes whose session the states of a tab were filled for."""

    _session_id: str = ""


def backend() -> Backend:
    """Return what serves the event at hand, whoever is behind it."""
    return _backend.get()


def visitor() -> Context | None:
    """Return who is behind the event, None if nobody is signed in."""
    return _caller.get()


def caller() -> Context:
    """Return who is behind the event; raises `UnauthenticatedError` if nobody is signed in."""
    ctx = _caller.get()
    if ctx is None:
        raise errors.UnauthenticatedError(accounts.SIGN_IN)
    return ctx


async def owns(ctx: Context, state: rx.State) -> bool:
    """Whether the tab's states are still the session's: a background event may outlive it."""
    return (await state.get_state(Owner))._session_id == ctx.session.id


class SessionMiddleware(Middleware):
    """Verifies the cookie before every event, and empties the states of another session.

    Reflex finds a state by a token that the tab keeps and sends: whoever has that token would be
    given the state, by hydration before any other event. So a state is shown only to the
    session that it was filled for.
    """

    def __init__(self, cookie: str) -> None:
        self._cookie = cookie
        self.backend: Backend | None = None

    async def preprocess(self, app: App, state: BaseState, event: Event) -> StateUpdate | None:
        """Let the event see its verified caller, and a state that is the caller's own."""
        if self.backend is None:
            raise errors.UnavailableError(NO_ANSWER)
        ctx = await self._resolve(self.backend, state.router.headers.cookie, event)
        _backend.set(self.backend)
        _caller.set(ctx)
        root = state._get_root_state()
        owner = await root.get_state(Owner)
        session_id = ctx.session.id if ctx else ""
        if owner._session_id != session_id:
            root.reset()
            owner._session_id = session_id
        return None

    async def _resolve(self, backend: Backend, cookie_header: str, event: Event) -> Context | None:
        token = self._token(cookie_header)
        while True:
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    return await accounts.resolve(backend, token)
            except errors.UnauthenticatedError:
                return None
            except (errors.UnavailableError, TimeoutError) as error:
                # A page hydrates once: it waits, for as long as its socket is open.
                if not event.name.endswith(_HYDRATION):
                    raise errors.UnavailableError(NO_ANSWER) from error
                await asyncio.sleep(RETRY_SECONDS)

    def _token(self, cookie_header: str) -> str:
        try:
            morsel = SimpleCookie(cookie_header).get(self._cookie)
        except CookieError:
            return ""
        return morsel.value if morsel else ""
