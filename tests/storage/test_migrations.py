"""Migrations: what the database has after them, run once, twice and at once."""

import asyncio

import pytest
from pymongo.errors import DuplicateKeyError

from carechat.storage.store import Store
from tests.conftest import Clock, Records


@pytest.fixture
def stores(fresh: Records, mongodb_uri: str, clock: Clock) -> list[Store]:
    """Return three connections to a database in which nothing has ever been."""
    return [Store(mongodb_uri, fresh.name, clock) for _ in range(3)]


def indexes(database: Records) -> dict[str, object]:
    """Return every index of the database by its collection and name."""
    return {
        name: database[name].index_information()
        for name in sorted(database.list_collection_names())
    }


async def test_twice_and_at_once_comes_to_the_same(stores: list[Store], fresh: Records) -> None:
    await asyncio.gather(*(store.open() for store in stores))
    first = indexes(fresh)
    await stores[0].open()
    assert indexes(fresh) == first
    assert set(first) == {
        "conversations",
        "invitations",
        "messages",
        "notices",
        "sessions",
        "users",
    }
    for store in stores:
        await store.close()


async def test_what_must_be_unique_is(stores: list[Store], fresh: Records) -> None:
    await stores[0].open()
    message = {"conversation_id": "c", "seq": 1, "sender_email": "a", "client_id": "x"}
    fresh["messages"].insert_one(dict(message))
    for change in ({"client_id": "y"}, {"seq": 2}):
        with pytest.raises(DuplicateKeyError):
            fresh["messages"].insert_one(message | change)
    for collection, document in (("users", {"email": "a"}), ("conversations", {"pair": "a b"})):
        fresh[collection].insert_one(dict(document))
        with pytest.raises(DuplicateKeyError):
            fresh[collection].insert_one(dict(document))
    for store in stores:
        await store.close()


async def test_the_frequent_queries_have_their_index(stores: list[Store], fresh: Records) -> None:
    await stores[0].open()
    unread = {"receiver_email": "a", "read": False}
    history = {"conversation_id": "c", "seq": {"$gt": 3}}
    mine = {"members.email": "a"}
    cursors = [
        fresh["messages"].find(unread),
        fresh["messages"].find(history).sort("seq", -1),
        fresh["conversations"].find(mine).sort([("last_at", -1), ("_id", -1)]),
        fresh["sessions"].find({"email": "a"}),
    ]
    plans = [str(cursor.explain()["queryPlanner"]["winningPlan"]) for cursor in cursors]
    assert ["IXSCAN" in plan for plan in plans] == [True] * 4
    assert ["SORT" in plan for plan in plans] == [False] * 4
    for store in stores:
        await store.close()
