"""What storage says when MongoDB fails it: never that something is stored which is not."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any

import pytest

from carechat.domain import errors
from carechat.domain.messages import Draft, Message
from carechat.domain.users import Role
from carechat.services.context import Backend
from carechat.storage import database, in_doubt
from carechat.storage.store import Store
from tests.conftest import Clock
from tests.listening import SECONDS
from tests.unreliable import Unreliable

CONVERSATION = "5" * 24
UNCERTAIN = {"code": 64, "errmsg": "waiting for replication timed out"}
SLOWLY: dict[str, Any] = {"blockConnection": True, "blockTimeMS": 250}
REFUSED = 8000
"""An error code that no driver tries again by itself."""

COMMANDS = ["insert", "find", "update", "delete", "findAndModify", "aggregate", "distinct"]


def a_draft(client_id: str, text: str = "Hello") -> Draft:
    """Return a message."""
    return Draft(CONVERSATION, client_id, "doctor@example.com", "patient@example.com", text)


async def stored(backend: Backend) -> list[tuple[int, str]]:
    """Return the number and the text of everything that is stored."""
    found = await backend.store.messages.history(CONVERSATION, 100)
    return [(one.seq, one.message) for one in found]


async def test_one_broken_connection_is_no_failure(fragile: Backend, failing: Unreliable) -> None:
    failing.fail(["insert"], times=1)
    message, created = await fragile.store.messages.append(a_draft("c1"))
    assert (message.seq, created) == (1, True)


async def test_what_was_not_stored_is_not_called_stored(
    fragile: Backend, failing: Unreliable
) -> None:
    failing.fail(["insert"], errorCode=REFUSED)
    with pytest.raises(errors.UnavailableError):
        await fragile.store.messages.append(a_draft("c1"))
    failing.heal()
    assert await stored(fragile) == []


async def test_what_was_stored_without_an_answer_is_found_again(
    fragile: Backend, failing: Unreliable
) -> None:
    failing.fail(["insert", "find"], writeConcernError=UNCERTAIN, **SLOWLY)
    message, created = await fragile.store.messages.append(a_draft("c1"))
    assert (message.seq, message.client_id, created) == (1, "c1", True)
    assert await stored(fragile) == [(1, "Hello")]


async def test_an_outcome_that_cannot_be_read_back_is_unknown_and_can_be_tried_again(
    fragile: Backend, failing: Unreliable
) -> None:
    await fragile.store.messages.append(a_draft("c1"))
    failing.fail(["insert", "find"], errorCode=REFUSED)
    with pytest.raises(errors.UnavailableError):
        await fragile.store.messages.append(a_draft("c2"))
    failing.heal()
    await fragile.store.messages.append(a_draft("c2"))
    assert [seq for seq, _ in await stored(fragile)] == [1, 2]


async def test_an_index_may_take_longer_to_build_than_any_other_call(
    failing: Unreliable, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "OPERATION_TIMEOUT_MS", 2_000)
    failing.fail(["createIndexes"], times=1, blockConnection=True, blockTimeMS=3_000)
    store = Store(failing.uri, "carechat-tests", clock)
    try:
        await store.open()
        assert await store.is_reachable()
    finally:
        await store.close()


@pytest.fixture
async def late(failing: Unreliable, clock: Clock) -> AsyncGenerator[Store]:
    """Give another way into that database: what the server does after its client gave up."""
    store = Store(failing.uri, "carechat-tests", clock)
    yield store
    await store.close()


@pytest.fixture
def asks_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask for what is in doubt only after the test."""
    monkeypatch.setattr(in_doubt, "ASK_SECONDS", 600)


async def leave_in_doubt(
    draft: Draft, backend: Backend, failing: Unreliable, *tell: Callable[[Message], None]
) -> None:
    """Let nobody know whether that one is stored, which is not the first of its conversation."""
    append = backend.store.messages.append
    await append(a_draft("the first"))
    failing.fail(["insert", "find"], errorCode=REFUSED)
    with pytest.raises(errors.UnavailableError):
        await append(draft, *tell)
    failing.heal()


async def test_what_turns_out_to_be_stored_after_all_counts_as_new_once(
    asks_late: None, fragile: Backend, late: Store, failing: Unreliable
) -> None:
    append = fragile.store.messages.append
    await leave_in_doubt(a_draft("c2"), fragile, failing)
    await late.messages.append(a_draft("c2"))
    assert [(await append(a_draft("c2")))[1] for _ in range(2)] == [True, False]


async def test_what_was_new_once_is_not_new_again(
    asks_late: None, fragile: Backend, failing: Unreliable
) -> None:
    append = fragile.store.messages.append
    await leave_in_doubt(a_draft("c2"), fragile, failing)
    assert [(await append(a_draft("c2")))[1] for _ in range(3)] == [True, False, False]


async def test_what_was_stored_long_ago_is_not_new_because_of_a_failure(
    fragile: Backend, failing: Unreliable
) -> None:
    append = fragile.store.messages.append
    await append(a_draft("c1"))
    failing.fail(["find"], errorCode=REFUSED)
    with pytest.raises(errors.UnavailableError):
        await append(a_draft("c1"))
    failing.heal()
    failing.fail(["insert"], errorCode=REFUSED)
    assert not (await append(a_draft("c1")))[1]
    failing.heal()
    assert not (await append(a_draft("c1")))[1]


@pytest.mark.parametrize("again", [True, False], ids=["with another process", "no more"])
async def test_what_turns_out_to_be_stored_is_told_once_whether_or_not_it_is_sent_again(
    fragile: Backend,
    late: Store,
    failing: Unreliable,
    monkeypatch: pytest.MonkeyPatch,
    again: bool,
) -> None:
    monkeypatch.setattr(in_doubt, "ASK_SECONDS", 0.1)
    monkeypatch.setattr(in_doubt, "ANSWERS", 10_000)
    told: asyncio.Queue[Message] = asyncio.Queue()
    await leave_in_doubt(a_draft("c2"), fragile, failing, told.put_nowait)
    message, _ = await late.messages.append(a_draft("c2"))
    if again:
        assert not (await late.messages.append(a_draft("c2"), told.put_nowait))[1]
    async with asyncio.timeout(SECONDS):
        assert await told.get() == message
    await asyncio.sleep(3 * in_doubt.ASK_SECONDS)
    assert told.empty()


async def test_after_a_failure_numbers_go_on_without_a_gap(
    fragile: Backend, failing: Unreliable
) -> None:
    append = fragile.store.messages.append
    await append(a_draft("c1", "1"))
    failing.fail(["insert"], errorCode=REFUSED)
    with pytest.raises(errors.UnavailableError):
        await append(a_draft("c2", "lost"))
    failing.heal()
    failing.fail(["insert", "find"], writeConcernError=UNCERTAIN, **SLOWLY)
    await append(a_draft("c3", "2"))
    failing.heal()
    await append(a_draft("c4", "3"))
    assert await stored(fragile) == [(1, "1"), (2, "2"), (3, "3")]


async def test_an_uncertain_retry_with_another_text_is_a_conflict(
    fragile: Backend, failing: Unreliable
) -> None:
    await fragile.store.messages.append(a_draft("c1", "Hello"))
    failing.fail(["insert"], errorCode=REFUSED)
    with pytest.raises(errors.ConflictError):
        await fragile.store.messages.append(a_draft("c1", "Another"))


async def test_every_collection_says_that_it_is_unavailable(
    fragile: Backend, failing: Unreliable, clock: Clock
) -> None:
    failing.fail(COMMANDS, errorCode=REFUSED)
    store = fragile.store
    calls = [
        store.users.add("a@example.com", "A", Role.DOCTOR, None, clock()),
        store.users.find("a@example.com"),
        store.users.set_disabled("a@example.com", disabled=True),
        store.sessions.find("s"),
        store.sessions.end("s"),
        store.invitations.take("t", clock()),
        store.invitations.withdraw("a@example.com"),
        store.conversations.of("a@example.com"),
        store.conversations.partners("a@example.com"),
        store.messages.unread("a@example.com"),
        store.messages.last_seq(CONVERSATION),
        store.messages.mark_read(CONVERSATION, "a@example.com", 1),
    ]
    for call in calls:
        with pytest.raises(errors.UnavailableError):
            await call


async def test_a_text_that_mongodb_cannot_keep_is_invalid(backend: Backend) -> None:
    with pytest.raises(errors.InvalidError):
        await backend.store.users.find("\ud800@example.com")


@pytest.fixture
def silent(clock: Clock) -> Generator[Store]:
    """Give a store whose database takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        yield Store(f"mongodb://127.0.0.1:{port}/?directConnection=true", "silent", clock)


async def test_a_database_that_says_nothing_is_given_up_within_seconds(silent: Store) -> None:
    async with asyncio.timeout(4):
        assert not await silent.is_reachable()
    await silent.close()


async def test_a_database_that_answers_is_reachable(backend: Backend) -> None:
    assert await backend.store.is_reachable()
