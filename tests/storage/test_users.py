"""Accounts as they are kept, where services never ask."""

from dataclasses import replace

import pytest

from carechat.domain.users import Role
from carechat.services.context import Backend
from tests.conftest import Records
from tests.factories import a_user


async def test_what_is_not_there_is_not_changed(backend: Backend) -> None:
    users, conversations = backend.store.users, backend.store.conversations
    await users.set_disabled("nobody@example.com", disabled=True)
    assert await users.find("nobody@example.com") is None
    assert await users.credentials("nobody@example.com") is None
    assert await conversations.read("f" * 24, "nobody@example.com", 1) is None
    assert await conversations.deliver("f" * 24, "nobody@example.com", 1, 1) is None
    assert not await conversations.unassign("a@example.com", "b@example.com")


async def test_a_disabled_account_is_found_but_has_no_credentials(backend: Backend) -> None:
    user = await a_user(backend, Role.ADMIN)
    await backend.store.users.set_disabled(user.email, disabled=True)
    assert await backend.store.users.find(user.email) == replace(user, disabled=True)
    assert await backend.store.users.credentials(user.email) is None


async def test_dropping_leaves_nothing(backend: Backend, records: Records) -> None:
    await a_user(backend)
    await backend.store.drop()
    assert records.list_collection_names() == []
    await backend.store.open()


@pytest.mark.parametrize("email", ["$ne", '{"$gt": ""}', "\0"])
async def test_an_operator_is_an_address_like_any_other(backend: Backend, email: str) -> None:
    await a_user(backend)
    assert await backend.store.users.find(email) is None
