"""The inbox: what a list of conversations shows after an event, told without reading it again."""

from dataclasses import replace

from carechat.domain.conversations import Summary, Unread
from carechat.domain.events import ConversationChanged, Event, MessageSent, ReceiptMoved
from carechat.domain.messages import Message
from carechat.domain.receipts import Receipt


def after(summary: Summary, event: Event, email: str) -> Summary | None:
    """Return a conversation's summary for the member `email` after an event in it.

    It equals what would be read from storage; None means that only storage can tell, because an
    event was missed or a part of what waited was read.
    """
    match event:
        case MessageSent(message):
            return _after_message(summary, message, email)
        case ReceiptMoved(receipt):
            return _after_receipt(summary, receipt, email)
        case ConversationChanged(conversation):
            return replace(summary, conversation=conversation)
        case _:
            return summary


def _after_message(summary: Summary, message: Message, email: str) -> Summary | None:
    if message.seq <= summary.last_seq:
        return summary
    if message.seq > summary.last_seq + 1:
        return None
    arrived = replace(summary, last_message=summary.conversation.with_delivery(message))
    if message.sender_email == email:
        return arrived
    before = summary.unread or Unread(0, message.timestamp)
    return replace(arrived, unread=replace(before, count=before.count + 1))


def _after_receipt(summary: Summary, receipt: Receipt, email: str) -> Summary | None:
    conversation = summary.conversation.with_receipt(receipt)
    last = summary.last_message
    moved = replace(
        summary,
        conversation=conversation,
        last_message=conversation.with_delivery(last) if last else None,
    )
    before = summary.conversation.member(email).read_seq
    if conversation.member(email).read_seq == before or not summary.unread:
        return moved
    if conversation.member(email).read_seq < summary.last_seq:
        return None
    return replace(moved, unread=None)
