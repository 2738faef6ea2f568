"""Who calls: the verified person behind a request, from a bearer token or the page's own cookie."""

from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer
from starlette.requests import HTTPConnection
from starlette.responses import Response

from carechat.domain import errors
from carechat.services import accounts, networks
from carechat.services.accounts import SignedIn
from carechat.services.context import Backend, Context

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
FOREIGN = "This may only be asked for by CareChat's own pages."
STARTING = "CareChat is starting. Please try again in a moment."


def get_backend(connection: HTTPConnection) -> Backend:
    """Return the backend of this process; raises `UnavailableError` until it is there."""
    backend: Backend | None = connection.app.state.backend
    if backend is None:
        raise errors.UnavailableError(STARTING)
    return backend


def is_own_origin(connection: HTTPConnection) -> bool:
    """Whether one of CareChat's own pages asks."""
    return connection.headers.get("origin") in connection.app.state.origins


def only_own_pages(request: Request) -> None:
    """Raise `ForbiddenError` unless one of CareChat's own pages asks."""
    if not is_own_origin(request):
        raise errors.ForbiddenError(FOREIGN)


def is_public_origin(request: Request) -> bool:
    """Whether the page that asks has the origin that users see."""
    return request.headers.get("origin") == request.app.state.origins[0]


def network(connection: HTTPConnection) -> str:
    """Return the network that the request comes from, as far as one household or office has it."""
    return networks.network(connection.client.host if connection.client else "")


async def identify(connection: HTTPConnection) -> Context:
    """Return who calls; raises `UnauthenticatedError` for a missing or bad token."""
    token = bearer(connection) or read_cookie(connection)
    return await accounts.resolve(get_backend(connection), token)


async def get_caller(
    request: Request, _shown_in_docs: Annotated[object, Security(HTTPBearer(auto_error=False))]
) -> Context:
    """Return who calls, whose session stays awake by it.

    Raises `ForbiddenError` if a cookie is to change something and the request is not from an own
    page.
    """
    if request.method not in SAFE_METHODS and is_by_cookie(request) and not is_own_origin(request):
        raise errors.ForbiddenError(FOREIGN)
    ctx = await identify(request)
    accounts.touch(ctx)
    return ctx


def is_by_cookie(connection: HTTPConnection) -> bool:
    """Whether it is the browser's cookie, which it sends by itself, that says who calls."""
    return not bearer(connection) and bool(read_cookie(connection))


def read_cookie(connection: HTTPConnection) -> str:
    """Return the token that the page's cookie holds, or nothing."""
    return connection.cookies.get(connection.app.state.cookie, "")


def set_cookie(request: Request, response: Response, signed_in: SignedIn) -> None:
    """Let the browser keep the token where no script can read it."""
    response.set_cookie(
        request.app.state.cookie,
        signed_in.token,
        max_age=signed_in.expires_in,
        secure=request.app.state.https,
        httponly=True,
        samesite="lax",
    )


def clear_cookie(request: Request, response: Response) -> None:
    """Let the browser forget the token."""
    response.delete_cookie(
        request.app.state.cookie, secure=request.app.state.https, httponly=True, samesite="lax"
    )


def bearer(connection: HTTPConnection) -> str:
    """Return the token of the `Authorization` header, or nothing."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


AnyBackend = Annotated[Backend, Depends(get_backend)]
Caller = Annotated[Context, Depends(get_caller)]
