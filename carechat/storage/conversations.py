"""Conversations as they are kept: the members of each, and how far every one of them has got."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from pymongo import ReturnDocument
from pymongo.asynchronous.collection import AsyncCollection

from carechat.domain.conversations import Conversation, Kind, Member
from carechat.domain.users import Role, User
from carechat.storage.database import Document, guarded, object_id

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""When a conversation without a message was last active, so that it comes last in every list."""

ACCESS_CHANGED = {"access_rev": 1}
"""Raised with every change to who may write, so that all processes hear of those changes alone."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a conversation stands in a list that has the latest first."""

    last_at: datetime
    id: str


class Conversations:
    """The conversations of the clinic."""

    def __init__(self, collection: AsyncCollection[Document]) -> None:
        self._collection = collection

    @guarded
    async def assign(self, doctor: User, patient: User) -> Conversation:
        """Let the two write to each other; their conversation keeps its id for ever."""
        document = await self._collection.find_one_and_update(
            {"pair": _pair(doctor.email, patient.email)},
            {
                "$set": {"assigned": True},
                "$inc": ACCESS_CHANGED,
                "$setOnInsert": {
                    "kind": Kind.DIRECT.value,
                    "title": None,
                    "members": [_new_member(doctor), _new_member(patient)],
                    "last_at": NEVER,
                },
            },
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        return from_document(cast("Document", document))

    @guarded
    async def unassign(self, doctor_email: str, patient_email: str) -> bool:
        """Stop the two from writing; returns whether they belonged together until now."""
        result = await self._collection.update_one(
            {"pair": _pair(doctor_email, patient_email), "assigned": True},
            {"$set": {"assigned": False}, "$inc": ACCESS_CHANGED},
        )
        return result.modified_count == 1

    @guarded
    async def set_disabled(self, email: str, disabled: bool) -> None:
        """Note in all conversations of that person whether the account is closed."""
        await self._collection.update_many(
            {"members.email": email},
            {"$set": {"members.$.disabled": disabled}, "$inc": ACCESS_CHANGED},
        )

    @guarded
    async def find(self, conversation_id: str) -> Conversation | None:
        """Return the conversation with that id, if there is one."""
        document = await self._collection.find_one({"_id": object_id(conversation_id)})
        return from_document(document) if document else None

    @guarded
    async def between(self, email: str, other_email: str) -> Conversation | None:
        """Return the direct conversation of the two, if there is one."""
        document = await self._collection.find_one({"pair": _pair(email, other_email)})
        return from_document(document) if document else None

    @guarded
    async def of(self, email: str) -> list[tuple[Place, Conversation]]:
        """Return every conversation of that person with its place, the latest first."""
        found = self._collection.find({"members.email": email}).sort([("last_at", -1), ("_id", -1)])
        return [(_place(document), from_document(document)) async for document in found]

    @guarded
    async def page(
        self, email: str, limit: int, after: Place | None
    ) -> list[tuple[Place, Conversation]]:
        """Return the next `limit` conversations of that person after a place, the latest first."""
        query: Document = {"members.email": email}
        if after:
            query["$or"] = [
                {"last_at": {"$lt": after.last_at}},
                {"last_at": after.last_at, "_id": {"$lt": object_id(after.id)}},
            ]
        found = self._collection.find(query).sort([("last_at", -1), ("_id", -1)]).limit(limit)
        return [(_place(document), from_document(document)) async for document in found]

    @guarded
    async def partners(self, email: str) -> set[str]:
        """Return the addresses of all who may write to that person now."""
        writable = {"members.email": email, "assigned": True, "members.disabled": {"$ne": True}}
        found = await self._collection.distinct("members.email", writable)
        return set(found) - {email}

    @guarded
    async def note_message(self, conversation_id: str, at: datetime) -> None:
        """Let lists put the conversation where its newest message belongs."""
        await self._collection.update_one(
            {"_id": object_id(conversation_id)}, {"$max": {"last_at": at}}
        )

    @guarded
    async def deliver(
        self, conversation_id: str, email: str, first: int, last: int
    ) -> Conversation | None:
        """Move the member's delivered number to `last`, if nothing before `first` is missing.

        Returns the conversation as it is then, or None if the number did not move.
        """
        member = {"email": email, "delivered_seq": {"$gte": first - 1, "$lt": last}}
        return await self._move(conversation_id, member, {"delivered_seq": last})

    @guarded
    async def read(self, conversation_id: str, email: str, seq: int) -> Conversation | None:
        """Move the member's read number to `seq`; what was read was also delivered.

        Returns the conversation as it is then, or None if the number did not move.
        """
        member = {"email": email, "read_seq": {"$lt": seq}}
        return await self._move(conversation_id, member, {"read_seq": seq, "delivered_seq": seq})

    async def _move(
        self, conversation_id: str, member: Document, numbers: dict[str, int]
    ) -> Conversation | None:
        document = await self._collection.find_one_and_update(
            {"_id": object_id(conversation_id), "members": {"$elemMatch": member}},
            {"$max": {f"members.$.{name}": number for name, number in numbers.items()}},
            return_document=ReturnDocument.AFTER,
        )
        return from_document(document) if document else None


def _pair(email: str, other_email: str) -> str:
    return " ".join(sorted((email, other_email)))


def _new_member(user: User) -> Document:
    return {
        "email": user.email,
        "name": user.name,
        "role": user.role.value,
        "disabled": user.disabled,
        "delivered_seq": 0,
        "read_seq": 0,
    }


def _place(document: Document) -> Place:
    return Place(document["last_at"], str(document["_id"]))


def from_document(document: Document) -> Conversation:
    """Return the conversation that a document of the collection holds."""
    members: Iterable[Document] = document["members"]
    return Conversation(
        id=str(document["_id"]),
        kind=Kind(document["kind"]),
        title=document["title"],
        members=tuple(_member(member) for member in members),
        assigned=document["assigned"],
    )


def _member(document: Document) -> Member:
    return Member(
        email=document["email"],
        name=document["name"],
        role=Role(document["role"]),
        disabled=document["disabled"],
        delivered_seq=document["delivered_seq"],
        read_seq=document["read_seq"],
    )
