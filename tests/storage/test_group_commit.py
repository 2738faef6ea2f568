"""Group commit: what is written together, in which order, and what one failure does to the rest."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carechat.domain import errors
from carechat.storage import group_commit
from carechat.storage.group_commit import ATTEMPTS, GroupCommit, Outcome

REFUSED = errors.InvalidError("No.")


@dataclass
class Disk:
    """Writes words, a batch at a time, as slowly as the test wants; the first letter is the key."""

    lanes: int = 1
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    batches: list[list[str]] = field(default_factory=list[list[str]])
    under_way: list[str] = field(default_factory=list[str])
    plan: list[list[str]] = field(default_factory=list[list[str]])

    def __post_init__(self) -> None:
        self.commits = GroupCommit(self.write, lambda word: word[0], self.lanes)

    async def write(self, words: list[str]) -> Sequence[Outcome[str]]:
        """Note the batch, wait, and do as planned for as many as the plan names."""
        keys = {word[0] for word in words}
        assert not keys & set(self.under_way)
        self.under_way += keys
        self.batches.append(words)
        await self.go_on.wait()
        self.under_way = [key for key in self.under_way if key not in keys]
        planned = self.plan.pop(0) if self.plan else ["ok"] * len(words)
        if "breaks" in planned:
            raise ZeroDivisionError
        results = {"no": REFUSED, "again": None}
        return [results.get(what, word.upper()) for word, what in zip(words, planned, strict=False)]

    async def put(self, *words: str) -> list[str | errors.CareChatError]:
        """Put the words and return what became of each once the disk goes on."""
        waiting = [self.later(word) for word in words]
        await asyncio.sleep(0)
        self.go_on.set()
        return await asyncio.gather(*waiting)

    def later(self, word: str) -> asyncio.Future[str | errors.CareChatError]:
        """Put the word; returns what will become of it."""
        told: asyncio.Future[str | errors.CareChatError] = asyncio.Future()
        self.commits.put(word, told.set_result)
        return told


async def test_what_comes_in_meanwhile_is_the_next_batch() -> None:
    disk = Disk()
    assert await disk.put("a1", "b1", "a2") == ["A1", "B1", "A2"]
    assert disk.batches == [["a1"], ["b1", "a2"]]


async def test_whoever_waits_is_told_in_the_order_of_the_batch() -> None:
    disk, told = Disk(), list[str | errors.CareChatError]()
    for word in ("a1", "b1", "a2", "c1"):
        disk.commits.put(word, told.append)
    await disk.put("c2")
    assert told == ["A1", "B1", "A2", "C1"]


async def test_lanes_write_at_once_but_never_two_batches_with_one_key() -> None:
    disk = Disk(lanes=2)
    await disk.put("a1", "a2", "b1", "a3", "b2")
    assert disk.batches[:2] == [["a1"], ["b1"]]
    assert sorted(word for batch in disk.batches for word in batch) == [
        "a1",
        "a2",
        "a3",
        "b1",
        "b2",
    ]


async def test_a_refusal_is_told_to_its_sender_alone() -> None:
    disk = Disk(plan=[["ok"], ["ok", "no", "ok"]])
    assert await disk.put("a1", "b1", "c1", "d1") == ["A1", "B1", REFUSED, "D1"]


async def test_what_was_not_tried_is_written_next_before_what_came_later() -> None:
    disk = Disk(plan=[["ok"], ["ok"]])
    assert await disk.put("a1", "b1", "a2", "c1") == ["A1", "B1", "A2", "C1"]
    assert disk.batches == [["a1"], ["b1", "a2", "c1"], ["a2", "c1"]]


async def test_again_has_a_bound() -> None:
    disk = Disk(plan=[["again"]] * ATTEMPTS)
    [error] = await disk.put("a1")
    assert isinstance(error, errors.UnavailableError)
    assert disk.batches == [["a1"]] * ATTEMPTS


def _cannot_be_told(_: object) -> None:
    raise ZeroDivisionError


async def test_who_cannot_be_told_keeps_nobody_else_from_being_told() -> None:
    disk = Disk()
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
    for word in ("a1", "b1"):
        disk.commits.put(word, _cannot_be_told)
    assert await disk.put("b2", "a2") == ["B2", "A2"]


async def test_a_failure_that_nobody_thought_of_leaves_nobody_waiting() -> None:
    disk = Disk(plan=[["breaks"]])
    told = await disk.put("a1", "a2")
    assert (type(told[0]), told[1]) == (errors.UnavailableError, "A2")


async def test_too_many_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "MAX_WAITING", 2)
    disk = Disk()
    kept = [disk.later(word) for word in ("a1", "a2", "a3")]
    with pytest.raises(errors.UnavailableError):
        disk.later("a4")
    disk.go_on.set()
    assert await asyncio.gather(*kept) == ["A1", "A2", "A3"]


async def test_closing_tells_everybody_who_waits() -> None:
    disk = Disk()
    waiting = [disk.later(word) for word in ("a1", "a2")]
    await asyncio.sleep(0)
    await disk.commits.close()
    told = await asyncio.gather(*waiting)
    assert [type(error) for error in told] == [errors.UnavailableError] * 2


@given(
    words=st.lists(st.sampled_from("abc"), min_size=1, max_size=30),
    plan=st.lists(
        st.lists(st.sampled_from(["ok", "ok", "no", "again"]), min_size=1, max_size=5), max_size=8
    ),
    lanes=st.integers(1, 3),
)
def test_whatever_fails_everybody_is_told_once_and_the_order_of_a_key_is_kept(
    words: list[str], plan: list[list[str]], lanes: int
) -> None:
    async def run() -> None:
        disk = Disk(lanes=lanes, plan=plan)
        named = [f"{letter}{number}" for number, letter in enumerate(words)]
        told = await disk.put(*named)
        assert [
            one == word.upper() or one is REFUSED for word, one in zip(named, told, strict=True)
        ]
        written = [word for batch in disk.batches for word in batch]
        for letter in set(words):
            first_tries = list(dict.fromkeys(word for word in written if word[0] == letter))
            assert first_tries == [word for word in named if word[0] == letter]

    asyncio.run(run())
