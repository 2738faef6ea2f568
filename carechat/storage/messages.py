"""Messages as they are kept: numbered without a gap in each conversation, stored once, for good."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime

from bson import ObjectId
from pymongo.asynchronous.collection import AsyncCollection

from carechat.domain.conversations import Unread
from carechat.domain.messages import Draft, Message
from carechat.storage.appending import Appender, message, read_tail, same_key
from carechat.storage.database import Document, guarded
from carechat.storage.together import Together

MAX_PAGE = 200
"""Messages that are read at once."""

READERS = 10
"""Conversations in which this is done at the same time, twice."""


def _nobody(_message: Message) -> None:
    """Nobody is told."""


class Messages:
    """The messages of all conversations."""

    def __init__(
        self, collection: AsyncCollection[Document], clock: Callable[[], datetime]
    ) -> None:
        self._collection = collection
        self._clock = clock
        self._appender = Appender(collection, clock)
        self._together = Together(self._read_later, READERS)

    async def append(
        self, draft: Draft, tell: Callable[[Message], None] = _nobody
    ) -> tuple[Message, bool]:
        """Store the draft as the newest message of its conversation, journaled by a majority.

        Returns the message and True, or, if its sender stored this `client_id` there before, that
        message and False. In the first case `tell` gets the message before this returns, and also
        if by then nobody waits for that any more. Raises `ConflictError` if the other one says
        something else, and `UnavailableError` if it cannot be said whether the draft was stored:
        `tell` gets the message as soon as it turns out that it was.
        """
        return await self._appender.append(draft, tell)

    async def close(self) -> None:
        """Stop storing and asking; whoever waits hears that the outcome is not known."""
        await self._together.close()
        await self._appender.close()

    @guarded
    async def find_sent(self, draft: Draft) -> Message | None:
        """Return what its sender stored under the `client_id` of the draft, if anything.

        If the draft is just being stored, that is waited for.
        """
        if (stored := await self._appender.outcome(draft)) is not None:
            return stored
        found = await self._collection.find_one(same_key(draft))
        return message(found) if found else None

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
        messages = [message(one) async for one in found]
        return messages if direction == 1 else messages[::-1]

    async def later(self, conversation_id: str, after: int) -> tuple[list[Message], bool]:
        """Return the first messages after a number, a page at most, and whether there are more.

        Many who ask at once share a query.
        """
        found = await self._together.get((conversation_id, after)) or []
        return found[:MAX_PAGE], len(found) > MAX_PAGE

    async def _read_later(
        self, places: Collection[tuple[str, int]]
    ) -> dict[tuple[str, int], list[Message]]:
        pages = await asyncio.gather(
            *(self.history(place, MAX_PAGE + 1, after=seq) for place, seq in places)
        )
        return dict(zip(places, pages, strict=True))

    @guarded
    async def last_seq(self, conversation_id: str, most: int | None = None) -> int:
        """Return the number of the newest message, 0 if there is none, but `most` at most."""
        if most is not None and most <= self._appender.known_seq(conversation_id):
            return most
        last = (await read_tail(self._collection, conversation_id)).seq
        return last if most is None else min(most, last)

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
        return message(document) if document else None

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
        marked = {"$set": {"read": True, "read_at": self._clock()}}
        return (await self._collection.update_many(unread, marked)).modified_count

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

    @guarded
    async def count(self, conversation_id: str, first: int, last: int) -> int:
        """Return how many of the numbers `first` to `last` are stored, from the index alone."""
        numbers = {"conversation_id": conversation_id, "seq": {"$gte": first, "$lte": last}}
        return await self._collection.count_documents(numbers)


def _up_to(seqs: list[int], last: int | None) -> int:
    return len(seqs) if last is None else sum(seq <= last for seq in seqs)
