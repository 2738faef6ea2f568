"""The inbox: what a list of conversations shows after an event, told without reading it again."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from carechat.domain.conversations import Summary, Unread
from carechat.domain.events import (
    ConversationChanged,
    Event,
    MessageSent,
    PresenceChanged,
    ReceiptMoved,
)
from carechat.domain.messages import Message
from carechat.domain.receipts import Receipt


class Known:
    """What somebody's list of conversations knows, kept current by events.

    `unread` has what waits of every conversation, also of those that are not listed. No dataclass:
    a State would wrap each part of it at each look, to notice changes that no page is shown.
    """

    def __init__(
        self,
        email: str = "",
        summaries: Iterable[Summary] = (),
        unread: Mapping[str, Unread] | None = None,
    ) -> None:
        self._email = email
        self.summaries = {one.conversation.id: one for one in summaries}
        self.unread = dict(unread or {})
        self._touched: set[str] = set()

    def take_in(self, event: Event) -> None:
        """Take in what has happened; of what is in `summaries` no more only storage can tell."""
        match event:
            case MessageSent(_, conversation) | ConversationChanged(conversation):
                self._note(conversation.id, event)
            case ReceiptMoved(receipt):
                self._note(receipt.conversation_id, event)
            case PresenceChanged(email):
                found = self.summaries.values()
                with_them = [one.conversation for one in found if email in one.conversation.emails]
                self._touched |= {one.id for one in with_them}
            case _:
                pass

    def touched(self) -> set[str]:
        """Return the conversations that events have touched since this was asked last."""
        touched, self._touched = self._touched, set()
        return touched

    def learn(self, summary: Summary) -> None:
        """This is what the list shows of the conversation now."""
        conversation_id = summary.conversation.id
        self.summaries[conversation_id] = summary
        if summary.unread:
            self.unread[conversation_id] = summary.unread
        else:
            self.unread.pop(conversation_id, None)

    def _note(self, conversation_id: str, event: Event) -> None:
        known = self.summaries.pop(conversation_id, None)
        if known and (summary := after(known, event, self._email)):
            self.summaries[conversation_id] = summary
        self._touched.add(conversation_id)


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
    read_seq = conversation.member(email).read_seq
    if read_seq == before or not summary.unread:
        return moved
    if read_seq >= summary.last_seq:
        return replace(moved, unread=None)
    if read_seq == summary.last_seq - 1 and last:
        # One more came while what was before it was being read.
        is_own = last.sender_email == email
        return replace(moved, unread=None if is_own else Unread(1, last.timestamp))
    return None
