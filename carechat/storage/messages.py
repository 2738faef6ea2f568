"""Messages as they are kept: numbered without a gap in each conversation, stored once, for good."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from weakref import WeakValueDictionary

from bson import ObjectId
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError, PyMongoError

from carechat.domain import errors
from carechat.domain.conversations import Unread
from carechat.domain.messages import Draft, Message
from carechat.storage.database import UNAVAILABLE, Document, guarded

ATTEMPTS = 5
"""How often another process may be faster with a number before the sender is told to try again."""

MAX_TAILS = 10_000
"""Conversations whose newest number is remembered."""

MAX_UNKNOWN = 10_000
"""Drafts that are remembered because nobody knows whether they are stored."""

TICK = timedelta(milliseconds=1)
"""The least time between two messages of a conversation; also what a BSON date can tell apart."""


@dataclass(frozen=True, slots=True)
class _Tail:
    seq: int
    timestamp: datetime


_EMPTY = _Tail(0, datetime(1970, 1, 1, tzinfo=UTC))


class Messages:
    """The messages of all conversations."""

    def __init__(
        self, collection: AsyncCollection[Document], clock: Callable[[], datetime]
    ) -> None:
        self._collection = collection
        self._clock = clock
        self._tails: OrderedDict[str, _Tail] = OrderedDict()
        self._unknown: OrderedDict[tuple[str, str, str], bool] = OrderedDict()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @guarded
    async def append(self, draft: Draft) -> tuple[Message, bool]:
        """Store the draft as the newest message of its conversation, journaled by a majority.

        Returns the message and True, or, if its sender stored this `client_id` there before and
        was told so, that message and False. Raises `ConflictError` if that one says something
        else, and `UnavailableError` if it cannot be said whether the draft was stored.

        One append is under way at a time in each conversation, and a number is taken from a message
        that is stored, never from a counter, so what is stored has no gap whatever fails.
        """
        async with self._lock(draft.conversation_id):
            for _ in range(ATTEMPTS):
                tail = await self._take_tail(draft.conversation_id)
                document = _document(draft, tail, self._clock())
                try:
                    await self._collection.insert_one(document)
                except DuplicateKeyError as error:
                    if "client_id" in (error.details or {}).get("keyPattern", {}):
                        return await self._settle(draft, document)
                except PyMongoError:
                    return await self._settle(draft, document)
                else:
                    self._remember(document)
                    return _message(document), True
        raise errors.UnavailableError(UNAVAILABLE)

    @guarded
    async def find_sent(self, draft: Draft) -> Message | None:
        """Return what its sender stored under the `client_id` of the draft, if anything."""
        document = await self._collection.find_one(
            {
                "conversation_id": draft.conversation_id,
                "sender_email": draft.sender_email,
                "client_id": draft.client_id,
            }
        )
        return _message(document) if document else None

    @guarded
    async def history(
        self, conversation_id: str, limit: int, before: int | None = None, after: int | None = None
    ) -> list[Message]:
        """Return `limit` at most, oldest first: the first after `after`, else the last ones."""
        seq: Document = {}
        if before is not None:
            seq["$lt"] = before
        if after is not None:
            seq["$gt"] = after
        query = {"conversation_id": conversation_id} | ({"seq": seq} if seq else {})
        direction = -1 if after is None else 1
        found = self._collection.find(query).sort("seq", direction).limit(limit)
        messages = [_message(document) async for document in found]
        return messages if direction == 1 else messages[::-1]

    @guarded
    async def last_seq(self, conversation_id: str) -> int:
        """Return the number of the newest message, 0 if there is none."""
        return (await self._read_tail(conversation_id)).seq

    @guarded
    async def newest(self, conversation_ids: Iterable[str]) -> dict[str, Message]:
        """Return the newest message of each of those conversations that has one."""
        found = await asyncio.gather(*(self.history(one, 1) for one in conversation_ids))
        return {page[0].conversation_id: page[0] for page in found if page}

    @guarded
    async def find(self, message_id: str) -> Message | None:
        """Return the message with that id, if there is one."""
        if not ObjectId.is_valid(message_id):
            return None
        document = await self._collection.find_one({"_id": ObjectId(message_id)})
        return _message(document) if document else None

    @guarded
    async def unread(self, email: str, until: Mapping[str, int] | None = None) -> dict[str, Unread]:
        """Return what that person has not read, by conversation; read ones are not looked at.

        With `until`, only in the conversations that it names, each up to the number it gives.
        """
        query: Document = {"receiver_email": email, "read": False}
        if until is not None:
            query["conversation_id"] = {"$in": list(until)}
        group = {
            "_id": "$conversation_id",
            "seqs": {"$push": "$seq"},
            "since": {"$min": "$timestamp"},
        }
        groups = await self._collection.aggregate([{"$match": query}, {"$group": group}])
        return {
            one["_id"]: Unread(count, one["since"])
            async for one in groups
            if (count := _up_to(one["seqs"], until[one["_id"]] if until else None))
        }

    @guarded
    async def mark_read(self, conversation_id: str, email: str, seq: int) -> int:
        """Mark what that person received up to `seq` as read; returns how many were unread."""
        unread = {
            "receiver_email": email,
            "read": False,
            "conversation_id": conversation_id,
            "seq": {"$lte": seq},
        }
        return (await self._collection.update_many(unread, {"$set": {"read": True}})).modified_count

    @guarded
    async def count_received(
        self, conversation_id: str, email: str, after: int, before: int
    ) -> int:
        """Return how many messages by others than that person lie between two numbers."""
        return await self._collection.count_documents(
            {
                "conversation_id": conversation_id,
                "seq": {"$gt": after, "$lt": before},
                "sender_email": {"$ne": email},
            }
        )

    async def _settle(self, draft: Draft, document: Document) -> tuple[Message, bool]:
        """The stored message, and whether its sender hears only now that it is stored."""
        key = (draft.conversation_id, draft.sender_email, draft.client_id)
        stored: Message | None = None
        try:
            stored = await self.find_sent(draft)
        finally:
            if stored is None:
                self._doubt(key)
        if stored is None:
            raise errors.UnavailableError(UNAVAILABLE)
        if not draft.became(stored):
            raise errors.ConflictError("Another message was sent with that client_id.")
        was_unknown = self._unknown.pop(key, False)
        return stored, was_unknown or stored.id == str(document["_id"])

    def _doubt(self, key: tuple[str, str, str]) -> None:
        self._unknown[key] = True
        if len(self._unknown) > MAX_UNKNOWN:
            self._unknown.popitem(last=False)

    async def _take_tail(self, conversation_id: str) -> _Tail:
        tail = self._tails.pop(conversation_id, None)
        return tail or await self._read_tail(conversation_id)

    async def _read_tail(self, conversation_id: str) -> _Tail:
        document = await self._collection.find_one(
            {"conversation_id": conversation_id},
            {"seq": True, "timestamp": True},
            sort=[("seq", -1)],
        )
        return _Tail(document["seq"], document["timestamp"]) if document else _EMPTY

    def _remember(self, document: Document) -> None:
        self._tails[document["conversation_id"]] = _Tail(document["seq"], document["timestamp"])
        if len(self._tails) > MAX_TAILS:
            self._tails.popitem(last=False)

    def _lock(self, conversation_id: str) -> asyncio.Lock:
        return self._locks.setdefault(conversation_id, asyncio.Lock())


def _up_to(seqs: list[int], last: int | None) -> int:
    return len(seqs) if last is None else sum(seq <= last for seq in seqs)


def _document(draft: Draft, tail: _Tail, now: datetime) -> Document:
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


def _message(document: Document) -> Message:
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
    )
