"""A little of every fault: nothing is lost, nothing comes twice, no number is missing."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.faults import crowds, databases, servers
from tests.faults.figures import Line
from tests.faults.plan import TINY, Plan

pytestmark = pytest.mark.timeout(300)
"""The first one builds the pages, if they have changed."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return where the product may keep its data: it makes the folder itself."""
    return tmp_path / "run"


BROKEN: dict[str, Callable[[Path, Plan], Awaitable[Line]]] = {
    "server killed": servers.killed,
    "mongod killed": databases.killed,
    "primary killed": databases.primary_killed,
    "sent again and again": crowds.repeated,
    "crowd": crowds.crowded,
    "never reads": crowds.deaf,
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
async def test_nothing_is_lost_and_nothing_comes_twice(
    broken: Callable[[Path, Plan], Awaitable[Line]], folder: Path
) -> None:
    line = await broken(folder, TINY)
    assert line.damage.examples == []
    assert line.sends > 0
