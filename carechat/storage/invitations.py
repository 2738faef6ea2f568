"""One-time links as they are kept: the token's digest, for whom it is, until when it is good."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pymongo.asynchronous.collection import AsyncCollection

from carechat.storage.database import Document, guarded


class Purpose(StrEnum):
    """What a one-time link lets its holder do."""

    JOIN = "join"
    RESET = "reset"


@dataclass(frozen=True, slots=True)
class Invitation:
    """A link with which that person chooses a password once, until `expires_at` (UTC)."""

    purpose: Purpose
    email: str
    name: str
    doctor_email: str | None
    expires_at: datetime


class Invitations:
    """The one-time links that have not been used yet."""

    def __init__(self, collection: AsyncCollection[Document]) -> None:
        self._collection = collection

    @guarded
    async def add(self, token_digest: str, invitation: Invitation) -> None:
        """Store a link under the digest of its token."""
        await self._collection.insert_one(
            {
                "_id": token_digest,
                "purpose": invitation.purpose.value,
                "email": invitation.email,
                "name": invitation.name,
                "doctor_email": invitation.doctor_email,
                "expires_at": invitation.expires_at,
            }
        )

    @guarded
    async def find(self, token_digest: str, now: datetime) -> Invitation | None:
        """Return the link, if it is there and still good."""
        found = await self._collection.find_one(_good(token_digest, now))
        return _invitation(found) if found else None

    @guarded
    async def take(self, token_digest: str, now: datetime) -> Invitation | None:
        """Return the link and use it up, so that of two who come at once one gets it."""
        found = await self._collection.find_one_and_delete(_good(token_digest, now))
        return _invitation(found) if found else None

    @guarded
    async def count_open(self, doctor_email: str, now: datetime, most: int) -> int:
        """Return how many good links of that doctor are not used yet; no more than `most` count."""
        mine = {"doctor_email": doctor_email, "expires_at": {"$gt": now}}
        return await self._collection.count_documents(mine, limit=most)

    @guarded
    async def withdraw(self, email: str) -> None:
        """Make every link for that person worthless."""
        await self._collection.delete_many({"email": email})


def _good(token_digest: str, now: datetime) -> Document:
    return {"_id": token_digest, "expires_at": {"$gt": now}}


def _invitation(document: Document) -> Invitation:
    return Invitation(
        purpose=Purpose(document["purpose"]),
        email=document["email"],
        name=document["name"],
        doctor_email=document["doctor_email"],
        expires_at=document["expires_at"],
    )
