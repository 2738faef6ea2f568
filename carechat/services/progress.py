"""Progress: what moves with every message is gathered, written together, and told when stored."""

import asyncio
import logging

from carechat.domain import errors
from carechat.domain.conversations import Conversation
from carechat.domain.events import ReceiptMoved
from carechat.domain.messages import Message
from carechat.domain.receipts import Receipt
from carechat.realtime.hub import Hub
from carechat.storage.conversations import Progress
from carechat.storage.store import Store

logger = logging.getLogger(__name__)

REST = 4
"""After a write there is none for so many times as long as it took: what comes is gathered."""

LONGEST_REST = 0.25
"""Seconds that such a rest takes at most, and that the lists may be behind."""

RETRY_SECONDS = 0.5
"""Between two tries to write while the database does not answer."""

CLOSE_SECONDS = 1.0
"""How long to try at the end to write what still waits."""

MAX_WAITING = 10_000
"""Conversations of which something may wait; what comes of further ones comes with their next."""


class Tracker:
    """Notes how far conversations have got; nobody waits for that.

    What is lost with a process that dies is noted with the next message, or when its reader says
    where it stands.
    """

    def __init__(self, store: Store, hub: Hub) -> None:
        self._store = store
        self._hub = hub
        self._waiting: dict[str, Progress] = {}
        self._timer: asyncio.Handle | None = None
        self._due = 0.0
        self._writing: asyncio.Task[None] | None = None
        self._free_at = 0.0
        self._fails = False

    def sent(self, message: Message) -> None:
        """The message is the newest of its conversation."""
        if progress := self._of(message.conversation_id):
            progress.last_at = max(progress.last_at, message.timestamp)
            self._plan(asyncio.get_running_loop().time() + LONGEST_REST)

    def arrived(self, conversation_id: str, email: str, first: int, last: int) -> None:
        """The messages `first` to `last` have reached a device of that member."""
        if progress := self._of(conversation_id):
            before = progress.arrived.get(email)
            progress.arrived[email] = _joined(before, (first, last))
            self._plan(self._free_at)

    async def settle(self) -> None:
        """Return when what is waiting now is written, if the database takes it."""
        if self._writing:
            await asyncio.wait({self._writing})
        if self._waiting and not self._fails:
            await asyncio.wait({self._writing or self._start()})

    async def close(self) -> None:
        """Write what still waits, if that can be done soon, and stop."""
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.settle()
        except TimeoutError:
            logger.warning("progress: of %d conversations not noted", len(self._waiting))
        if self._timer:
            self._timer.cancel()
        if self._writing:
            self._writing.cancel()
            await asyncio.wait({self._writing})

    def _of(self, conversation_id: str) -> Progress | None:
        progress = self._waiting.get(conversation_id)
        if progress is None and len(self._waiting) < MAX_WAITING:
            progress = self._waiting[conversation_id] = Progress()
        return progress

    def _plan(self, at: float) -> None:
        """Let it be written at that time of the loop, or before."""
        if self._writing or (self._timer and self._due <= at):
            return
        if self._timer:
            self._timer.cancel()
        self._due = at
        self._timer = asyncio.get_running_loop().call_at(at, self._start)

    def _start(self) -> asyncio.Task[None]:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        self._writing = asyncio.create_task(self._write())
        self._writing.add_done_callback(self._rest)
        return self._writing

    async def _write(self) -> None:
        began, steps = asyncio.get_running_loop().time(), self._waiting
        self._waiting = {}
        try:
            await self._note(steps)
        except errors.UnavailableError:
            self._put_back(steps)
            self._fails = True
            self._free_at = asyncio.get_running_loop().time() + RETRY_SECONDS
        else:
            self._fails = False
            now = asyncio.get_running_loop().time()
            self._free_at = now + min(REST * (now - began), LONGEST_REST)

    def _rest(self, _written: asyncio.Task[None]) -> None:
        self._writing = None
        if self._waiting:
            self._plan(self._free_at)

    def _put_back(self, steps: dict[str, Progress]) -> None:
        """What could not be written waits again, with what has come meanwhile."""
        for conversation_id, newer in self._waiting.items():
            older = steps.setdefault(conversation_id, Progress())
            older.last_at = max(older.last_at, newer.last_at)
            for email, arrived in newer.arrived.items():
                older.arrived[email] = _joined(older.arrived.get(email), arrived)
        self._waiting = steps

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


def _joined(before: tuple[int, int] | None, now: tuple[int, int]) -> tuple[int, int]:
    """Both ranges as one; of two with something between them the one that came first."""
    if before is None:
        return now
    touches = now[0] <= before[1] + 1 and before[0] <= now[1] + 1
    return (min(before[0], now[0]), max(before[1], now[1])) if touches else before
