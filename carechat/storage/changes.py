"""Changes that any process, an operator's command too, made to sessions and conversations."""

from collections.abc import AsyncGenerator, AsyncIterator, Set
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bson import Timestamp
from pymongo.asynchronous.change_stream import AsyncChangeStream
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError

from carechat.domain import errors
from carechat.domain.conversations import Conversation
from carechat.storage import conversations
from carechat.storage.database import UNAVAILABLE, Document, guarded

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


class Stream:
    """What is changed from the moment on in which it was opened, and what was over before."""

    def __init__(
        self, database: AsyncDatabase[Document], cursor: AsyncChangeStream[Document]
    ) -> None:
        self._sessions = database["sessions"]
        self._cursor = cursor

    @guarded
    async def gone(self, session_ids: Set[str]) -> set[str]:
        """Return those that were over when the stream began, of which it does not tell."""
        found = self._sessions.find({"_id": {"$in": list(session_ids)}}, {"_id": True})
        return set(session_ids) - {document["_id"] async for document in found}

    async def __aiter__(self) -> AsyncIterator[Change]:
        """Give ended sessions, and conversations as they are now."""
        while self._cursor.alive:
            # Not `async for`: that would take quiet for a failure after the operation timeout.
            change = await self._cursor.try_next()
            if change is None:
                continue
            if change["ns"]["coll"] == "sessions":
                yield SessionGone(change["documentKey"]["_id"])
            elif document := change.get("fullDocument"):
                yield conversations.from_document(document)


class Changes:
    """What is changed in a database from now on."""

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self._database = database

    @asynccontextmanager
    async def watch(self) -> AsyncGenerator[Stream]:
        """Give the changes from now on.

        The context raises `UnavailableError` when MongoDB fails; what happened meanwhile must then
        be read.
        """
        try:
            async with await self._database.watch(
                [{"$match": _WATCHED}],
                full_document="updateLookup",
                start_at_operation_time=await self._committed_time(),
            ) as cursor:
                yield Stream(self._database, cursor)
        except PyMongoError as error:
            raise errors.UnavailableError(UNAVAILABLE) from error

    async def _committed_time(self) -> Timestamp | None:
        """The moment up to which a majority has everything, and reading shows it.

        A stream that begins by itself begins with the newest write. What then is written but not
        yet had by a majority would be neither read nor told.
        """
        async with self._database.client.start_session() as session:
            await self._database["sessions"].find_one({}, {"_id": True}, session=session)
            return session.operation_time
