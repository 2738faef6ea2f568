"""Calls to MongoDB: what they say when they fail, and that they end when they are cancelled."""

import asyncio

import pytest

from carechat.domain import errors
from carechat.services.context import Backend
from carechat.storage.database import object_id
from tests.factories import a_pair, says


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


@pytest.mark.parametrize("identifier", ["", "x", "f" * 23, "\ud800", "$where"])
def test_what_cannot_be_an_id_is_not_found(identifier: str) -> None:
    with pytest.raises(errors.NotFoundError):
        object_id(identifier)
