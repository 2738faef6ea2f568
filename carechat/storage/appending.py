"""Appending messages: each gets the next number of its conversation and is stored once for good."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from bson import ObjectId
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError, PyMongoError
from pymongo.read_concern import ReadConcern

from carechat import metrics
from carechat.domain import errors
from carechat.domain.messages import Draft, Message
from carechat.storage.database import UNAVAILABLE, Document, failures, guarded
from carechat.storage.group_commit import GroupCommit, Outcome
from carechat.storage.in_doubt import InDoubt, Tell

LANES = 2
"""Small batches that are under way at once, of different conversations."""

MAX_TAILS = 10_000
"""Conversations whose newest number is remembered."""

TICK = timedelta(milliseconds=1)
"""The least time between two messages of a conversation; also what a BSON date can tell apart."""

DUPLICATE_KEY = 11000

Key = tuple[str, str, str]
Appended = tuple[Message, bool]


@dataclass(frozen=True, slots=True)
class _UnderWay:
    """Who is to be told of a message that is about to be stored, and who waits for that."""

    tell: Tell
    waiting: list["asyncio.Future[Appended]"]


@dataclass(frozen=True, slots=True)
class Tail:
    """The number and the time of the newest message of a conversation."""

    seq: int
    timestamp: datetime


_EMPTY = Tail(0, datetime(1970, 1, 1, tzinfo=UTC))


class Appender:
    """Stores drafts as messages, those that come in meanwhile together.

    Of one conversation one batch is under way at a time, in the order of its numbers, and a number
    is taken from a message that is stored, never from a counter. So what is stored of it has no
    gap, whatever fails.
    """

    def __init__(
        self, collection: AsyncCollection[Document], clock: Callable[[], datetime]
    ) -> None:
        self._collection = collection
        self._clock = clock
        self._commits = GroupCommit(self._write, lambda draft: draft.conversation_id, LANES)
        self._under_way: dict[Draft, _UnderWay] = {}
        self._tails: OrderedDict[str, Tail] = OrderedDict()
        self._in_doubt = InDoubt(self._taken)
        metrics.waiting(self._under_way)

    async def append(self, draft: Draft, tell: Tell) -> Appended:
        """See `Messages.append`."""
        if (stored := await self.outcome(draft)) is not None:
            return stored, False
        mine: asyncio.Future[Appended] = asyncio.get_running_loop().create_future()
        self._commits.put(draft, partial(self._settled, draft))
        self._under_way[draft] = _UnderWay(tell, [mine])
        return await mine

    async def outcome(self, draft: Draft) -> Message | None:
        """Return what becomes of the draft that is about to be stored, None if it is not."""
        under_way = self._under_way.get(draft)
        if under_way is None:
            return None
        mine: asyncio.Future[Appended] = asyncio.get_running_loop().create_future()
        under_way.waiting.append(mine)
        stored, _ = await mine
        return stored

    def _settled(self, draft: Draft, outcome: Appended | errors.CareChatError) -> None:
        under_way = self._under_way.pop(draft)
        waiting = [one for one in under_way.waiting if not one.done()]
        if isinstance(outcome, errors.CareChatError):
            for one in waiting:
                one.set_exception(outcome)
            return
        for one in waiting:
            one.set_result(outcome)
        message, is_new = outcome
        if is_new:
            under_way.tell(message)

    def known_seq(self, conversation_id: str) -> int:
        """The number of a message that is stored there, the newest one of this process if known."""
        tail = self._tails.get(conversation_id)
        return tail.seq if tail else 0

    async def close(self) -> None:
        """Stop; whoever still waits hears that the outcome is not known."""
        await self._commits.close()
        await self._in_doubt.close()

    @guarded
    async def _write(self, drafts: list[Draft]) -> list[Outcome[Appended]]:
        tails = await self._take_tails(draft.conversation_id for draft in drafts)
        documents: list[Document] = []
        for draft in drafts:
            documents.append(document(draft, tails[draft.conversation_id], self._clock()))
            tails[draft.conversation_id] = _tail(documents[-1])
        try:
            with metrics.writing(len(documents)):
                await self._collection.insert_many(documents)
        except BulkWriteError as error:
            return await self._after(drafts, documents, dict[str, Any](error.details or {}))
        except PyMongoError as error:
            failures.note(error)
            return await self._uncertain(drafts, documents)
        except UnicodeEncodeError:
            return await self._one_by_one(drafts)
        self._remember(tails)
        return self._stored_now(drafts, documents)

    def _stored_now(
        self, drafts: list[Draft], documents: list[Document]
    ) -> list[Outcome[Appended]]:
        for draft in drafts:
            self._in_doubt.settle(draft)
        return [(message(one), True) for one in documents]

    async def _one_by_one(self, drafts: list[Draft]) -> list[Outcome[Appended]]:
        """Only what cannot be stored is refused, not what was to be stored beside it."""
        if len(drafts) == 1:
            return [errors.InvalidError("There is a character that cannot be stored.")]
        return [outcome for draft in drafts for outcome in await self._write([draft])]

    async def _after(
        self, drafts: list[Draft], documents: list[Document], details: dict[str, Any]
    ) -> list[Outcome[Appended]]:
        """What became of a batch of which MongoDB refused one: those before it are stored."""
        refused: list[dict[str, Any]] = details.get("writeErrors", [])
        if not refused or details.get("writeConcernErrors"):
            return await self._uncertain(drafts, documents)
        index: int = refused[0]["index"]
        stored = documents[:index]
        tails: dict[str, Tail] = {one["conversation_id"]: _tail(one) for one in stored}
        tails.pop(drafts[index].conversation_id, None)
        self._remember(tails)
        outcomes = self._stored_now(drafts[:index], stored)
        if refused[0]["code"] == DUPLICATE_KEY and "seq" in refused[0].get("keyPattern", {}):
            return [*outcomes, None]  # another process was faster with the number
        one = slice(index, index + 1)
        return [*outcomes, *await self._read_back(drafts[one], documents[one])]

    async def _uncertain(
        self, drafts: list[Draft], documents: list[Document]
    ) -> list[Outcome[Appended]]:
        """What became of a batch of which MongoDB does not say whether it is stored."""
        outcomes = await self._read_back(drafts, documents)
        for draft, outcome in zip(drafts, outcomes, strict=True):
            if isinstance(outcome, errors.UnavailableError):
                self._in_doubt.note(draft, self._under_way[draft].tell)
        return outcomes

    async def _read_back(
        self, drafts: list[Draft], documents: list[Document]
    ) -> list[Outcome[Appended]]:
        try:
            found = await self._stored(drafts, self._collection)
        except errors.UnavailableError:
            found = {}
        return [
            self._found(draft, one["_id"], found.get(draft))
            for draft, one in zip(drafts, documents, strict=True)
        ]

    async def _taken(self, drafts: Sequence[Draft]) -> dict[Draft, Message]:
        """As `_stored`, once a majority has everything that the primary has taken so far."""
        collection = self._collection.with_options(read_concern=ReadConcern("linearizable"))
        return await self._stored(drafts, collection)

    @guarded
    async def _stored(
        self, drafts: Sequence[Draft], collection: AsyncCollection[Document]
    ) -> dict[Draft, Message]:
        """What is stored under the drafts' `client_id`s, whoever stored it."""
        query = {"$or": [same_key(draft) for draft in drafts]}
        found: dict[Key, Message] = {}
        async for one in collection.find(query):
            stored = message(one)
            found[stored.conversation_id, stored.sender_email, stored.client_id] = stored
        return {draft: found[_key(draft)] for draft in drafts if _key(draft) in found}

    def _found(
        self, draft: Draft, identifier: ObjectId, stored: Message | None
    ) -> Outcome[Appended]:
        if stored is None:
            return errors.UnavailableError(UNAVAILABLE)
        if not draft.became(stored):
            return errors.ConflictError("Another message was sent with that client_id.")
        was_in_doubt = self._in_doubt.settle(draft)
        return stored, was_in_doubt or stored.id == str(identifier)

    async def _take_tails(self, conversation_ids: Iterable[str]) -> dict[str, Tail]:
        """The tails, which are forgotten until it is known what became of the batch."""
        tails = {one: self._tails.pop(one, None) for one in set(conversation_ids)}
        unknown = [one for one, tail in tails.items() if tail is None]
        read = await asyncio.gather(*(read_tail(self._collection, one) for one in unknown))
        known = {one: tail for one, tail in tails.items() if tail}
        return known | dict(zip(unknown, read, strict=True))

    def _remember(self, tails: dict[str, Tail]) -> None:
        self._tails |= tails
        while len(self._tails) > MAX_TAILS:
            self._tails.popitem(last=False)


async def read_tail(collection: AsyncCollection[Document], conversation_id: str) -> Tail:
    """Return the newest number of a conversation and its time, as a majority has it."""
    found = await collection.find_one(
        {"conversation_id": conversation_id},
        {"seq": True, "timestamp": True},
        sort=[("seq", -1)],
    )
    return _tail(found) if found else _EMPTY


def document(draft: Draft, tail: Tail, now: datetime) -> Document:
    """Return what is kept of the draft after the message that the tail tells of."""
    now = now.replace(microsecond=now.microsecond // 1_000 * 1_000)
    return {
        "_id": ObjectId(),
        "conversation_id": draft.conversation_id,
        "seq": tail.seq + 1,
        "client_id": draft.client_id,
        "sender_email": draft.sender_email,
        "receiver_email": draft.receiver_email,
        "message": draft.message,
        "timestamp": max(now, tail.timestamp + TICK),
        "reply_to": draft.reply_to,
        "read": False,
    }


def message(document: Document) -> Message:
    """Return the message that a document holds."""
    return Message(
        id=str(document["_id"]),
        conversation_id=document["conversation_id"],
        seq=document["seq"],
        client_id=document["client_id"],
        sender_email=document["sender_email"],
        receiver_email=document["receiver_email"],
        message=document["message"],
        timestamp=document["timestamp"],
        reply_to=document["reply_to"],
        read=document["read"],
        read_at=document.get("read_at"),
    )


def _tail(document: Document) -> Tail:
    return Tail(document["seq"], document["timestamp"])


def _key(draft: Draft) -> Key:
    return draft.conversation_id, draft.sender_email, draft.client_id


def same_key(draft: Draft) -> Document:
    """Return the query for what its sender stored under the draft's `client_id`."""
    return {
        "conversation_id": draft.conversation_id,
        "sender_email": draft.sender_email,
        "client_id": draft.client_id,
    }
