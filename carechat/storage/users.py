"""Accounts as they are kept: one document a person, the password only as its hash."""

from dataclasses import dataclass
from datetime import datetime

from bson import ObjectId
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError

from carechat.domain import errors
from carechat.domain.users import Role, User
from carechat.storage.database import Document, guarded


@dataclass(frozen=True, slots=True)
class Credentials:
    """A person and the hash of their password, None while none has been chosen."""

    user: User
    password_hash: str | None


class Users:
    """The accounts of the clinic."""

    def __init__(self, collection: AsyncCollection[Document]) -> None:
        self._collection = collection

    @guarded
    async def add(
        self, email: str, name: str, role: Role, password_hash: str | None, now: datetime
    ) -> User:
        """Store a new account; raises `ConflictError` if the address has one already."""
        document = {
            "_id": ObjectId(),
            "email": email,
            "name": name,
            "role": role.value,
            "password_hash": password_hash,
            "disabled": False,
            "created_at": now,
        }
        try:
            await self._collection.insert_one(document)
        except DuplicateKeyError as error:
            raise errors.ConflictError("There is an account with that address already.") from error
        return _user(document)

    @guarded
    async def find(self, email: str) -> User | None:
        """Return the account with that address, if there is one."""
        document = await self._collection.find_one({"email": email})
        return _user(document) if document else None

    @guarded
    async def credentials(self, email: str) -> Credentials | None:
        """Return what a sign-in is checked against; None for unknown and disabled accounts."""
        document = await self._collection.find_one({"email": email, "disabled": False})
        return Credentials(_user(document), document["password_hash"]) if document else None

    @guarded
    async def set_password(self, email: str, password_hash: str) -> None:
        """Replace the password's hash."""
        await self._collection.update_one(
            {"email": email}, {"$set": {"password_hash": password_hash}}
        )

    @guarded
    async def set_disabled(self, email: str, disabled: bool) -> None:
        """Close or open the account."""
        await self._collection.update_one({"email": email}, {"$set": {"disabled": disabled}})

    @guarded
    async def all(self) -> list[User]:
        """Return every account, by address."""
        return [_user(document) async for document in self._collection.find().sort("email")]


def _user(document: Document) -> User:
    return User(
        id=str(document["_id"]),
        email=document["email"],
        name=document["name"],
        role=Role(document["role"]),
        disabled=document["disabled"],
    )
