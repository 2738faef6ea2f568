"""Catching up: what other processes may have told without being heard is read from the database.

While there is a doubt, a stream of what is written to conversations stands in for the relay.
"""

import asyncio
import logging
import time
from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import Any

from carechat.domain import errors
from carechat.domain.conversations import Conversation
from carechat.domain.events import Event, MessageSent, ReceiptMoved
from carechat.domain.messages import Message
from carechat.domain.receipts import Receipt
from carechat.realtime.relay import Relay
from carechat.services.context import Backend
from carechat.storage.changes import ForgottenError, Moment, Written

LOOK_SECONDS = 0.5
"""Between two looks which moment it is for the database, and whether others miss something."""

MAX_LOOKS = 240

MARGIN_SECONDS = 3.0
"""How long after it was stored something is told at the latest."""

RETRY_SECONDS = 0.5

MAX_KNOWN = 10_000
"""Messages, and receipts, that are remembered as told."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Look:
    """A moment: what was stored before `began` is not later, what after `ended` is not earlier."""

    began: float
    moment: Moment
    ended: float


class Known:
    """What the screens of this process were told last."""

    def __init__(self) -> None:
        self._messages: OrderedDict[str, None] = OrderedDict()
        self._receipts: OrderedDict[tuple[str, str], tuple[int, int]] = OrderedDict()

    def note(self, event: Event) -> None:
        """Remember that this was told."""
        match event:
            case MessageSent(message):
                self._messages[message.id] = None
                _trim(self._messages)
            case ReceiptMoved(receipt):
                key = receipt.conversation_id, receipt.email
                self._receipts[key] = (receipt.delivered_seq, receipt.read_seq)
                _trim(self._receipts)
            case _:
                pass

    def has_message(self, message: Message) -> bool:
        """Whether the message was told."""
        return message.id in self._messages

    def has_receipt(self, receipt: Receipt) -> bool:
        """Whether it was told that the member has got so far, or further."""
        told = self._receipts.get((receipt.conversation_id, receipt.email), (0, 0))
        return told[0] >= receipt.delivered_seq and told[1] >= receipt.read_seq


class CatchUp:
    """Reads what the relay may not have brought, and lets others read what it may not bring."""

    def __init__(self, backend: Backend, relay: Relay, known: Known) -> None:
        self._backend = backend
        self._relay = relay
        self._known = known
        self._looks: deque[_Look] = deque(maxlen=MAX_LOOKS)

    async def look(self) -> None:
        """Know which moment was when, and let the others know what they missed, for ever."""
        while True:
            try:
                began, moment = time.monotonic(), await self._backend.store.changes.now()
                self._looks.append(_Look(began, moment, time.monotonic()))
                await self._excuse()
            except errors.UnavailableError:
                pass  # nothing is stored either that others could miss
            await asyncio.sleep(LOOK_SECONDS)

    async def read(self) -> None:
        """Tell the screens here what they may have missed, whenever there is a doubt, for ever."""
        while True:
            await self._relay.doubt.wait()
            try:
                await self._settle()
            except errors.UnavailableError:
                await asyncio.sleep(RETRY_SECONDS)
            except ForgottenError:
                self._backend.hub.fall_behind()
                self._looks.clear()
                self._relay.doubt.settle(time.monotonic())

    async def _excuse(self) -> None:
        if (seconds := self._relay.unheard_seconds) is not None:
            await self._backend.store.changes.note_not_told(seconds)
            self._relay.excuse()

    async def _settle(self) -> None:
        """Read until nothing is doubted any more, or until something earlier is."""
        since = self._relay.doubt.since
        start = self._moment_before(since - MARGIN_SECONDS)
        if start is None:
            start = await self._backend.store.changes.now()
        conversations: dict[str, Conversation | None] = {}
        async with self._backend.store.changes.written(start) as changes:
            async for written in changes:
                if written:
                    await self._tell(written.what, conversations)
                if self._relay.doubt.since < since or self._relay.doubt.settle(self._read(written)):
                    return

    def _moment_before(self, seconds: float) -> Moment | None:
        """The latest known moment before that, else the earliest known one."""
        if not self._looks:
            return None
        before = [look for look in self._looks if look.ended <= seconds]
        return (before[-1] if before else self._looks[0]).moment

    def _read(self, written: Written | None) -> float:
        """Until when everything was read: all of it, if nothing more is written."""
        if written is None:
            return time.monotonic()
        return next((one.began for one in reversed(self._looks) if one.moment <= written.at), 0.0)

    async def _tell(
        self, what: Message | Conversation, conversations: dict[str, Conversation | None]
    ) -> None:
        if isinstance(what, Conversation):
            for receipt in _receipts(what):
                if not self._known.has_receipt(receipt):
                    self._deliver(ReceiptMoved(receipt), what)
        elif not self._known.has_message(what) and self._concerns(what):
            if what.conversation_id not in conversations:
                find = self._backend.store.conversations.find
                conversations[what.conversation_id] = await find(what.conversation_id)
            if conversation := conversations[what.conversation_id]:
                self._deliver(MessageSent(what, conversation), conversation)

    def _concerns(self, message: Message) -> bool:
        """Whether somebody here may be told of it; in a team that takes a look at who is in it."""
        listens = self._backend.hub.listens
        receiver = message.receiver_email
        return receiver is None or listens(receiver) or listens(message.sender_email)

    def _deliver(self, event: Event, conversation: Conversation) -> None:
        self._known.note(event)
        self._backend.hub.deliver(event, conversation.emails)


def _receipts(conversation: Conversation) -> list[Receipt]:
    return [
        Receipt(conversation.id, member.email, member.delivered_seq, member.read_seq)
        for member in conversation.members
    ]


def _trim(remembered: OrderedDict[Any, Any]) -> None:
    if len(remembered) > MAX_KNOWN:
        remembered.popitem(last=False)
