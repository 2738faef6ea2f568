"""Sessions as they are kept: one document from sign-in until the session is over."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from pymongo.asynchronous.collection import AsyncCollection

from carechat.domain.users import Role, User
from carechat.storage.database import Document, guarded


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
    """The live sessions of everybody."""

    def __init__(self, collection: AsyncCollection[Document]) -> None:
        self._collection = collection

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

    @guarded
    async def find(self, session_id: str) -> Session | None:
        """Return the session unless it was ended; the caller looks whether its time is up."""
        document = await self._collection.find_one({"_id": session_id})
        return _session(document) if document else None

    @guarded
    async def touch(self, session_id: str, now: datetime) -> None:
        """Note that the session's owner did something."""
        await self._collection.update_one({"_id": session_id}, {"$max": {"active_at": now}})

    @guarded
    async def end(self, session_id: str) -> None:
        """End one session; every process hears of it."""
        await self._collection.delete_one({"_id": session_id})

    @guarded
    async def end_all(self, email: str, but: str = "") -> None:
        """End every session of that person, but one if it is named."""
        await self._collection.delete_many({"email": email, "_id": {"$ne": but}})


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
