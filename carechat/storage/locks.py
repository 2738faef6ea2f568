"""Lock files that are let go with the process that holds them, however it dies (flock)."""

import fcntl
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

POLL = 0.01


class Lock:
    """A lock file, not yet taken; whoever has it may sign it with a word for the others."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def take(self, *, shared: bool = False) -> bool:
        """Whether it could be had at once; taking it again changes between shared and not."""
        how = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(self._descriptor, how | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def sign(self, word: str) -> None:
        """The file holds that word and nothing else."""
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, word.encode(), 0)

    def release(self) -> None:
        """Others can have it."""
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """It is let go, and cannot be taken again through this object."""
        os.close(self._descriptor)


@contextmanager
def exclusive(path: Path, seconds: float) -> Generator[None]:
    """Have the lock alone; raises `TimeoutError` if that takes longer than so many seconds."""
    lock = Lock(path)
    deadline = time.monotonic() + seconds
    try:
        while not lock.take():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{path} is held by another process")
            time.sleep(POLL)
        yield
    finally:
        lock.close()


def is_held(path: Path) -> bool:
    """Whether somebody has it; asking keeps it from others for a moment."""
    if not path.exists():
        return False
    lock = Lock(path)
    try:
        return not lock.take()
    finally:
        lock.close()
