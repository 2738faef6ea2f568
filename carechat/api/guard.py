"""The guard: stands before all that this process serves, the pages and their socket included."""

import asyncio
import base64
import hashlib
import logging
import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from carechat import logs, metrics
from carechat.api import errors, proxies
from carechat.api.errors import problem

MAX_BODY_BYTES = 64 * 1024
BODY_SECONDS = 30.0
"""How long a request may take to bring its body."""

INTERNAL_ERROR = 1011
"""The code that an open socket is closed with when something broke."""

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})

_INLINE_SCRIPT = re.compile(rb"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.DOTALL)
_NOT_A_PAGE = "default-src 'none'; frame-ancestors 'none'"
_TOO_LARGE = f"A request has at most {MAX_BODY_BYTES:,} bytes."
_TOO_SLOW = "The request took too long to arrive."
_TOO_MANY = "Too many connections are open from where you are. Please close some."
_SOCKET_IPV6_BITS = 64

Seat = Callable[[str], AbstractContextManager[bool]]
"""Takes a place of that holder until the context is left; gives False if there is none."""

logger = logging.getLogger(__name__)


def content_policy(pages: Path) -> str:
    """Return the pages' content security policy: scripts from here and those built in.

    `pages` is the folder of built HTML; it may not be there, as in development.
    """
    inline = {
        base64.b64encode(hashlib.sha256(script).digest()).decode()
        for page in pages.rglob("*.html")
        for script in _INLINE_SCRIPT.findall(page.read_bytes())
    }
    scripts = " ".join(["'self'", *(f"'sha256-{one}'" for one in sorted(inline))])
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src {scripts}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "media-src 'self' blob:",
            "connect-src 'self'",
            "worker-src 'self'",
            "object-src 'none'",
            "frame-ancestors 'none'",
            "base-uri 'self'",
            "form-action 'self'",
        )
    )


def _unlimited(_: str) -> AbstractContextManager[bool]:
    return nullcontext(True)


class Guard:
    """Adds the security headers, and refuses what no door should see.

    Foreign origins on `/_event` are refused by Reflex itself (`cors_allowed_origins`); foreign
    origins on forms and `/ws` by the routes, which know what they protect.
    """

    def __init__(
        self,
        app: ASGIApp,
        origins: Sequence[str],
        pages: Path,
        trusted: proxies.Networks = (),
        seat: Seat = _unlimited,
    ) -> None:
        """Stand before `app`, for pages of those origins, whose built HTML is in `pages`.

        `trusted` proxies are believed about where a request comes from; a socket is open only
        with a `seat` of its address.
        """
        self._app = app
        self._trusted = trusted
        self._seat = seat
        self._public = urlsplit(origins[0])
        self._policy = content_policy(pages)
        self._pages = {f"/{page.parent.name}" for page in pages.glob("*/index.html")}
        self._is_https = self._public.scheme == "https"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        logs.begin_request()
        headers = Headers(scope=scope)
        if self._trusted and scope["client"]:
            scope = {**scope, "client": (self._client(scope, headers), 0)}
        if scope["type"] == "websocket":
            await self._serve_socket(scope, receive, send)
            return
        if scope["path"] in self._pages:
            # The file server would redirect, which costs a page's first paint a round trip.
            scope = {**scope, "path": f"{scope['path']}/"}
        await self._serve_request(scope, receive, send, headers)

    async def _serve_request(
        self, scope: Scope, receive: Receive, send: Send, headers: Headers
    ) -> None:
        request_id, begun = logs.request_id(), False

        async def send_guarded(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                answer = MutableHeaders(scope=message)
                answer["X-Request-ID"] = request_id
                self._add_headers(scope, answer)
            await send(message)

        if (answer := self._refusal(scope, headers)) is not None:
            await answer(scope, receive, send_guarded)
            return
        try:
            await self._app(scope, _limited(receive), send_guarded)
        except Exception as error:
            # It ends here: the server would log what it says.
            errors.note(scope, error)
            if not begun:
                await errors.broken()(scope, receive, send_guarded)

    def _client(self, scope: Scope, headers: Headers) -> str:
        forwarded = headers.getlist("x-forwarded-for")
        return proxies.client(scope["client"][0], forwarded, self._trusted)

    async def _serve_socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        door: metrics.Door = "ws" if scope["path"].startswith("/ws/") else "page"
        whose = holder(scope)
        with self._seat(whose) if whose else nullcontext(True) as seated:
            if seated:
                try:
                    with metrics.socket(door):
                        await self._app(scope, receive, send)
                except OSError:
                    raise  # the client has gone, which the server knows
                except Exception as error:
                    errors.note(scope, error)
                    await _break_off(receive, send)
                return
        logger.warning("sockets: an address has too many; is it a proxy that is not trusted?")
        await WebSocket(scope, receive, send).send_denial_response(
            problem(429, "rate_limited", _TOO_MANY, {"Retry-After": "60"})
        )

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        """The answer to a request that goes no further."""
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > MAX_BODY_BYTES:
            metrics.limited("body_bytes")
            return problem(413, "too_large", _TOO_LARGE)
        if self._is_page_under_another_name(scope, headers):
            query = scope["query_string"].decode("latin-1")
            path = scope["path"].rstrip("/") + (f"?{query}" if query else "")
            return RedirectResponse(f"{self._public.geturl()}{path}", 307)
        return None

    def _is_page_under_another_name(self, scope: Scope, headers: Headers) -> bool:
        """Whether a browser asks for a page under another loopback name than the one let in."""
        host = host_name(headers.get("host", ""))
        return (
            scope["method"] == "GET"
            and "text/html" in headers.get("accept", "")
            and self._public.hostname in LOOPBACK_HOSTS
            and host in LOOPBACK_HOSTS
            and host != self._public.hostname
        )

    def _add_headers(self, scope: Scope, headers: MutableHeaders) -> None:
        is_page = headers.get("content-type", "").startswith("text/html")
        policy = self._policy if is_page else _NOT_A_PAGE
        headers.setdefault("Content-Security-Policy", policy)
        headers["X-Content-Type-Options"] = "nosniff"
        headers["X-Frame-Options"] = "DENY"
        headers["Referrer-Policy"] = "same-origin"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        if self._is_https:
            headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
        headers.setdefault("Cache-Control", _caching(scope["path"], headers))
        if "location" in headers:
            headers["Location"] = _relative(headers["location"], Headers(scope=scope).get("host"))


async def _break_off(receive: Receive, send: Send) -> None:
    """Refuse a socket, or close it if it is open already."""
    with suppress(OSError):
        try:
            await errors.broken()({"type": "websocket"}, receive, send)
        except RuntimeError:
            await send({"type": "websocket.close", "code": INTERNAL_ERROR})


def _caching(path: str, headers: Headers) -> str:
    if path.startswith("/assets/"):
        return "public, max-age=31536000, immutable"
    is_file = not headers.get("content-type", "").startswith(("text/html", "application/json"))
    return "no-cache" if is_file else "no-store"


def _relative(location: str, host: str | None) -> str:
    """The location without the host that the client claimed, as Reflex and Starlette put there.

    A path that begins with two slashes would name another host once it stands alone.
    """
    scheme, _, rest = location.partition("://")
    claimed, _, path = rest.partition("/")
    ours = scheme in {"http", "https"} and claimed == host
    return f"/{path.lstrip('/')}" if ours else location


def host_name(host: str) -> str | None:
    """Return the name in a `Host` header, without the port; None if it cannot be read."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _limited(receive: Receive) -> Receive:
    """Receive no more than a request may have, also of one that does not say how long it is.

    Nor for longer; what comes after the body, that the client has gone, has no limit.
    """
    taken = 0
    until: float | None = asyncio.get_running_loop().time() + BODY_SECONDS

    async def receive_limited() -> Message:
        nonlocal taken, until
        try:
            async with asyncio.timeout_at(until):
                message = await receive()
        except TimeoutError:
            metrics.limited("body_seconds")
            raise HTTPException(408, _TOO_SLOW) from None
        if not message.get("more_body"):
            until = None
        taken += len(message.get("body", b""))
        if taken > MAX_BODY_BYTES:
            metrics.limited("body_bytes")
            raise HTTPException(413, _TOO_LARGE)
        return message

    return receive_limited


def holder(scope: Scope) -> str:
    """Return whose sockets are counted together: an address, of IPv6 a household; "" for nobody.

    Programs on this machine have no limit, nor has a proxy here: all who come through it would
    share one.
    """
    address = proxies.address(scope["client"][0]) if scope["client"] else None
    if address is None or address.is_loopback:
        return ""
    if address.version == 4:
        return str(address)
    return str(ip_network((address, _SOCKET_IPV6_BITS), strict=False))
