"""The metrics, for Prometheus on this machine or whoever has the token."""

import hmac
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request, Response

from carechat import scrape
from carechat.api import caller, proxies
from carechat.api.guard import LOOPBACK_HOSTS, host_name
from carechat.domain import errors

router = APIRouter(tags=["operation"])

_PROXYS = frozenset({"forwarded", "x-real-ip", "via", "cf-connecting-ip", "true-client-ip"})
_PROXYS_BEGIN = "x-forwarded-"
"""Headers that say that a proxy passed the request on: then it may come from anywhere."""


def _only_operators(request: Request) -> None:
    """Raise `ForbiddenError` unless the request is from this machine or has the token."""
    if not _has_token(request) and not _is_from_here(request):
        raise errors.ForbiddenError("The metrics are for this machine, or with the token for them.")


# A plain function, which runs in a thread: it reads files.
@router.get("/metrics", dependencies=[Depends(_only_operators)], response_class=Response)
def show() -> Response:
    """Return all metrics as Prometheus reads them."""
    return Response(
        scrape.page(), media_type=scrape.CONTENT_TYPE, headers={"Cache-Control": "no-store"}
    )


def _has_token(request: Request) -> bool:
    token: str = request.app.state.metrics_token
    return bool(token) and hmac.compare_digest(caller.bearer(request).encode(), token.encode())


def _is_from_here(request: Request) -> bool:
    """Whether a program of this machine asks: no proxy's client, nor a page of another name.

    Never if the public address is another machine's: a proxy of it need not say what it is.
    """
    peer = proxies.address(request.client.host) if request.client else None
    public: str = request.app.state.origins[0]
    return (
        peer is not None
        and peer.is_loopback
        and host_name(request.headers.get("host", "")) in LOOPBACK_HOSTS
        and urlsplit(public).hostname in LOOPBACK_HOSTS
        and not any(name in _PROXYS or name.startswith(_PROXYS_BEGIN) for name in request.headers)
    )
