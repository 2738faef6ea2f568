"""Messages: sending them, and reading what was written before."""

import uuid
from dataclasses import dataclass, replace

from carechat.domain import errors
from carechat.domain.conversations import Conversation
from carechat.domain.events import MessageSent
from carechat.domain.messages import Draft, Message, clean_client_id, clean_message
from carechat.services import access, accounts, receipts
from carechat.services.access import Address
from carechat.services.context import Context

MAX_PAGE = 200
"""Messages that are read at once."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message as a caller wants it sent; without a `client_id` it is given one."""

    message: str
    client_id: str | None = None
    reply_to: str | None = None
    attachment_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sent:
    """A stored message; `created` is False if its `client_id` had been stored before."""

    message: Message
    created: bool


@dataclass(frozen=True, slots=True)
class Page:
    """Some messages of a conversation, oldest first, and whether more lie in that direction."""

    conversation: Conversation
    messages: list[Message]
    more: bool


async def send(ctx: Context, address: Address, outgoing: Outgoing) -> Sent:
    """Store a message for good and tell the screens of everybody in the conversation.

    Raises `NotFoundError` if the conversation is not the caller's, `ForbiddenError` if it can only
    be read, `InvalidError` for a text or id that cannot be, `ConflictError` for a `client_id` that
    was used for another text, `RateLimitedError` if it comes too soon after others, and
    `UnavailableError` if it cannot be said whether it was stored: then the same `client_id` may be
    sent again.
    """
    conversation = await access.addressed(ctx, address)
    draft = await _draft(ctx, conversation, outgoing)
    try:
        access.to_write(conversation)
        ctx.backend.sends.take(ctx.user.id, ctx.backend.seconds())
    except (errors.ForbiddenError, errors.RateLimitedError):
        # A refusal says that nothing is stored: not if only the acknowledgement was lost.
        stored = await ctx.store.messages.find_sent(draft)
        if stored and draft.became(stored):
            return Sent(conversation.with_delivery(stored), created=False)
        raise
    sent = await ctx.backend.finish(_store(ctx, conversation, draft))
    await accounts.touch(ctx)
    return sent


async def history(
    ctx: Context,
    address: Address,
    limit: int = 50,
    before: int | None = None,
    after: int | None = None,
) -> Page:
    """Return the newest messages before a number, or the first after one; they count as delivered.

    `limit` is cut to 1 … 200. Raises `NotFoundError` if the conversation is not the caller's.
    """
    conversation = await access.addressed(ctx, address)
    limit = max(1, min(limit, MAX_PAGE))
    found = await ctx.store.messages.history(conversation.id, limit + 1, before, after)
    more = len(found) > limit
    page = found[:limit] if after is not None else found[-limit:]
    if page:
        await receipts.delivered(ctx, conversation.id, page[0].seq, page[-1].seq)
    return Page(conversation, [conversation.with_delivery(one) for one in page], more)


async def _store(ctx: Context, conversation: Conversation, draft: Draft) -> Sent:
    message, created = await ctx.store.messages.append(draft)
    if created:
        ctx.backend.hub.publish(MessageSent(message, conversation), conversation.emails)
    await ctx.store.conversations.note_message(conversation.id, message.timestamp)
    return Sent(conversation.with_delivery(message), created)


async def _draft(ctx: Context, conversation: Conversation, outgoing: Outgoing) -> Draft:
    if outgoing.attachment_ids:
        raise errors.InvalidError("Files cannot be attached yet.")
    draft = Draft(
        conversation_id=conversation.id,
        client_id=_client_id(outgoing),
        sender_email=ctx.user.email,
        receiver_email=conversation.partner(ctx.user.email).email,
        message=clean_message(outgoing.message),
    )
    if outgoing.reply_to is None:
        return draft
    answered = await ctx.store.messages.find(outgoing.reply_to)
    if answered is None or answered.conversation_id != conversation.id:
        raise errors.InvalidError("The message that this replies to is not in the conversation.")
    return replace(draft, reply_to=outgoing.reply_to)


def _client_id(outgoing: Outgoing) -> str:
    given = outgoing.client_id
    return str(uuid.uuid4()) if given is None else clean_client_id(given)
