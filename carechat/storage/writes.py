"""Writes: one document that is written again and again, to know whether MongoDB takes writes."""

import pymongo
from pymongo.asynchronous.collection import AsyncCollection

from carechat.storage.database import Document, guarded

SECONDS = 2
"""How long a write may take."""

FRESH_MS = 4_000
"""For how long one process's write counts for the others."""

_ID = {"_id": "written"}
_NOW: Document = {"$set": {"at": "$$NOW"}}
# By MongoDB's clock; a time that is ahead of it, because it was put back, counts for nothing.
_IS_FRESH: Document = {
    "$and": [
        {"$gt": ["$at", {"$subtract": ["$$NOW", FRESH_MS]}]},
        {"$lte": ["$at", "$$NOW"]},
    ]
}
_NOW_AND_THEN: Document = {"$set": {"at": {"$cond": [_IS_FRESH, "$at", "$$NOW"]}}}


class Writes:
    """What shows that the database takes writes, as durable ones as all that people are told of."""

    def __init__(self, collection: AsyncCollection[Document]) -> None:
        self._collection = collection

    @guarded
    async def prove(self, *, anew: bool = False) -> None:
        """Write; raises `UnavailableError` if that cannot be done for good within two seconds.

        What any process has just written is proof enough, and is not written again, unless it is
        to be done `anew`: so many processes cost as little as one.
        """
        with pymongo.timeout(SECONDS):
            await self._collection.update_one(_ID, [_NOW if anew else _NOW_AND_THEN], upsert=True)
