"""Who is behind a State event: the session of the socket's cookie, verified each time."""

import asyncio
from collections.abc import Iterable
from contextvars import ContextVar

import reflex as rx
from reflex.app import App
from reflex.event import Event
from reflex.istate.data import RouterData
from reflex.middleware.middleware import Middleware
from reflex.state import BaseState, StateUpdate
from reflex_base.event.context import EventContext

from carechat import logs
from carechat.domain import errors
from carechat.services import accounts
from carechat.services.context import Backend, Context
from carechat.ui import routes

ANSWER_SECONDS = 1.5
"""How long a page waits to hear whose it is: its state can show nothing else meanwhile, not even
that the database does not answer."""

RETRY_SECONDS = 1.0
"""Between two tries to find out who a page belongs to while the database does not answer."""

_OPENING = (".hydrate", ".hydrate_and_load", ".on_load_internal", ".listen")
"""What opens a page comes once: it waits until it can be answered, while the socket is open."""

UNREACHABLE = "Messages cannot be saved right now. Yours are kept and go out by themselves."

NO_ANSWER = "CareChat does not answer right now. Please try again in a moment."

_backend: ContextVar[Backend] = ContextVar("backend")
_caller: ContextVar[Context | None] = ContextVar("caller", default=None)


class Tab(rx.State):
    """What is known of a tab: whose session its states are of, and why nothing can be stored."""

    unreachable: str = ""
    _session_id: str = ""


def backend() -> Backend:
    """Return what serves the event at hand, whoever is behind it."""
    return _backend.get()


def visitor() -> Context | None:
    """Return who is behind the event, None if nobody is signed in."""
    return _caller.get()


def here() -> str:
    """Return the address of the page from which the event at hand comes, without the server's."""
    # Not the state's: that has none any more once it was reset, until its page has another address.
    return routes.here(RouterData.from_router_data(EventContext.get().router_data).url)


def caller() -> Context:
    """Return who is behind the event; raises `UnauthenticatedError` if nobody is signed in."""
    ctx = _caller.get()
    if ctx is None:
        raise errors.UnauthenticatedError(accounts.SIGN_IN)
    return ctx


def token(cookie_header: str, cookie: str) -> str:
    """Return the token that the cookie of that name holds in a `Cookie` header, or nothing.

    Whatever other applications have put beside it; the standard library's parser gives up there.
    """
    pairs = (pair.strip().partition("=") for pair in cookie_header.split(";"))
    return next((value for name, _, value in pairs if name == cookie), "")


async def owns(ctx: Context | None, state: BaseState) -> bool:
    """Whether the tab's states are still that session's: a background event may outlive it."""
    return (await state.get_state(Tab))._session_id == _session_id(ctx)


class SessionMiddleware(Middleware):
    """Verifies the cookie before every event, and empties the states of another session.

    Reflex finds a state by a token that the tab keeps and sends: whoever has that token would be
    given the state, by hydration before any other event. So a state is shown only to the
    session that it was filled for.
    """

    def __init__(self, cookie: str) -> None:
        self.cookie = cookie
        self.backend: Backend | None = None

    def token(self, headers: Iterable[tuple[bytes, bytes]]) -> str:
        """Return the token in the cookie of a request with those headers, or nothing."""
        cookies = (value.decode("latin-1") for name, value in headers if name == b"cookie")
        return token("; ".join(cookies), self.cookie)

    async def preprocess(self, app: App, state: BaseState, event: Event) -> StateUpdate | None:
        """Let the event see its verified caller, and a state that is the caller's own."""
        logs.begin_request(EventContext.get().txid)
        if self.backend is None:
            raise errors.UnavailableError(NO_ANSWER)
        ctx = await self._resolve(self.backend, state, event)
        _backend.set(self.backend)
        _caller.set(ctx)
        root = state._get_root_state()
        tab = await root.get_state(Tab)
        if tab._session_id != _session_id(ctx):
            root.reset()
            tab._session_id = _session_id(ctx)
        return None

    async def _resolve(self, backend: Backend, state: BaseState, event: Event) -> Context | None:
        bearer = token(state.router.headers.cookie, self.cookie)
        while True:
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    return await accounts.resolve(backend, bearer)
            except errors.UnauthenticatedError:
                return None
            except (errors.UnavailableError, TimeoutError) as error:
                if not event.name.endswith(_OPENING):
                    raise errors.UnavailableError(NO_ANSWER) from error
                await _say_unreachable(state)
                await asyncio.sleep(RETRY_SECONDS)


def _session_id(ctx: Context | None) -> str:
    return ctx.session.id if ctx else ""


async def _say_unreachable(state: BaseState) -> None:
    """Let the page say that it waits; nothing else of its state goes out to whoever it may be."""
    tab = await state._get_root_state().get_state(Tab)
    tab.unreachable = UNREACHABLE
    await EventContext.get().emit_delta(tab.get_delta())
    tab._clean()
