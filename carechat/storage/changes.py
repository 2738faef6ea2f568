"""Changes that any process, an operator's command too, made to sessions and conversations."""

import asyncio
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
from carechat.storage.heard import Heard
from carechat.storage.recent import Recent
from carechat.storage.sessions import Sessions

AWAIT_MS = 400
"""How long MongoDB waits for a change before it says that there is none: twice that, and more, is
within `heard.FRESH_SECONDS`."""

_ACTIVITY = "updateDescription.updatedFields.active_at"
_WATCHED = {
    "$or": [
        {"ns.coll": "sessions", "operationType": {"$ne": "insert"}, _ACTIVITY: {"$exists": False}},
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
        self,
        database: AsyncDatabase[Document],
        cursor: AsyncChangeStream[Document],
        sessions: Sessions,
        recent: Recent,
        heard: Heard,
    ) -> None:
        self._collection = database["sessions"]
        self._cursor = cursor
        self._sessions = sessions
        self._recent = recent
        self._heard = heard

    @guarded
    async def gone(self, session_ids: Set[str]) -> set[str]:
        """Return those that were over when the stream began, of which it does not tell."""
        found = self._collection.find({"_id": {"$in": list(session_ids)}}, {"_id": True})
        return set(session_ids) - {document["_id"] async for document in found}

    async def __aiter__(self) -> AsyncIterator[Change]:
        """Give ended sessions, and conversations as they are now.

        What this process remembers of both is only what is as this tells. It ends when the
        collection itself is gone: what is left must be read.
        """
        while self._cursor.alive:
            asked_at = asyncio.get_running_loop().time()
            # Not `async for`: that would take quiet for a failure after the operation timeout.
            change = await self._cursor.try_next()
            if change and change["ns"].get("coll") != "conversations":
                if "documentKey" not in change:
                    return
                self._sessions.forget(change["documentKey"]["_id"])
                if change["operationType"] == "delete":
                    yield SessionGone(change["documentKey"]["_id"])
            elif change and (document := change.get("fullDocument")):
                conversation = conversations.from_document(document)
                self._recent.forget(conversation)
                yield conversation
            self._heard.until(asked_at)


class Changes:
    """What is changed in a database from now on."""

    def __init__(
        self,
        database: AsyncDatabase[Document],
        sessions: Sessions,
        recent: Recent,
        heard: Heard,
    ) -> None:
        self._database = database
        self._sessions = sessions
        self._recent = recent
        self._heard = heard

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
                max_await_time_ms=AWAIT_MS,
                start_at_operation_time=await self._committed_time(),
            ) as cursor:
                # What was read before may have changed before the stream began.
                self._forget_all()
                yield Stream(self._database, cursor, self._sessions, self._recent, self._heard)
        except PyMongoError as error:
            raise errors.UnavailableError(UNAVAILABLE) from error
        finally:
            self._forget_all()

    def _forget_all(self) -> None:
        self._heard.nothing()
        self._sessions.forget_all()
        self._recent.forget_all()

    async def _committed_time(self) -> Timestamp | None:
        """The moment up to which a majority has everything, and reading shows it.

        A stream that begins by itself begins with the newest write. What then is written but not
        yet had by a majority would be neither read nor told.
        """
        async with self._database.client.start_session() as session:
            await self._database["sessions"].find_one({}, {"_id": True}, session=session)
            return session.operation_time
