"""Messages: sending them, and reading what was written before."""

import uuid
from dataclasses import dataclass, replace
from functools import partial

from carechat import metrics
from carechat.domain import errors
from carechat.domain.conversations import Conversation
from carechat.domain.events import MessageSent
from carechat.domain.messages import Draft, Message, clean_client_id, clean_message
from carechat.services import access, accounts, receipts
from carechat.services.access import Address
from carechat.services.context import Backend, Context
from carechat.storage.messages import MAX_PAGE


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
class Missed:
    """The first messages that a device has missed: with them it has all up to `last`."""

    messages: list[Message]
    last: int
    more: bool


@dataclass(frozen=True, slots=True)
class Page:
    """Some messages of a conversation, oldest first, and whether more lie in that direction."""

    conversation: Conversation
    messages: list[Message]
    more: bool


@metrics.sending
async def send(ctx: Context, address: Address, outgoing: Outgoing, origin: object = None) -> Sent:
    """Store a message for good and tell the screens of everybody in the conversation.

    The event that tells of it names its `origin`, so that this one may know its own again.

    Raises `NotFoundError` if the conversation is not the caller's, `ForbiddenError` if it can only
    be read, `InvalidError` for a text or id that cannot be, `ConflictError` for a `client_id` that
    was used for another text, `RateLimitedError` if it comes too soon after others, and
    `UnavailableError` if it cannot be said whether it was stored: then the same `client_id` may be
    sent again.
    """
    conversation = await access.known(ctx, address)
    draft = await _draft(ctx, conversation, outgoing)
    try:
        access.to_write(conversation)
        ctx.backend.sends.take(ctx.user.id, ctx.backend.seconds())
    except (errors.ForbiddenError, errors.RateLimitedError):
        # A refusal says that nothing is stored: not if only the acknowledgement was lost.
        stored = await ctx.store.messages.find_sent(draft)
        if stored and draft.became(stored):
            return await _sent_before(ctx, stored)
        raise
    tell = partial(_tell, ctx.backend, conversation, origin)
    message, created = await ctx.store.messages.append(draft, tell)
    accounts.touch(ctx)
    return Sent(message, created) if created else await _sent_before(ctx, message)


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
    page = found[:limit] if after is not None else found[-limit:]
    if page:
        await receipts.delivered(ctx, conversation, page[0].seq, page[-1].seq)
    shown = [conversation.with_delivery(one) for one in page]
    return Page(conversation, shown, len(found) > limit)


async def missed(ctx: Context, address: Address, after: int) -> Missed:
    """Return the first messages after a number up to which a device of the caller has them all.

    All of these count as delivered, which is noted soon after: who was told of them could have
    died before that.
    Raises `NotFoundError` if the conversation is not the caller's.
    """
    conversation = await access.returned_to(ctx, address)
    found, more = await ctx.store.messages.later(conversation.id, after)
    page = [conversation.with_delivery(one) for one in found]
    last = page[-1].seq if page else await _reached(ctx, conversation, after)
    if conversation.member(ctx.user.email).delivered_seq < last:
        ctx.backend.progress.arrived(conversation.id, ctx.user.email, 1, last)
    return Missed(page, last, more)


async def _reached(ctx: Context, conversation: Conversation, after: int) -> int:
    """The number that a device has got to: it cannot have more than there is."""
    if after <= conversation.member(ctx.user.email).delivered_seq:
        return after
    return await ctx.store.messages.last_seq(conversation.id, most=after)


def _tell(backend: Backend, conversation: Conversation, origin: object, message: Message) -> None:
    backend.hub.publish(MessageSent(message, conversation, origin), conversation.emails)
    backend.progress.sent(message)


async def _sent_before(ctx: Context, message: Message) -> Sent:
    conversation = await access.conversation(ctx, message.conversation_id)
    return Sent(conversation.with_delivery(message), created=False)


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
