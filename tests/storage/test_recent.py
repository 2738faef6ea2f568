"""Recent conversations: known without asking, but never against what was told since."""

import asyncio
from dataclasses import replace

import pytest

from carechat.domain.conversations import Kind
from carechat.storage import recent
from carechat.storage.heard import FRESH_SECONDS, Heard
from carechat.storage.recent import Recent, pair
from tests.factories import CONVERSATION

A, B = CONVERSATION.emails


@pytest.fixture
async def changes() -> Heard:
    """Return that every change was heard of until now."""
    changes = Heard()
    changes.until(asyncio.get_running_loop().time() + 60)
    return changes


@pytest.fixture
def heard(changes: Heard) -> Recent:
    """Return one that is told of changes."""
    return Recent(changes)


async def test_what_was_read_is_known_by_its_id_and_by_its_pair(heard: Recent) -> None:
    heard.keep(CONVERSATION, heard.changes)
    assert heard.find(CONVERSATION.id) == heard.find(pair(B, A)) == CONVERSATION


async def test_a_team_is_known_by_its_id(heard: Recent) -> None:
    team = replace(CONVERSATION, kind=Kind.TEAM, members=CONVERSATION.members[:1])
    heard.keep(team, heard.changes)
    assert heard.find(team.id) == team


async def test_nothing_is_kept_while_changes_are_not_heard_of(
    heard: Recent, changes: Heard
) -> None:
    changes.nothing()
    heard.keep(CONVERSATION, heard.changes)
    changes.until(asyncio.get_running_loop().time() + 60)
    assert heard.find(CONVERSATION.id) is None


async def test_nothing_is_known_when_nothing_was_heard_for_long(
    heard: Recent, changes: Heard
) -> None:
    heard.keep(CONVERSATION, heard.changes)
    changes.until(asyncio.get_running_loop().time() - FRESH_SECONDS)
    assert heard.find(CONVERSATION.id) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda kept: kept.forget(CONVERSATION),
        lambda kept: kept.forget_all(),
    ],
    ids=["it changed", "some changed"],
)
async def test_a_change_is_known_at_once_and_what_was_read_before_it_is_not_kept(
    heard: Recent, change: object
) -> None:
    heard.keep(CONVERSATION, heard.changes)
    before = heard.changes
    assert callable(change)
    change(heard)
    assert heard.find(CONVERSATION.id) is heard.find(pair(A, B)) is None
    heard.keep(CONVERSATION, before)
    assert heard.find(CONVERSATION.id) is None


async def test_what_was_not_asked_for_longest_gives_way(
    heard: Recent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recent, "MAX_KEPT", 2)
    teams = [replace(CONVERSATION, id=str(number) * 24, kind=Kind.TEAM) for number in range(5)]
    for team in teams[:4]:
        heard.keep(team, heard.changes)
    assert heard.find(teams[0].id)
    heard.keep(teams[4], heard.changes)
    assert [bool(heard.find(team.id)) for team in teams] == [True, False, True, True, True]
