"""The WebSocket at `/ws/{email}`: frames in and out, the same services as behind every door."""

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine
from contextlib import suppress
from typing import Annotated, Any, cast

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from carechat.api import caller, schemas
from carechat.api.errors import STATUS, problem
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
from carechat.domain.messages import Message
from carechat.services import feed, messages, receipts
from carechat.services.access import Address
from carechat.services.context import Context

router = APIRouter()

MAX_FRAME_BYTES = 64 * 1024
MAX_BAD_FRAMES = 10
CLOSE_SECONDS = 1
"""How long to try to tell a client why its socket is closed."""

WRITE_SECONDS = 5
"""How long a client may let a frame wait after the server's buffers are full."""

END_SECONDS = 0.5
"""How long a client that takes its frames has to take the end of its session like them."""

GOING_AWAY = 1001
NOT_JSON = 1003
SESSION_ENDED = 4401
SESSION_IDLE = 4408
TOO_SLOW = 4409
FRAME_TOO_LARGE = 4413

_Frame = schemas.SendFrame | schemas.ReadFrame | schemas.SyncFrame | schemas.PingFrame
_FRAME: TypeAdapter[_Frame] = TypeAdapter(Annotated[_Frame, Field(discriminator="type")])


@router.websocket("/ws/{email}")
async def connect(websocket: WebSocket, email: str) -> None:
    """Serve one socket of the person with that address until it, or the session, ends."""
    try:
        ctx = await _admit(websocket, email)
    except errors.CareChatError as error:
        refusal = problem(STATUS[type(error)], error.code, error.detail)
        await websocket.send_denial_response(refusal)
        return
    await websocket.accept()
    await _Socket(websocket, ctx).serve()


async def _admit(websocket: WebSocket, email: str) -> Context:
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

    def __init__(self, websocket: WebSocket, ctx: Context) -> None:
        self._websocket = websocket
        self._ctx = ctx
        self._bad_frames = 0
        self._sending = asyncio.Lock()
        self._sent: set[str] = set()

    async def serve(self) -> None:
        """Read and push until one of the two is over, then close the socket if it is still open."""
        try:
            async with feed.follow(self._ctx) as events:
                code = await _first(self._read(), self._push(events), self._end(events))
        except TimeoutError:
            code = TOO_SLOW
        except errors.UnauthenticatedError:
            code = SESSION_ENDED
        except errors.UnavailableError:
            code = GOING_AWAY
        if code is not None:
            with suppress(TimeoutError, RuntimeError, WebSocketDisconnect):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._websocket.close(code)

    async def _read(self) -> int | None:
        """Handle what comes; returns the code to close with, None if the client closed."""
        while True:
            incoming = await self._websocket.receive()
            if incoming["type"] == "websocket.disconnect":
                return None
            text = incoming.get("text") or ""
            if len(text.encode() or incoming.get("bytes") or b"") > MAX_FRAME_BYTES:
                return FRAME_TOO_LARGE
            try:
                fields = json.loads(text)
            except (ValueError, RecursionError):
                self._bad_frames += 1
                if self._bad_frames >= MAX_BAD_FRAMES:
                    return NOT_JSON
                await self._refuse(None, errors.InvalidError("A frame is JSON text."))
            else:
                await self._handle(fields)

    async def _handle(self, fields: object) -> None:
        try:
            await self._obey(_parse(fields))
        except errors.CareChatError as error:
            await self._refuse(_client_id(fields), error)

    async def _obey(self, frame: _Frame) -> None:
        match frame:
            case schemas.SendFrame():
                await self._send(frame)
            case schemas.ReadFrame():
                await receipts.read(self._ctx, _address(frame), frame.seq)
            case schemas.SyncFrame():
                await self._sync(frame)
            case schemas.PingFrame():
                await self._write(schemas.PongFrame())

    async def _send(self, frame: schemas.SendFrame) -> None:
        async with self._sending:
            sent = await messages.send(self._ctx, _address(frame), frame.outgoing())
            if sent.created:
                self._sent.add(sent.message.id)
        await self._write(schemas.AckFrame.of(sent.message))

    async def _sync(self, frame: schemas.SyncFrame) -> None:
        for conversation_id, after in frame.after.items():
            try:
                await self._bring(Address(conversation_id=conversation_id), after)
            except errors.NotFoundError as error:
                await self._refuse(None, error)
        await self._write(schemas.SyncedFrame())

    async def _bring(self, address: Address, after: int) -> None:
        more = True
        while more:
            page = await messages.history(self._ctx, address, messages.MAX_PAGE, after=after)
            for message in page.messages:
                await self._write(schemas.MessageFrame.of(message))
                after = message.seq
            more = page.more

    async def _push(self, events: AsyncIterator[Event]) -> int | None:
        """Send what happens; returns the code to close with when there is nothing more to come."""
        async for event in events:
            match event:
                case MessageSent(message):
                    if not await self._is_echo(message):
                        await self._write(schemas.MessageFrame.of(message))
                case ReceiptMoved(receipt):
                    await self._write(schemas.ReceiptFrame.of(receipt))
                case ServerStopping():
                    return GOING_AWAY
                case FellBehind():
                    return TOO_SLOW
                case SessionEnded(ending):
                    return SESSION_IDLE if ending is Ending.IDLE else SESSION_ENDED
                case _:
                    pass
        return None

    async def _is_echo(self, message: Message) -> bool:
        """Whether this very socket sent the message: its client hears of that by the ack."""
        if message.sender_email != self._ctx.user.email:
            return False
        async with self._sending:  # what is being sent has no id yet
            is_echo = message.id in self._sent
            self._sent.discard(message.id)
        return is_echo

    async def _refuse(self, client_id: str | None, error: errors.CareChatError) -> None:
        retry_after = error.retry_after if isinstance(error, errors.RateLimitedError) else None
        await self._write(
            schemas.ErrorFrame(
                client_id=client_id, code=error.code, detail=error.detail, retry_after=retry_after
            )
        )

    async def _end(self, events: feed.Following) -> int:
        """Return the code to close with when the session is over and the client takes nothing."""
        await events.over()
        await asyncio.sleep(END_SECONDS)
        return SESSION_ENDED

    async def _write(self, frame: BaseModel) -> None:
        async with asyncio.timeout(WRITE_SECONDS):
            await self._websocket.send_text(frame.model_dump_json())


def _parse(fields: object) -> _Frame:
    """Return the frame; raises `InvalidError` if it has not the form of one."""
    if isinstance(fields, dict):
        fields = {"type": "send"} | cast("dict[str, object]", fields)
    try:
        return _FRAME.validate_python(fields)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "frame"
        raise errors.InvalidError(f"{place}: {first['msg']}") from error


def _client_id(fields: object) -> str | None:
    """The `client_id` that a refusal names, if the frame has one."""
    found = cast("dict[str, object]", fields).get("client_id") if isinstance(fields, dict) else None
    # Half of a surrogate pair, which JSON can spell, could not be sent back.
    return found.encode(errors="replace").decode() if isinstance(found, str) else None


def _address(frame: schemas.SendFrame | schemas.ReadFrame) -> Address:
    return Address(frame.conversation_id, frame.receiver_email)


async def _first(*sides: Coroutine[Any, Any, int | None]) -> int | None:
    """Return what the first side to end returns, after the others were stopped."""
    tasks = [asyncio.create_task(side) for side in sides]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return done.pop().result()
    except (RuntimeError, WebSocketDisconnect):
        return None
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
