"""Migrations: what the database must have before use; each is safe to run twice and at once."""

import pymongo
from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.asynchronous.database import AsyncDatabase

from carechat.storage.database import Document, guarded

BUILD_SECONDS = 60 * 60
"""How long an index on what is there already may take to build: nobody waits in front of a page."""

INDEXES = {
    "users": [IndexModel("email", unique=True)],
    "sessions": [IndexModel("email"), IndexModel("expires_at", expireAfterSeconds=0)],
    "invitations": [
        IndexModel("email"),
        IndexModel("doctor_email"),
        IndexModel("expires_at", expireAfterSeconds=0),
    ],
    "notices": [IndexModel("expires_at", expireAfterSeconds=0)],
    "conversations": [
        IndexModel("pair", unique=True, partialFilterExpression={"pair": {"$type": "string"}}),
        IndexModel([("members.email", ASCENDING), ("last_at", DESCENDING), ("_id", DESCENDING)]),
    ],
    "messages": [
        IndexModel([("conversation_id", ASCENDING), ("seq", ASCENDING)], unique=True),
        IndexModel(
            [
                ("conversation_id", ASCENDING),
                ("sender_email", ASCENDING),
                ("client_id", ASCENDING),
            ],
            unique=True,
        ),
        IndexModel(
            [("receiver_email", ASCENDING), ("conversation_id", ASCENDING), ("seq", ASCENDING)],
            name="unread",
            partialFilterExpression={"read": False},
        ),
    ],
}


@guarded
async def migrate(database: AsyncDatabase[Document]) -> None:
    """Bring the database to what this version expects."""
    for collection, indexes in INDEXES.items():
        with pymongo.timeout(BUILD_SECONDS):
            await database[collection].create_indexes(indexes)
