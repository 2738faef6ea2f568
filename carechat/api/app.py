"""The API: every route of it, and an answer of its own to every path below them that is none."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.routing import Match, Mount

from carechat.api import (
    auth,
    conversations,
    docs,
    errors,
    forms,
    health,
    invitations,
    messages,
    metrics,
    schemas,
)

_MODULES = (auth, forms, invitations, messages, conversations, health, metrics, docs)

PREFIXES = (
    "auth",
    "invitations",
    "conversations",
    "messages",
    "healthz",
    "readyz",
    "metrics",
    "docs",
    "openapi.json",
    "ws",
)
"""What the paths begin with that are never a page's."""

COOKIE = "carechat_session"
"""Holds the token for the pages; over https `__Host-` before its name binds it to the origin."""

_PROBLEM = {"application/problem+json": {"schema": schemas.Problem.model_json_schema()}}
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"description": HTTPStatus(status).phrase, "content": _PROBLEM}
    for status in (401, 403, 404, 409, 413, 415, 422, 429, 503)
}

# Those that a path may be told to allow.
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def create(origins: Sequence[str], metrics_token: str = "") -> FastAPI:
    """Return the API for pages of those origins, the public one first.

    `metrics_token`, if there is one, lets others than this machine read the metrics.

    It answers 503 until `state.backend` is set.
    """
    app = FastAPI(
        title="CareChat", version="1.0", docs_url=None, redoc_url=None, responses=_PROBLEMS
    )
    app.state.backend = None
    app.state.metrics_token = metrics_token
    app.state.origins = tuple(origins)
    app.state.https = origins[0].startswith("https:")
    app.state.cookie = f"__Host-{COOKIE}" if app.state.https else COOKIE
    errors.register(app)
    for module in _MODULES:
        app.include_router(module.router)
    _answer_below_prefixes(app)
    return app


def _answer_below_prefixes(app: FastAPI) -> None:
    for prefix in PREFIXES:
        for path in (f"/{prefix}", f"/{prefix}/{{rest:path}}"):
            # No method named means every one, also one that nobody has heard of.
            app.add_route(path, _no_such_route, methods=[], include_in_schema=False)


async def _no_such_route(request: Request) -> Response:
    """Refuse as the API does: the pages are mounted at the root and would answer otherwise."""
    allowed = [method for method in _METHODS if _is_routed(request, method)]
    if allowed:
        raise HTTPException(405, headers={"Allow": ", ".join(allowed)})
    raise HTTPException(404, "There is nothing at this path.")


def _is_routed(request: Request, method: str) -> bool:
    """Whether the path would be answered if it were asked for with that method."""
    scope = {**request.scope, "method": method}
    return any(
        route.matches(scope)[0] is Match.FULL
        for route in request.app.router.routes
        if getattr(route, "endpoint", None) is not _no_such_route and not isinstance(route, Mount)
    )
