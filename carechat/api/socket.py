"""The WebSocket at `/ws/{email}`: frames in and out, the same services as behind every door."""

import asyncio
import re
from contextlib import suppress

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from carechat import logs, metrics
from carechat.api import caller, frames, schemas
from carechat.api.errors import STATUS, note_unavailable, problem
from carechat.api.outgoing import Outgoing, Write
from carechat.domain import errors
from carechat.domain.events import (
    Ending,
    Event,
    FellBehind,
    MessageSent,
    ReceiptMoved,
    ServerStopping,
    SessionEnded,
)
from carechat.services import feed, messages, receipts
from carechat.services.access import Address
from carechat.services.context import Context

_PATH = re.compile(r"/ws/[^/]+")

MAX_FRAME_BYTES = 64 * 1024
MAX_BAD_FRAMES = 10

CLOSE_SECONDS = 1
"""How long to try to tell a client why its socket is closed; then the connection is dropped."""

GOING_AWAY = 1001
NOT_JSON = 1003
SESSION_ENDED = 4401
SESSION_IDLE = 4408
TOO_SLOW = 4409
FRAME_TOO_LARGE = 4413
TOO_MANY_SOCKETS = 4429

WRITE = "carechat.write"
"""The ASGI extension of our workers that writes a text frame at once, or returns that it cannot."""

_writer = frames.Writer()


def beside(app: ASGIApp, api: FastAPI) -> ASGIApp:
    """Return what serves the sockets of that API, and lets `app` serve everything else.

    Each layer of `app` would cost memory as long as a socket is open, and time with each frame.
    """

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and _PATH.fullmatch(scope["path"]):
            scope["app"] = api
            await _serve(scope, receive, send)
        else:
            await app(scope, receive, send)

    return serve


async def _serve(scope: Scope, receive: Receive, send: Send) -> None:
    if ctx := await _admit(WebSocket(scope, receive, send)):
        write: Write = scope.get("extensions", {}).get(WRITE, _never)
        # Nobody asks for its headers again, and they would be kept as long as the socket is open.
        scope.clear()
        with ctx.backend.sockets.seat(ctx.user.id) as seated:
            if seated:
                await _Socket(receive, send, write, ctx).serve()
            else:
                await _close(send, TOO_MANY_SOCKETS)


def _never(_text: str) -> bool:
    return False


async def _close(send: Send, code: int) -> None:
    await send({"type": "websocket.close", "code": code, "reason": ""})


async def _admit(websocket: WebSocket) -> Context | None:
    """Accept the socket if it is its owner who asks for it, else answer why not."""
    try:
        ctx = await _identify(websocket, websocket.scope["path"].removeprefix("/ws/"))
    except errors.CareChatError as error:
        if isinstance(error, errors.UnavailableError):
            note_unavailable(websocket.scope, error)
        refusal = problem(STATUS[type(error)], error.code, error.detail)
        await websocket.send_denial_response(refusal)
        return None
    await websocket.accept(headers=[(b"x-request-id", logs.request_id().encode())])
    return ctx


async def _identify(websocket: WebSocket, email: str) -> Context:
    is_own = caller.is_own_origin(websocket)
    if "origin" in websocket.headers and not is_own:
        raise errors.ForbiddenError(caller.FOREIGN)
    if caller.is_by_cookie(websocket) and not is_own:
        raise errors.UnauthenticatedError("Send a bearer token.")
    ctx = await caller.identify(websocket)
    if ctx.user.email != email.strip().lower():
        raise errors.ForbiddenError("This socket is somebody else's.")
    return ctx


class _Socket:
    """One accepted socket: its frames are handled one by one, what happens is pushed meanwhile."""

    __slots__ = (
        "_bad_frames",
        "_ctx",
        "_following",
        "_outgoing",
        "_over",
        "_receive",
        "_send",
        "_write",
    )

    def __init__(self, receive: Receive, send: Send, write: Write, ctx: Context) -> None:
        self._receive = receive
        self._send = send
        self._ctx = ctx
        self._bad_frames = 0
        self._following = feed.Following(ctx, self._take)
        self._outgoing = Outgoing(send, write, self._written, self._too_slow)
        self._write = self._outgoing.write
        self._over: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()

    async def serve(self) -> None:
        """Read and push until one of the two is over, then close the socket if it is still open."""
        try:
            async with self._following.listening():
                code = await self._until_over()
        except errors.UnauthenticatedError:
            code = SESSION_ENDED
        except errors.UnavailableError:
            code = GOING_AWAY
        if code == TOO_SLOW:
            metrics.limited("slow_socket")
        if code is not None:
            with suppress(TimeoutError, RuntimeError, OSError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await _close(self._send, code)

    async def _until_over(self) -> int | None:
        """Return the code to close with, None if the client has closed."""
        sides = [asyncio.create_task(self._read()), asyncio.create_task(self._outgoing.push())]
        for side in sides:
            side.add_done_callback(self._end)
        try:
            return await self._over
        finally:
            self._outgoing.stop()
            for side in sides:
                side.cancel()
            await asyncio.gather(*sides, return_exceptions=True)

    def _end(self, side: asyncio.Task[int | None] | asyncio.Task[None]) -> None:
        """It is over with the first of the two, whatever ends that."""
        if self._over.done() or side.cancelled():
            return
        if error := side.exception():
            self._over.set_exception(error)
        else:
            self._over.set_result(side.result())

    async def _read(self) -> int | None:
        """Handle what comes; returns the code to close with, None if the client closed."""
        while True:
            await self._outgoing.room()
            incoming = await self._receive()
            if incoming["type"] == "websocket.disconnect":
                return None
            text: str = incoming.get("text") or ""
            if len(text.encode() or incoming.get("bytes") or b"") > MAX_FRAME_BYTES:
                metrics.limited("frame_bytes")
                return FRAME_TOO_LARGE
            try:
                fields = frames.read(text)
            except ValueError:
                self._bad_frames += 1
                if self._bad_frames >= MAX_BAD_FRAMES:
                    metrics.limited("bad_frames")
                    return NOT_JSON
                self._refuse(None, errors.InvalidError("A frame is JSON text."))
            else:
                await self._handle(fields)

    async def _handle(self, fields: object) -> None:
        try:
            await self._obey(frames.parse(fields))
        except errors.CareChatError as error:
            self._refuse(frames.client_id(fields), error)

    async def _obey(self, frame: frames.Frame) -> None:
        match frame:
            case schemas.SendFrame():
                sent = await messages.send(self._ctx, _address(frame), frame.outgoing(), self)
                self._write(frames.ack(sent.message))
            case schemas.ReadFrame():
                await receipts.read(self._ctx, _address(frame), frame.seq)
            case schemas.SyncFrame():
                await self._sync(frame)
            case schemas.PingFrame():
                self._write(schemas.PongFrame().model_dump_json())

    async def _sync(self, frame: schemas.SyncFrame) -> None:
        metrics.resynced("sync")
        for conversation_id, after in frame.after.items():
            try:
                with self._following.syncing(conversation_id) as syncing:
                    await self._bring(syncing, after)
            except errors.NotFoundError as error:
                self._refuse(None, error)
        self._write(schemas.SyncedFrame().model_dump_json())

    async def _bring(self, syncing: feed.Syncing, after: int) -> None:
        address = Address(conversation_id=syncing.conversation_id)
        has_all = False
        while not has_all:
            missed = await messages.missed(self._ctx, address, after)
            for message in missed.messages:
                await self._outgoing.room()
                self._write(frames.message(message))
            after = missed.last
            has_all = not missed.more and syncing.has_all(after)

    def _take(self, event: Event) -> None:
        """Let what happens be pushed."""
        match event:
            case MessageSent():
                if event.origin is not self:  # else its client hears of that by the ack
                    self._write(_writer.write(event), event)
            case ReceiptMoved():
                self._write(_writer.write(event))
            case ServerStopping() | FellBehind():
                self._close(GOING_AWAY)
            case SessionEnded(ending):
                self._outgoing.drop()
                self._close(SESSION_IDLE if ending is Ending.IDLE else SESSION_ENDED)
            case _:
                pass

    def _refuse(self, client_id: str | None, error: errors.CareChatError) -> None:
        retry_after = error.retry_after if isinstance(error, errors.RateLimitedError) else None
        frame = schemas.ErrorFrame(
            client_id=client_id, code=error.code, detail=error.detail, retry_after=retry_after
        )
        self._write(frame.model_dump_json())

    def _close(self, code: int) -> None:
        if not self._over.done():
            self._over.set_result(code)

    def _written(self, sent: MessageSent) -> None:
        self._following.handed(sent)
        waited = self._ctx.now() - sent.message.timestamp
        metrics.delivered("ws", waited.total_seconds())

    def _too_slow(self) -> None:
        self._close(TOO_SLOW)


def _address(frame: schemas.SendFrame | schemas.ReadFrame) -> Address:
    return Address(frame.conversation_id, frame.receiver_email)
