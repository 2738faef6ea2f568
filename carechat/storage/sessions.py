"""Sessions as they are kept: one document from sign-in until the session is over."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pymongo import UpdateOne
from pymongo.asynchronous.collection import AsyncCollection

from carechat.domain.users import Role, User
from carechat.storage.database import Document, guarded
from carechat.storage.heard import Heard
from carechat.storage.together import Together

MAX_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Session:
    """One sign-in. It is over at `expires_at` (UTC), or `idle` after `active_at` (UTC)."""

    id: str
    user: User
    expires_at: datetime
    active_at: datetime
    idle: timedelta

    @property
    def ends_at(self) -> datetime:
        """When it is over unless its owner does something before (UTC)."""
        return min(self.expires_at, self.active_at + self.idle)


class Sessions:
    """The live sessions of everybody.

    Those that were read are remembered for as long as `Changes` hears of every change to them, and
    says so; when it hears nothing, memory counts for nothing.
    """

    def __init__(self, collection: AsyncCollection[Document], heard: Heard) -> None:
        self._collection = collection
        self._heard = heard
        self._remembered: dict[str, Session] = {}
        self._forgotten = 0
        self._together = Together(self._read)

    @guarded
    async def add(self, session: Session) -> None:
        """Store a new session."""
        user = session.user
        await self._collection.insert_one(
            {
                "_id": session.id,
                "user_id": user.id,
                "email": user.email,
                "name": user.name,
                "role": user.role.value,
                "expires_at": session.expires_at,
                "active_at": session.active_at,
                "idle_seconds": session.idle.total_seconds(),
            }
        )

    async def find(self, session_id: str) -> Session | None:
        """Return the session unless it was ended; the caller looks whether its time is up."""
        forgotten = self._forgotten
        session = await self._together.get(session_id)
        # What was forgotten meanwhile may be this one, as it was read.
        if session and self._heard.is_current and self._forgotten == forgotten:
            self._remember(session)
        return session

    async def current(self, session_id: str) -> Session | None:
        """As `find`, from memory if every end until a second ago was heard of.

        Its owner may have been active since, on another process.
        """
        known = self._remembered.get(session_id) if self._heard.is_current else None
        return known or await self.find(session_id)

    def active_at(self, session: Session) -> datetime:
        """Return when its owner did something last, as far as this process knows (UTC)."""
        known = self._remembered.get(session.id, session)
        return max(known.active_at, session.active_at)

    def forget(self, session_id: str) -> None:
        """Remember that session no more."""
        self._forgotten += 1
        self._remembered.pop(session_id, None)

    def forget_all(self) -> None:
        """Remember none: what has happened to them is not known."""
        self._forgotten += 1
        self._remembered.clear()

    def active(self, session_id: str, now: datetime) -> None:
        """Remember that the session's owner did something, if the session is remembered."""
        if known := self._remembered.get(session_id):
            self._remembered[session_id] = replace(known, active_at=max(known.active_at, now))

    @guarded
    async def touch(self, active_at: Mapping[str, datetime]) -> None:
        """Note when the owners of sessions, by their ids, did something."""
        updates = [
            UpdateOne({"_id": session_id}, {"$max": {"active_at": at}})
            for session_id, at in active_at.items()
        ]
        await self._collection.bulk_write(updates, ordered=False)

    @guarded
    async def end(self, session_id: str) -> None:
        """End one session; every process hears of it."""
        try:
            await self._collection.delete_one({"_id": session_id})
        finally:
            self.forget(session_id)

    @guarded
    async def end_all(self, email: str, but: str = "") -> None:
        """End every session of that person, but one if it is named."""
        try:
            await self._collection.delete_many({"email": email, "_id": {"$ne": but}})
        finally:
            self._forget_those_of(email)

    @guarded
    async def end_oldest(self, email: str, but: int) -> None:
        """End all sessions of that person but so many of which something was heard last."""
        found = self._collection.find({"email": email}, {"_id": True}).sort("active_at", -1)
        for session_id in [document["_id"] async for document in found.skip(but)]:
            await self.end(session_id)

    async def close(self) -> None:
        """Ask no more."""
        await self._together.close()

    @guarded
    async def _read(self, session_ids: Collection[str]) -> dict[str, Session]:
        found = self._collection.find({"_id": {"$in": list(session_ids)}})
        return {document["_id"]: _session(document) async for document in found}

    def _forget_those_of(self, email: str) -> None:
        self._forgotten += 1
        remembered = self._remembered.values()
        for session_id in [one.id for one in remembered if one.user.email == email]:
            del self._remembered[session_id]

    def _remember(self, session: Session) -> None:
        if len(self._remembered) >= MAX_REMEMBERED:
            self._remembered.pop(next(iter(self._remembered)))
        self._remembered[session.id] = session


def _session(document: Document) -> Session:
    user = User(
        id=document["user_id"],
        email=document["email"],
        name=document["name"],
        role=Role(document["role"]),
    )
    return Session(
        id=document["_id"],
        user=user,
        expires_at=document["expires_at"],
        active_at=document["active_at"],
        idle=timedelta(seconds=document["idle_seconds"]),
    )
