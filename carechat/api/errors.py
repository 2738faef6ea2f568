"""How a refusal looks to an API client: RFC 9457 problem details with a stable code."""

import logging
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from carechat.domain import errors

logger = logging.getLogger(__name__)

STATUS = {
    errors.UnauthenticatedError: HTTPStatus.UNAUTHORIZED,
    errors.ForbiddenError: HTTPStatus.FORBIDDEN,
    errors.NotFoundError: HTTPStatus.NOT_FOUND,
    errors.InvalidError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.ConflictError: HTTPStatus.CONFLICT,
    errors.RateLimitedError: HTTPStatus.TOO_MANY_REQUESTS,
    errors.TooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
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
    """Return the answer that tells of a refusal."""
    title = HTTPStatus(status).phrase
    return JSONResponse(
        {"status": status, "title": title, "detail": detail, "code": code},
        status,
        {"Cache-Control": "no-store"} | (headers or {}),
        "application/problem+json",
    )


def register(app: FastAPI) -> None:
    """Let the app answer every error as a problem."""
    app.add_exception_handler(errors.CareChatError, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _broken)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, errors.CareChatError)
    headers = dict[str, str]()
    if isinstance(error, errors.RateLimitedError):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, errors.UnauthenticatedError):
        headers["WWW-Authenticate"] = "Bearer"
    return problem(STATUS[type(error)], error.code, error.detail, headers)


async def _malformed(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = [str(part) for part in first["loc"]]
    media = request.headers.get("content-type", "")
    if place[0] == "body" and media and not media.startswith("application/json"):
        detail = "Send the body as application/json."
        return problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media", detail)
    detail = f"{'.'.join(place)}: {first['msg']}"
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, errors.InvalidError.code, detail)


async def _http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = _CODES.get(HTTPStatus(error.status_code), errors.InvalidError.code)
    return problem(error.status_code, code, error.detail, dict(error.headers or {}))


async def _broken(request: Request, error: Exception) -> Response:
    logger.error("%s %s: %s", request.method, request.scope.get("route"), type(error).__name__)
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, errors.UnavailableError.code, _BROKEN)
