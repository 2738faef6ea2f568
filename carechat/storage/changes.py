"""Changes that any process, an operator's command too, made to sessions and conversations."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pymongo.asynchronous.change_stream import AsyncChangeStream
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError

from carechat.domain import errors
from carechat.domain.conversations import Conversation
from carechat.storage import conversations
from carechat.storage.database import UNAVAILABLE, Document

_WATCHED = {
    "$or": [
        {"ns.coll": "sessions", "operationType": "delete"},
        {"ns.coll": "conversations", "operationType": "insert"},
        {
            "ns.coll": "conversations",
            "updateDescription.updatedFields.access_rev": {"$exists": True},
        },
    ]
}


@dataclass(frozen=True, slots=True)
class SessionGone:
    """A session was ended."""

    session_id: str


Change = SessionGone | Conversation


class Changes:
    """What is changed in a database from now on."""

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self._database = database

    @asynccontextmanager
    async def watch(self) -> AsyncGenerator[AsyncIterator[Change]]:
        """Give the changes from now on: ended sessions, and conversations as they are now.

        The context raises `UnavailableError` when MongoDB fails; what happened meanwhile must then
        be read.
        """
        try:
            async with await self._database.watch(
                [{"$match": _WATCHED}], full_document="updateLookup"
            ) as stream:
                yield _changes(stream)
        except PyMongoError as error:
            raise errors.UnavailableError(UNAVAILABLE) from error


async def _changes(stream: AsyncChangeStream[Document]) -> AsyncIterator[Change]:
    while stream.alive:
        # Not `async for`: that would take quiet for a failure after the operation timeout.
        change = await stream.try_next()
        if change is None:
            continue
        if change["ns"]["coll"] == "sessions":
            yield SessionGone(change["documentKey"]["_id"])
        elif document := change.get("fullDocument"):
            yield conversations.from_document(document)
