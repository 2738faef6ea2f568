"""Progress: what moves with every message is gathered, written together, and told when stored."""

from carechat.domain.conversations import Conversation
from carechat.domain.events import ReceiptMoved
from carechat.domain.messages import Message
from carechat.domain.receipts import Receipt
from carechat.realtime.hub import Hub
from carechat.services.gathering import Gathering
from carechat.storage.conversations import Progress
from carechat.storage.store import Store

LIST_REST = 0.25
"""Seconds that the lists may be behind."""


class Tracker:
    """Notes how far conversations have got; nobody waits for that.

    What is lost with a process that dies is noted with the next message, or when its reader says
    where it stands.
    """

    def __init__(self, store: Store, hub: Hub) -> None:
        self._store = store
        self._hub = hub
        self._gathering = Gathering("progress", self._note, _joined)

    def sent(self, message: Message) -> None:
        """The message is the newest of its conversation."""
        step = Progress(last_at=message.timestamp)
        self._gathering.put(message.conversation_id, step, LIST_REST)

    def arrived(self, conversation_id: str, email: str, first: int, last: int) -> None:
        """The messages `first` to `last` have reached a device of that member."""
        self._gathering.put(conversation_id, Progress(arrived={email: (first, last)}))

    async def settle(self) -> None:
        """Return when what is waiting now is written, if the database takes it."""
        await self._gathering.settle()

    async def close(self) -> None:
        """Write what still waits, if that can be done soon, and stop."""
        await self._gathering.close()

    async def _note(self, steps: dict[str, Progress]) -> None:
        for conversation in await self._store.conversations.advance(steps):
            for email, (first, last) in steps[conversation.id].arrived.items():
                await self._tell(conversation, email, first, last)

    async def _tell(self, conversation: Conversation, email: str, first: int, last: int) -> None:
        moved: Conversation | None = conversation
        if conversation.member(email).delivered_seq < last:
            if not await only_own_missing(self._store, conversation, email, first):
                return
            moved = await self._store.conversations.deliver(conversation.id, email, 1, last)
        if moved:
            # Whoever a message has reached knows that it has.
            others = [one for one in moved.emails if one != email]
            self._hub.publish(ReceiptMoved(receipt(moved, email)), others)


async def only_own_missing(
    store: Store, conversation: Conversation, email: str, first: int
) -> bool:
    """Whether what has not arrived with that member before `first` is all their own."""
    has = conversation.member(email).delivered_seq
    return not await store.messages.count_received(conversation.id, email, has, first)


def receipt(conversation: Conversation, email: str) -> Receipt:
    """Return how far that member has got."""
    member = conversation.member(email)
    return Receipt(conversation.id, email, member.delivered_seq, member.read_seq)


def _joined(before: Progress, now: Progress) -> Progress:
    arrived = before.arrived
    for email, messages in now.arrived.items():
        arrived[email] = _both(arrived[email], messages) if email in arrived else messages
    return Progress(max(before.last_at, now.last_at), arrived)


def _both(before: tuple[int, int], now: tuple[int, int]) -> tuple[int, int]:
    """Both ranges as one; of two with something between them the one that came first."""
    touches = now[0] <= before[1] + 1 and before[0] <= now[1] + 1
    return (min(before[0], now[0]), max(before[1], now[1])) if touches else before
