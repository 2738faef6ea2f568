"""Receipts: how far each member has got with a conversation."""

import asyncio

from carechat.domain.conversations import Conversation
from carechat.domain.events import ReceiptMoved
from carechat.services import access, progress
from carechat.services.access import Address
from carechat.services.context import Context, Reading

MAX_NOTED = 10_000
"""Members of whom it is known how far they have read, without asking."""

UNCERTAIN = -1
"""Stands for how far a member has read while it is not known whether that could be noted."""


async def delivered(ctx: Context, conversation: Conversation, first: int, last: int) -> None:
    """Note that the messages `first` to `last` reached a device of the caller.

    The number moves only if nothing that others wrote before them is missing.
    """
    email, deliver = ctx.user.email, ctx.store.conversations.deliver
    if conversation.member(email).delivered_seq >= last:
        return
    moved = await deliver(conversation.id, email, first, last)
    if moved is None and await progress.only_own_missing(ctx.store, conversation, email, first):
        moved = await deliver(conversation.id, email, 1, last)
    _tell(ctx, moved)


async def read(ctx: Context, address: Address, seq: int | None = None) -> int:
    """Note that the caller read everything up to `seq`, or all there is.

    Returns how many messages were unread until now; raises `NotFoundError` if the conversation is
    not the caller's. A number beyond the newest message counts as the newest.
    """
    conversation = await access.known(ctx, address)
    seq = await ctx.store.messages.last_seq(conversation.id, most=seq)
    noted, key = ctx.backend.reading, (conversation.id, ctx.user.email)
    noted_seq, noting = noted.get(key, (0, None))
    if noting and noted_seq >= seq:
        # Another page of the same person has read the same: it is noted for both.
        await asyncio.shield(noting)
        return 0
    was_uncertain = noted_seq == UNCERTAIN
    noting = ctx.backend.spawn(_note_read(ctx, conversation.id, seq, was_uncertain))
    noted[key] = seq, noting
    noting.add_done_callback(lambda task: _forget(noted, key, task))
    return await asyncio.shield(noting)


def _forget(noted: Reading, key: tuple[str, str], task: asyncio.Task[int]) -> None:
    """What could not be noted has to be said again; and not everything is kept for ever."""
    if (task.cancelled() or task.exception()) and noted.get(key, (0, None))[1] is task:
        noted[key] = UNCERTAIN, task
    while len(noted) > MAX_NOTED:
        del noted[next(iter(noted))]


async def _note_read(ctx: Context, conversation_id: str, seq: int, was_uncertain: bool) -> int:
    conversations, email = ctx.store.conversations, ctx.user.email
    updated = await ctx.store.messages.mark_read(conversation_id, email, seq)
    moved = await conversations.read(conversation_id, email, seq)
    if moved is None and was_uncertain:
        # It may have been noted before without an answer, so that nobody was told.
        moved = await conversations.find(conversation_id)
    _tell(ctx, moved)
    return updated


def _tell(ctx: Context, moved: Conversation | None) -> None:
    if moved:
        receipt = progress.receipt(moved, ctx.user.email)
        ctx.backend.hub.publish(ReceiptMoved(receipt), moved.emails)
