"""The stream of what was written: everything since a moment, or that nobody remembers it."""

import asyncio

import pytest

from carechat.domain import errors
from carechat.domain.conversations import Conversation
from carechat.domain.messages import Message
from carechat.services import receipts, users
from carechat.services.context import Backend
from carechat.storage.changes import HISTORY_LOST, ForgottenError, Moment, Written
from tests.factories import a_pair, says, to
from tests.unreliable import Unreliable


async def read(backend: Backend, since: Moment, count: int) -> list[Written]:
    """Return the first so many things that were written since then."""
    found: list[Written] = []
    async with asyncio.timeout(10), backend.store.changes.written(since) as changes:
        async for written in changes:
            found += [written] if written else []
            if len(found) == count:
                break
    return found


async def test_messages_and_cursors_are_given_and_nothing_else(backend: Backend) -> None:
    doctor, patient = await a_pair(backend)
    since = await backend.store.changes.now()
    sent = await says(doctor, patient)
    await users.unassign(backend, doctor.user.email, patient.user.email)
    await receipts.read(patient, to(doctor))
    message, moved = await read(backend, since, 2)
    assert isinstance(message.what, Message)
    assert message.what.id == sent.id
    assert isinstance(moved.what, Conversation)
    assert moved.what.member(patient.user.email).read_seq == 1
    assert since < message.at < moved.at


async def test_quiet_is_told(backend: Backend) -> None:
    async with backend.store.changes.written(await backend.store.changes.now()) as changes:
        async with asyncio.timeout(10):
            while await anext(changes) is not None:
                pass


async def test_what_nobody_remembers_any_more_is_said_to_be_forgotten(
    fragile: Backend, failing: Unreliable
) -> None:
    failing.fail(["aggregate"], errorCode=HISTORY_LOST)
    with pytest.raises(ForgottenError):
        await read(fragile, Moment(1, 1), 1)
    failing.fail(["aggregate"], errorCode=8000)
    with pytest.raises(errors.UnavailableError):
        await read(fragile, Moment(1, 1), 1)
