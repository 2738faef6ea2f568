"""How a refusal looks to an API client: RFC 9457 problem details with a stable code."""

import logging
from http import HTTPStatus
from typing import cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import Scope

from carechat import logs, metrics
from carechat.domain import errors
from carechat.services import watch

logger = logging.getLogger(__name__)

STATUS: dict[type[errors.CareChatError], HTTPStatus] = {
    errors.UnauthenticatedError: HTTPStatus.UNAUTHORIZED,
    errors.ForbiddenError: HTTPStatus.FORBIDDEN,
    errors.NotFoundError: HTTPStatus.NOT_FOUND,
    errors.InvalidError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.ConflictError: HTTPStatus.CONFLICT,
    errors.RateLimitedError: HTTPStatus.TOO_MANY_REQUESTS,
    errors.UnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
}

_CODES = {
    HTTPStatus.UNAUTHORIZED: "unauthenticated",
    HTTPStatus.FORBIDDEN: "forbidden",
    HTTPStatus.NOT_FOUND: "not_found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method_not_allowed",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "too_large",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "unsupported_media",
}

_BROKEN = "Something went wrong on our side. Please try again in a moment."


def problem(
    status: int, code: str, detail: str, headers: dict[str, str] | None = None
) -> JSONResponse:
    """Return the answer that tells of a refusal, with the request's id to find it in the log by."""
    title, request_id = HTTPStatus(status).phrase, logs.request_id()
    told = {"status": status, "title": title, "detail": detail, "code": code}
    # Of HTTP the guard adds it to every answer, of a socket that is refused only this one has it.
    sent = {"Cache-Control": "no-store", **({"X-Request-ID": request_id} if request_id else {})}
    return JSONResponse(
        told | {"request_id": request_id},
        status,
        sent | (headers or {}),
        "application/problem+json",
    )


def register(app: FastAPI) -> None:
    """Let the app answer every error as a problem."""
    app.add_exception_handler(errors.CareChatError, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _broken)


async def _refused(request: Request, error: Exception) -> Response:
    refusal = cast("errors.CareChatError", error)
    if isinstance(refusal, errors.UnavailableError):
        note_unavailable(request.scope, refusal)
    headers = dict[str, str]()
    if isinstance(refusal, errors.RateLimitedError):
        headers["Retry-After"] = str(refusal.retry_after)
    if isinstance(refusal, errors.UnauthenticatedError):
        headers["WWW-Authenticate"] = "Bearer"
    return problem(STATUS[type(refusal)], refusal.code, refusal.detail, headers)


async def _malformed(request: Request, error: Exception) -> Response:
    first = cast("RequestValidationError", error).errors()[0]
    place = [str(part) for part in first["loc"]]
    media = request.headers.get("content-type", "")
    if place[0] == "body" and media and not media.startswith("application/json"):
        detail = "Send the body as application/json."
        return problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media", detail)
    detail = f"{'.'.join(place)}: {first['msg']}"
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, errors.InvalidError.code, detail)


async def _http(_: Request, error: Exception) -> Response:
    raised = cast("HTTPException", error)
    code = _CODES.get(HTTPStatus(raised.status_code), errors.InvalidError.code)
    return problem(raised.status_code, code, raised.detail, dict(raised.headers or {}))


async def _broken(_: Request, __: Exception) -> Response:
    """What `note` tells of; the error goes on to the guard, which does so."""
    return broken()


def broken() -> JSONResponse:
    """Return the answer after an error that nobody has thought of."""
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, errors.UnavailableError.code, _BROKEN)


def note(scope: Scope, error: Exception) -> None:
    """Count and log an error that nobody has thought of, with its place and without its text."""
    metrics.failed()
    logger.error("%s failed: %s", _what(scope), logs.failure(error))


def note_unavailable(scope: Scope, error: errors.UnavailableError) -> None:
    """Log a refusal that is our fault, so that it is found by the id that somebody was shown."""
    what = _what(scope)
    # Whoever watches asks this all the time, and the watch has told why.
    if not what.endswith(" /readyz"):
        logger.warning("%s unavailable: %s", what, watch.kind(error))


def _what(scope: Scope) -> str:
    """What was asked for, without whom it is about: the route with the names of its parts."""
    return f"{scope.get('method', 'socket')} {getattr(scope.get('route'), 'path', '')}".strip()
