"""The directory of CareChat's own MongoDB: made for its owner's eyes, and held by one server."""

import os
import secrets
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from carechat.storage import locks, mongod

START = 60.0
"""Seconds that a start of MongoDB takes at most, the recovery of what a crash left behind too."""

CLAIM = 1.0
"""Seconds that a server waits for another one that is about to let go of the directory."""

POLL = 0.01


class HeldError(mongod.EmbeddedError):
    """Another live server has this data directory; the message says which process it is."""


def prepare(data_dir: Path) -> mongod.Files:
    """Return the files of the directory, which is there and has its secrets."""
    files = mongod.Files(data_dir.resolve())
    for folder in (files.folder, files.data):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    with alone(files):
        for secret in (files.key, files.password):
            _keep_secret(secret)
    return files


def claim(files: mongod.Files) -> locks.Lock:
    """Return what makes this process the one server of the directory, until it is closed.

    Raises `HeldError` while another server lives.
    """
    lock = locks.Lock(files.server)
    deadline = time.monotonic() + CLAIM
    while not lock.take():
        # Without a word in it, the other one has only just taken it or is about to let go.
        if (pid := holder(files.folder)) or time.monotonic() > deadline:
            lock.close()
            raise held(files.folder, pid)
        time.sleep(POLL)
    lock.sign(str(os.getpid()))
    return lock


def holder(data_dir: Path) -> int | None:
    """The process id of the live server that owns this data directory, if there is one."""
    lock = mongod.Files(data_dir.resolve()).server
    if not locks.is_held(lock):
        return None
    word = lock.read_text()
    return int(word) if word.isdigit() else None


def held(data_dir: Path, pid: int | None) -> HeldError:
    """What to tell somebody who starts a second server on a data directory."""
    process = f"process {pid}" if pid else "another process"
    return HeldError(
        f"CareChat already runs on {data_dir} ({process}): stop that one first, "
        "or give this one its own CARECHAT_DATA_DIR and PORT"
    )


@contextmanager
def alone(files: mongod.Files) -> Generator[None]:
    """Nobody else starts or stops a mongod on these files at the same time."""
    try:
        with locks.exclusive(files.start, START):
            yield
    except TimeoutError as error:
        raise mongod.EmbeddedError(str(error)) from error


def _keep_secret(path: Path) -> None:
    """A crash in the middle leaves no half a secret: the file appears when it is complete."""
    if path.exists():
        return
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    unfinished.write_text(secrets.token_hex(32))
    unfinished.rename(path)
