"""Receipts: how far each member has got with a conversation."""

from carechat.domain.conversations import Conversation
from carechat.domain.events import ReceiptMoved
from carechat.domain.receipts import Receipt
from carechat.services import access
from carechat.services.access import Address
from carechat.services.context import Context


async def delivered(ctx: Context, conversation_id: str, first: int, last: int) -> None:
    """Note that the messages `first` to `last` reached a device of the caller.

    The number moves only if nothing that others wrote before them is missing.
    """
    conversations, email = ctx.store.conversations, ctx.user.email
    moved = await conversations.deliver(conversation_id, email, first, last)
    if moved is None and await _only_own_missing(ctx, conversation_id, first, last):
        moved = await conversations.deliver(conversation_id, email, 1, last)
    _tell(ctx, moved)


async def read(ctx: Context, address: Address, seq: int | None = None) -> int:
    """Note that the caller read everything up to `seq`, or all there is.

    Returns how many messages were unread until now; raises `NotFoundError` if the conversation is
    not the caller's. A number beyond the newest message counts as the newest.
    """
    conversation = await access.addressed(ctx, address)
    last_seq = await ctx.store.messages.last_seq(conversation.id)
    seq = last_seq if seq is None else min(seq, last_seq)
    updated = await ctx.store.messages.mark_read(conversation.id, ctx.user.email, seq)
    _tell(ctx, await ctx.store.conversations.read(conversation.id, ctx.user.email, seq))
    return updated


async def _only_own_missing(ctx: Context, conversation_id: str, first: int, last: int) -> bool:
    conversation = await access.conversation(ctx, conversation_id)
    has = conversation.member(ctx.user.email).delivered_seq
    if has >= last:
        return False
    return not await ctx.store.messages.count_received(conversation_id, ctx.user.email, has, first)


def _tell(ctx: Context, moved: Conversation | None) -> None:
    if moved is None:
        return
    member = moved.member(ctx.user.email)
    receipt = Receipt(moved.id, member.email, member.delivered_seq, member.read_seq)
    ctx.backend.hub.publish(ReceiptMoved(receipt), moved.emails)
