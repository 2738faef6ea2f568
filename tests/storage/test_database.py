"""Calls to MongoDB: what they say when they fail, and that they end when they are cancelled."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from urllib.parse import quote_plus

import pytest

from carechat.domain import errors
from carechat.domain.events import SessionEnded
from carechat.services.context import Backend
from carechat.storage import database
from carechat.storage.database import object_id
from carechat.storage.store import Store
from tests.conftest import Clock
from tests.factories import a_pair, says
from tests.listening import a_screen

SERVER_WAITS_SECONDS = 1.0
"""How long MongoDB keeps a question for changes open before it says that there are none."""


async def test_a_cancelled_call_never_goes_on(backend: Backend) -> None:
    doctor, patient = await a_pair(backend)
    message = await says(patient, doctor)
    deliver = backend.store.conversations.deliver
    for number in range(300):
        call = deliver(message.conversation_id, doctor.user.email, 1, number)
        task = asyncio.create_task(call)
        for _ in range(number % 30):
            await asyncio.sleep(0)
        if task.cancel():
            with pytest.raises(asyncio.CancelledError):
                await task


async def test_cleaning_up_after_a_cancellation_may_call_again(backend: Backend) -> None:
    found: list[object] = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            found.append(await backend.store.users.find("nobody@example.com"))

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert found == [None]


async def test_all_connections_are_closed_though_who_closes_them_is_cancelled(
    mongodb_uri: str,
) -> None:
    async with database.connect(mongodb_uri) as client:
        await asyncio.gather(*(client.admin.command("ping") for _ in range(5)))
        # A call that fails does the same, but could not be cancelled just then.
        [server] = client._topology._servers.values()  # pyright: ignore[reportPrivateUsage]
        connections = list(server.pool.conns)
        closing = asyncio.create_task(server.pool.reset())
        await asyncio.sleep(0)
        closing.cancel()
        await asyncio.wait([closing])
    closed = [connection.closed for connection in connections]
    await asyncio.gather(*(connection.close_conn(None) for connection in connections))
    assert closed
    assert all(closed)


async def test_quiet_is_no_failure_of_the_stream_of_changes(watching: Backend) -> None:
    doctor, _ = await a_pair(watching)
    await asyncio.sleep(2 * SERVER_WAITS_SECONDS)
    async with a_screen(doctor) as screen:
        await watching.store.sessions.end(doctor.session.id)
        await screen.until(SessionEnded)


@pytest.fixture
async def alone(lone_mongod: Path, clock: Clock) -> AsyncGenerator[Store]:
    """Give a store on that mongod."""
    store = Store(f"mongodb://{quote_plus(str(lone_mongod))}", "alone", clock)
    yield store
    await store.close()


async def test_a_mongodb_that_is_no_replica_set_is_refused(alone: Store) -> None:
    with pytest.raises(errors.ConflictError, match="must name a replica set"):
        await alone.open()


@pytest.mark.parametrize("identifier", ["", "x", "f" * 23, "\ud800", "$where"])
def test_what_cannot_be_an_id_is_not_found(identifier: str) -> None:
    with pytest.raises(errors.NotFoundError):
        object_id(identifier)
