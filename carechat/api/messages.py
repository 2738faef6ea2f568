"""Messages: the history of a conversation, sending, and marking as read."""

from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Query, Response

from carechat.api import schemas
from carechat.api.caller import Caller
from carechat.domain import errors
from carechat.domain.messages import MAX_SEQ
from carechat.services import messages, receipts
from carechat.services.access import Address
from carechat.services.context import Context

router = APIRouter(tags=["messages"])

Seq = Annotated[int | None, Query(ge=0, le=MAX_SEQ)]


class Range:
    """Which part of a history is asked for."""

    def __init__(
        self,
        limit: Annotated[int, Query(ge=1, le=messages.MAX_PAGE)] = 50,
        before: Seq = None,
        after: Seq = None,
    ) -> None:
        self.limit, self.before, self.after = limit, before, after


@router.patch("/messages/mark-read/{partner_email}")
async def mark_read(ctx: Caller, partner_email: str) -> schemas.Updated:
    """Mark everything that the partner wrote as read."""
    updated = await receipts.read(ctx, Address(partner_email=partner_email))
    return schemas.Updated(updated=updated)


@router.get("/messages/{email1}/{email2}")
async def history_between(
    response: Response, ctx: Caller, email1: str, email2: str, part: Annotated[Range, Depends()]
) -> list[schemas.Message]:
    """Read the caller's messages with a partner, oldest first."""
    address = Address(partner_email=_partner(ctx, email1, email2))
    path = f"/messages/{quote(email1)}/{quote(email2)}"
    return await _history(response, ctx, address, part, path)


@router.get("/conversations/{conversation_id}/messages")
async def history(
    response: Response, ctx: Caller, conversation_id: str, part: Annotated[Range, Depends()]
) -> list[schemas.Message]:
    """Read the messages of a conversation, oldest first."""
    address = Address(conversation_id=conversation_id)
    path = f"/conversations/{quote(conversation_id)}/messages"
    return await _history(response, ctx, address, part, path)


@router.post("/conversations/{conversation_id}/messages", status_code=201)
async def send(
    response: Response, ctx: Caller, conversation_id: str, new: schemas.NewMessage
) -> schemas.Message:
    """Send a message; 200 instead of 201 says that its `client_id` had been stored before."""
    address = Address(conversation_id=conversation_id)
    sent = await messages.send(ctx, address, new.outgoing())
    response.status_code = 201 if sent.created else 200
    return schemas.Message.of(sent.message)


async def _history(
    response: Response, ctx: Context, address: Address, part: Range, path: str
) -> list[schemas.Message]:
    page = await messages.history(ctx, address, part.limit, part.before, part.after)
    if page.more:
        response.headers["Link"] = _link(path, part, page)
    return [schemas.Message.of(one) for one in page.messages]


def _link(path: str, part: Range, page: messages.Page) -> str:
    query = {"limit": part.limit}
    if part.after is None:
        query["before"] = page.messages[0].seq
    else:
        query["after"] = page.messages[-1].seq
        query |= {"before": part.before} if part.before is not None else {}
    return f'<{path}?{urlencode(query)}>; rel="{"prev" if part.after is None else "next"}"'


def _partner(ctx: Context, *emails: str) -> str:
    first, second = (email.strip().lower() for email in emails)
    if ctx.user.email not in (first, second):
        raise errors.ForbiddenError("You can only read your own conversations.")
    return second if first == ctx.user.email else first
