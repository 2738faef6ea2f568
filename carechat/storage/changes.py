"""Changes that any process, an operator's command too, made to what is kept."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Set
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

from bson import Timestamp
from pymongo.asynchronous.change_stream import AsyncChangeStream
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import OperationFailure, PyMongoError

from carechat.domain import errors
from carechat.domain.conversations import Conversation
from carechat.domain.messages import Message
from carechat.storage import conversations
from carechat.storage.appending import message
from carechat.storage.database import UNAVAILABLE, Document, guarded
from carechat.storage.heard import Heard
from carechat.storage.recent import Recent
from carechat.storage.sessions import Sessions

NOTICE_LIFETIME = timedelta(minutes=1)

HISTORY_LOST = 286
"""The number of MongoDB's error."""

QUIET_MS = 250
"""How long nothing may be written until that is said."""

AWAIT_MS = 250
"""How long MongoDB waits for a change before it says that there is none: two answers, late ones,
are within `heard.FRESH_SECONDS`."""

_ACTIVITY = "updateDescription.updatedFields.active_at"
_WATCHED = {
    "$or": [
        {"ns.coll": "sessions", "operationType": {"$ne": "insert"}, _ACTIVITY: {"$exists": False}},
        {"ns.coll": "notices", "operationType": "insert"},
        {"ns.coll": "conversations", "operationType": "insert"},
        {
            "ns.coll": "conversations",
            "updateDescription.updatedFields.access_rev": {"$exists": True},
        },
    ]
}

# The names of a member's changed fields have their place in front, as in members.0.read_seq.
_MOVED: Document = {
    "$filter": {
        "input": {"$objectToArray": {"$ifNull": ["$updateDescription.updatedFields", {}]}},
        "cond": {"$regexMatch": {"input": "$$this.k", "regex": r"^members\.\d+\..*_seq$"}},
    }
}
# What a move of a cursor changed has the list as well, once the oldest arrival gives way.
_WITHOUT_ARRIVALS: Document = {"$unset": ["fullDocument.members.arrivals", "updateDescription"]}
_WRITTEN: Document = {
    "$or": [
        {"ns.coll": "messages", "operationType": "insert"},
        {
            "ns.coll": "conversations",
            "operationType": "update",
            "$expr": {"$gt": [{"$size": _MOVED}, 0]},
        },
    ]
}


@dataclass(frozen=True, slots=True)
class SessionGone:
    """A session was ended."""

    session_id: str


@dataclass(frozen=True, slots=True)
class NotTold:
    """What a process did in the last so many seconds it could not tell the others."""

    seconds: float


Change = SessionGone | NotTold | Conversation


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """A moment as the database counts them, whatever its clock does."""

    time: int
    inc: int


@dataclass(frozen=True, slots=True)
class Written:
    """A message that was stored, or a conversation after a member has got further, and when."""

    what: Message | Conversation
    at: Moment


class ForgottenError(Exception):
    """The database does not remember what was written so long ago."""


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
        """Give ended sessions, notices, and conversations as they are now.

        What this process remembers of both is only what is as this tells. It ends when the
        collection itself is gone: what is left must be read.
        """
        while self._cursor.alive:
            asked_at = asyncio.get_running_loop().time()
            # Not `async for`: that would take quiet for a failure after the operation timeout.
            change = await self._cursor.try_next()
            kind = change["ns"].get("coll") if change else None
            if change and kind == "notices":
                yield NotTold(change["fullDocument"]["seconds"])
            elif change and kind != "conversations":
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
                [{"$match": _WATCHED}, _WITHOUT_ARRIVALS],
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

    @asynccontextmanager
    async def written(self, since: Moment) -> AsyncGenerator[AsyncIterator[Written | None]]:
        """Give what was written to conversations since that moment, None while nothing is.

        The context raises `UnavailableError` when MongoDB fails, `ForgottenError` if the moment is
        too long ago.
        """
        try:
            async with await self._database.watch(
                [{"$match": _WRITTEN}, _WITHOUT_ARRIVALS],
                full_document="updateLookup",
                max_await_time_ms=QUIET_MS,
                start_at_operation_time=Timestamp(since.time, since.inc),
            ) as cursor:
                yield _written(cursor)
        except PyMongoError as error:
            if isinstance(error, OperationFailure) and error.code == HISTORY_LOST:
                raise ForgottenError from error
            raise errors.UnavailableError(UNAVAILABLE) from error

    @guarded
    async def now(self) -> Moment:
        """Return the moment up to which a majority has everything."""
        time = cast("Timestamp", await self._committed_time())
        return Moment(time.time, time.inc)

    @guarded
    async def note_not_told(self, seconds: float) -> None:
        """Let all processes know that what one did since then was not told to them."""
        expires_at = datetime.now(UTC) + NOTICE_LIFETIME
        await self._database["notices"].insert_one({"seconds": seconds, "expires_at": expires_at})

    async def _committed_time(self) -> Timestamp | None:
        """The moment up to which a majority has everything, and reading shows it.

        A stream that begins by itself begins with the newest write. What then is written but not
        yet had by a majority would be neither read nor told.
        """
        async with self._database.client.start_session() as session:
            await self._database["sessions"].find_one({}, {"_id": True}, session=session)
            return session.operation_time


async def _written(cursor: AsyncChangeStream[Document]) -> AsyncIterator[Written | None]:
    while cursor.alive:
        change = await cursor.try_next()
        document = change and change.get("fullDocument")
        if not change or not document:
            yield None
            continue
        at = Moment(change["clusterTime"].time, change["clusterTime"].inc)
        is_message = change["ns"]["coll"] == "messages"
        what = message(document) if is_message else conversations.from_document(document)
        yield Written(what, at)
