"""The forms of the sign-in and invitation pages: they set the browser's cookie and redirect."""

from contextlib import suppress
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from carechat.api import caller
from carechat.api.caller import AnyBackend
from carechat.domain import errors
from carechat.services import accounts, invitations
from carechat.services.accounts import SignedIn
from carechat.services.context import Backend

HOME = "/dashboard"
LOGIN = "/login"
JOIN = "/join"

router = APIRouter(
    prefix="/auth", include_in_schema=False, dependencies=[Depends(caller.only_own_pages)]
)

Field = Annotated[str, Form()]


@router.post("/session")
async def begin_session(
    request: Request,
    backend: AnyBackend,
    email: Field = "",
    password: Field = "",
    next: Field = HOME,
) -> Response:
    """Sign the browser in and send it to `next`, or back to sign in with what went wrong."""
    to = own_path(next)
    try:
        network = caller.network(request)
        signed_in = await accounts.sign_in(backend, email, password, network)
    except errors.CareChatError as error:
        return _see(request, f"{LOGIN}?{urlencode({'error': error.code, 'next': to})}")
    await _end_session(request, backend)
    return _welcome(request, signed_in, to)


@router.post("/session/end")
async def end_session(request: Request, backend: AnyBackend) -> Response:
    """Sign the browser out and send it to the sign-in page, also if it was signed out already."""
    await _end_session(request, backend)
    response = _see(request, LOGIN)
    caller.clear_cookie(request, response)
    return response


@router.post("/join")
async def join(
    request: Request, backend: AnyBackend, token: Field = "", password: Field = ""
) -> Response:
    """Accept an invitation and sign the browser in, or go back with what went wrong."""
    try:
        signed_in = await invitations.accept(backend, token, password, caller.network(request))
    except errors.CareChatError as error:
        return _see(request, f"{JOIN}?{urlencode({'token': token, 'error': error.code})}")
    await _end_session(request, backend)
    return _welcome(request, signed_in, HOME)


def own_path(path: str) -> str:
    """Return the path if it leads to a page of our own, else the dashboard's."""
    is_own = path.startswith("/") and not path.startswith("//")
    return path if is_own and "\\" not in path and path.isprintable() else HOME


async def _end_session(request: Request, backend: Backend) -> None:
    """End the session that the cookie names; one that cannot be reached ends by itself."""
    with suppress(errors.UnauthenticatedError, errors.UnavailableError):
        await accounts.sign_out(await accounts.resolve(backend, caller.read_cookie(request)))


def _welcome(request: Request, signed_in: SignedIn, path: str) -> Response:
    response = _see(request, path)
    caller.set_cookie(request, response, signed_in)
    return response


def _see(request: Request, path: str) -> Response:
    """Redirect within the origin that asked: in development the pages have another port."""
    own = caller.is_public_origin(request)
    return RedirectResponse(path if own else f"{request.headers['origin']}{path}", 303)
