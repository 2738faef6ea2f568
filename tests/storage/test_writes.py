"""Whether the database takes writes is seen by writing: many processes do it as rarely as one."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from carechat.domain import errors
from carechat.services.context import Backend
from tests.conftest import Records
from tests.unreliable import Unreliable


def written(records: Records) -> list[dict[str, Any]]:
    """Return all that was written."""
    return list(records["watch"].find())


async def test_what_another_process_has_just_written_is_proof_enough(
    backend: Backend, other_process: Backend, records: Records
) -> None:
    await backend.store.writes.prove()
    first = await asyncio.to_thread(written, records)
    await asyncio.gather(*(one.store.writes.prove() for one in (backend, other_process) * 5))
    assert await asyncio.to_thread(written, records) == first
    await other_process.store.writes.prove(anew=True)
    second = await asyncio.to_thread(written, records)
    assert second[0]["at"] > first[0]["at"]
    assert len(second) == 1


@pytest.mark.parametrize("ahead", [timedelta(seconds=-5), timedelta(hours=1)])
async def test_what_is_old_or_of_a_clock_that_was_put_back_proves_nothing(
    backend: Backend, records: Records, ahead: timedelta
) -> None:
    await backend.store.writes.prove()
    change = {"$set": {"at": datetime.now(UTC) + ahead}}
    await asyncio.to_thread(records["watch"].update_one, {}, change)
    await backend.store.writes.prove()
    found = await asyncio.to_thread(written, records)
    assert abs(found[0]["at"] - datetime.now(UTC)) < timedelta(seconds=4)


async def test_a_database_that_answers_and_takes_no_writes_is_found_out(
    fragile: Backend, failing: Unreliable
) -> None:
    """As while somebody's backup holds it with fsyncLock, also if it was written a moment ago."""
    await fragile.store.writes.prove()
    with failing.locked():
        await fragile.store.ping()
        with pytest.raises(errors.UnavailableError):
            await fragile.store.writes.prove()
        with pytest.raises(errors.UnavailableError):
            await fragile.store.writes.prove(anew=True)
    await fragile.store.writes.prove()


async def test_a_write_without_a_majority_proves_nothing(
    fragile: Backend, failing: Unreliable
) -> None:
    with failing.holding_back(), pytest.raises(errors.UnavailableError):
        await fragile.store.writes.prove(anew=True)
