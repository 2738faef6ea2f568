"""Conversations as they are kept: the members of each, and how far every one of them has got."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from bson import ObjectId
from pymongo import ReturnDocument, UpdateOne
from pymongo.asynchronous.collection import AsyncCollection

from carechat.domain.conversations import Conversation, Kind, Member
from carechat.domain.receipts import Arrival
from carechat.domain.users import Role, User
from carechat.storage.database import Document, guarded, object_id
from carechat.storage.heard import Heard
from carechat.storage.recent import Recent, pair
from carechat.storage.together import Together

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""When a conversation without a message was last active, so that it comes last in every list."""

ACCESS_CHANGED = {"access_rev": 1}
"""Raised with every change to who may write, so that all processes hear of those changes alone."""

MAX_ARRIVALS = 50
"""The newest moves of a member's delivered number whose times are kept."""

WITHOUT_ARRIVALS = {"members.arrivals": False}
"""What every conversation is read with: the times are read only by whoever asks for them."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a conversation stands in a list that has the latest first."""

    last_at: datetime
    id: str


@dataclass(slots=True)
class Progress:
    """How far a conversation has got: its newest message was sent at `last_at` (UTC).

    With each member in `arrived`, by address, the messages from a number to a number have arrived.
    """

    last_at: datetime = NEVER
    arrived: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])


class Conversations:
    """The conversations of the clinic; `Changes` tells `recent` what others change of them."""

    def __init__(
        self,
        collection: AsyncCollection[Document],
        heard: Heard,
        clock: Callable[[], datetime],
    ) -> None:
        self._collection = collection
        self._clock = clock
        self.recent = Recent(heard)
        self._together = Together(self._read)
        self._partners = Together(self._read_partners)

    @guarded
    async def assign(self, doctor: User, patient: User) -> Conversation:
        """Let the two write to each other; their conversation keeps its id for ever."""
        now = self._clock()
        document = await self._collection.find_one_and_update(
            {"pair": pair(doctor.email, patient.email)},
            {
                "$set": {"assigned": True},
                "$inc": ACCESS_CHANGED,
                "$setOnInsert": {
                    "kind": Kind.DIRECT.value,
                    "title": None,
                    "members": [_new_member(doctor, now), _new_member(patient, now)],
                    "last_at": NEVER,
                },
            },
            WITHOUT_ARRIVALS,
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        assigned = from_document(cast("Document", document))
        self.recent.forget(assigned)
        return assigned

    @guarded
    async def unassign(self, doctor_email: str, patient_email: str) -> bool:
        """Stop the two from writing; returns whether they belonged together until now."""
        result = await self._collection.update_one(
            {"pair": pair(doctor_email, patient_email), "assigned": True},
            {"$set": {"assigned": False}, "$inc": ACCESS_CHANGED},
        )
        self.recent.forget_all()
        return result.modified_count == 1

    @guarded
    async def set_disabled(self, email: str, disabled: bool) -> None:
        """Note in all conversations of that person whether the account is closed."""
        await self._collection.update_many(
            {"members.email": email},
            {"$set": {"members.$.disabled": disabled}, "$inc": ACCESS_CHANGED},
        )
        self.recent.forget_all()

    @guarded
    async def find(self, conversation_id: str) -> Conversation | None:
        """Return the conversation with that id, if there is one."""
        return await self._find({"_id": object_id(conversation_id)})

    async def find_together(self, conversation_id: str) -> Conversation | None:
        """As `find`, for many who come back at once: one query is for all who wait for it."""
        return await self._together.get(str(object_id(conversation_id)))

    @guarded
    async def between(self, email: str, other_email: str) -> Conversation | None:
        """Return the direct conversation of the two, if there is one."""
        return await self._find({"pair": pair(email, other_email)})

    async def known(self, conversation_id: str) -> Conversation | None:
        """As `find`, but how far its members have got may be more by now."""
        return self.recent.find(conversation_id) or await self.find(conversation_id)

    async def known_between(self, email: str, other_email: str) -> Conversation | None:
        """As `between`, but how far its members have got may be more by now."""
        found = self.recent.find(pair(email, other_email))
        return found or await self.between(email, other_email)

    @guarded
    async def of(self, email: str) -> list[tuple[Place, Conversation]]:
        """Return every conversation of that person with its place, the latest first."""
        found = self._collection.find({"members.email": email}, WITHOUT_ARRIVALS)
        found = found.sort([("last_at", -1), ("_id", -1)])
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
        found = self._collection.find(query, WITHOUT_ARRIVALS)
        found = found.sort([("last_at", -1), ("_id", -1)]).limit(limit)
        return [(_place(document), from_document(document)) async for document in found]

    async def partners(self, email: str) -> set[str]:
        """Return the addresses of all who may write to that person now."""
        return await self._partners.get(email) or set()

    @guarded
    async def advance(self, steps: Mapping[str, Progress]) -> list[Conversation]:
        """Note how far conversations have got, by their ids; returns them as they are then.

        A member's delivered number moves only if nothing before what has arrived is missing.
        """
        now = self._clock()
        await self._collection.bulk_write(
            [_step(*one, now) for one in steps.items()], ordered=False
        )
        query = {"_id": {"$in": [object_id(one) for one in steps]}}
        found = self._collection.find(query, WITHOUT_ARRIVALS)
        return [from_document(document) async for document in found]

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

    @guarded
    async def arrivals(self, conversation_id: str, email: str) -> list[Arrival]:
        """Return when the member's delivered number moved, the newest moves in their order."""
        found = await self._collection.find_one(
            {"_id": object_id(conversation_id)}, {"members": {"$elemMatch": {"email": email}}}
        )
        members: list[Document] = found.get("members", []) if found else []
        noted: list[Document] = members[0].get("arrivals", []) if members else []
        return [Arrival(one["seq"], one["at"]) for one in noted]

    async def close(self) -> None:
        """Ask no more."""
        await asyncio.gather(self._together.close(), self._partners.close())

    @guarded
    async def _read(self, conversation_ids: Collection[str]) -> dict[str, Conversation]:
        query = {"_id": {"$in": [ObjectId(one) for one in conversation_ids]}}
        found = [
            from_document(document)
            async for document in self._collection.find(query, WITHOUT_ARRIVALS)
        ]
        return {conversation.id: conversation for conversation in found}

    @guarded
    async def _read_partners(self, emails: Collection[str]) -> dict[str, set[str]]:
        writable = {
            "members.email": {"$in": list(emails)},
            "assigned": True,
            "members.disabled": {"$ne": True},
        }
        partners: defaultdict[str, set[str]] = defaultdict(set)
        async for document in self._collection.find(writable, {"members.email": True}):
            members = {member["email"] for member in document["members"]}
            for email in members.intersection(emails):
                partners[email] |= members - {email}
        return partners

    async def _find(self, query: Document) -> Conversation | None:
        changes = self.recent.changes
        document = await self._collection.find_one(query, WITHOUT_ARRIVALS)
        if document is None:
            return None
        found = from_document(document)
        self.recent.keep(found, changes)
        return found

    async def _move(
        self, conversation_id: str, member: Document, numbers: dict[str, int]
    ) -> Conversation | None:
        me, seq = {"me.email": member["email"]}, numbers["delivered_seq"]
        late = {"late.email": member["email"], "late.delivered_seq": {"$lt": seq}}
        document = await self._collection.find_one_and_update(
            {"_id": object_id(conversation_id), "members": {"$elemMatch": member}},
            {
                "$max": {f"members.$[me].{name}": number for name, number in numbers.items()},
                "$push": {"members.$[late].arrivals": _noted(seq, self._clock())},
            },
            WITHOUT_ARRIVALS,
            array_filters=[me, late],
            return_document=ReturnDocument.AFTER,
        )
        return from_document(document) if document else None


def _new_member(user: User, now: datetime) -> Document:
    return {
        "email": user.email,
        "name": user.name,
        "role": user.role.value,
        "disabled": user.disabled,
        "delivered_seq": 0,
        "read_seq": 0,
        "arrivals": [{"seq": 0, "at": now}],
    }


def _noted(seq: int, now: datetime) -> Document:
    """What is pushed to the arrivals of a member whose delivered number moves."""
    return {"$each": [{"seq": seq, "at": now}], "$slice": -MAX_ARRIVALS}


def _step(conversation_id: str, progress: Progress, now: datetime) -> UpdateOne:
    numbers: Document = {"last_at": progress.last_at}
    arrivals: Document = {}
    filters: list[Mapping[str, Any]] = []
    for number, (email, (first, last)) in enumerate(progress.arrived.items()):
        name = f"m{number}"
        numbers[f"members.$[{name}].delivered_seq"] = last
        arrivals[f"members.$[{name}].arrivals"] = _noted(last, now)
        moves = {"$gte": first - 1, "$lt": last}
        filters.append({f"{name}.email": email, f"{name}.delivered_seq": moves})
    update = {"$max": numbers} | ({"$push": arrivals} if arrivals else {})
    return UpdateOne({"_id": object_id(conversation_id)}, update, array_filters=filters or None)


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
