"""Lock files: one holder at a time, and a bounded wait for the others."""

import threading
import time
from pathlib import Path

import pytest

from carechat.storage import locks


def test_who_waits_too_long_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with locks.exclusive(path, 1):
        assert locks.is_held(path)
        with pytest.raises(TimeoutError, match="held by another"), locks.exclusive(path, 0.05):
            pass
    assert not locks.is_held(path)


def test_who_waits_long_enough_has_it_next(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    first = locks.Lock(path)
    assert first.take()
    began = time.monotonic()
    threading.Timer(0.1, first.release).start()
    with locks.exclusive(path, 5):
        assert time.monotonic() - began >= 0.05
    first.close()


def test_many_may_share_a_lock_that_nobody_then_has_alone(tmp_path: Path) -> None:
    one, two = locks.Lock(tmp_path / "lock"), locks.Lock(tmp_path / "lock")
    assert one.take(shared=True)
    assert two.take(shared=True)
    assert not one.take()
    two.release()
    assert one.take()
    one.sign("a longer word")
    one.sign("word")
    assert (tmp_path / "lock").read_text() == "word"
    one.close()
    two.close()


def test_a_lock_that_is_not_there_is_not_held(tmp_path: Path) -> None:
    assert not locks.is_held(tmp_path / "lock")
