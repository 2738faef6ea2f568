"""CareChat's own MongoDB, at most one per data directory: started, shared, taken over, stopped."""

import contextlib
import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Generator
from pathlib import Path
from typing import Self

from carechat.storage import data_directory, locks, mongod, replica_set

# The longest waits, in seconds; a command that finds a mongod running does not wait for it as
# long as for one that starts.
STOP = 30.0
COMMAND = 10.0
POLL = 0.01
# How long a process that was killed may take until it is known how it ended.
REAPED = 1.0
# After so long somebody who waits for a stop is told why.
SILENCE = 3.0
# How soon a dead mongod is noticed, and the longest pause after one that could not be started.
WATCH = 1.0
LONGEST_PAUSE = 30.0

logger = logging.getLogger(__name__)


class Embedded:
    """A running MongoDB that this process uses; as a context manager it is stopped at the end.

    Its methods block and may be called from any thread.
    """

    def __init__(self, files: mongod.Files, claim: locks.Lock | None) -> None:
        self._files = files
        self._claim = claim
        self._users = locks.Lock(files.users)
        self._process: subprocess.Popen[bytes] | None = None
        self._address = ""
        self._logged = 0
        self._has_spawned = False
        self._has_run = False
        self._guard = threading.Lock()
        self._stopping = threading.Event()

    @property
    def uri(self) -> str:
        """Where the application connects, its password included."""
        return replica_set.uri(self._files, self._address)

    @property
    def pid(self) -> int | None:
        """The process id of mongod, None while none runs."""
        return _pid(self._files) if mongod.listens(self._address) else None

    def open(self) -> None:
        """MongoDB runs and takes writes: the one found running, else a new one."""
        with self._guard:
            self._bring_up()

    def revive(self) -> bool:
        """Start mongod again if it does not run, and say whether that was needed."""
        with self._guard:
            if self._stopping.is_set() or mongod.listens(self._address):
                return False
            if self._has_run:
                self._has_run = False
                logger.error("MongoDB %s, it is started again", self._end_in_words())
            self._bring_up()
            return True

    def watch(self) -> None:
        """Start mongod again whenever it dies, until `stop`; blocks, so it wants its own thread."""
        pause = WATCH
        while not self._stopping.wait(pause):
            try:
                if self.revive():
                    logger.warning("MongoDB was started again (process %s)", self.pid)
                pause = WATCH
            except (mongod.EmbeddedError, OSError) as error:
                logger.error("MongoDB does not start: %s", error)  # noqa: TRY400
                pause = min(pause * 2, LONGEST_PAUSE)

    def stop(self) -> None:
        """Stop mongod; an operator's command leaves it to whoever else still uses it."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        with self._guard:
            try:
                if self._address:
                    self._leave()
            finally:
                self._let_go()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _bring_up(self) -> None:
        with data_directory.alone(self._files):
            self._users.take(shared=True)
            if self._process:
                self._end()
                self._process = None
            self._address = mongod.address(self._files)
            begun = time.monotonic()
            while not self._ready():
                if time.monotonic() - begun > self._patience():
                    raise mongod.EmbeddedError(f"MongoDB does not answer (see {self._files.log})")
                if self._stopping.is_set():
                    raise mongod.EmbeddedError("MongoDB is being stopped")
                time.sleep(POLL)
            self._has_run = True

    def _patience(self) -> float:
        return data_directory.START if self._claim or self._process else COMMAND

    def _end_in_words(self) -> str:
        if not self._process:
            return "ended"
        try:
            code = self._process.wait(REAPED)
        except subprocess.TimeoutExpired:
            return f"(process {self._process.pid}) takes no connections"
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        return f"(process {self._process.pid}) ended {how}"

    def _ready(self) -> bool:
        if self._process:
            return self._process_ready(self._process)
        if not locks.is_held(self._files.lock):
            self._spawn()
        return mongod.listens(self._address) and replica_set.set_up(self._files, self._address)

    def _process_ready(self, process: subprocess.Popen[bytes]) -> bool:
        if process.poll() is None:
            return mongod.listens(self._address) and replica_set.set_up(self._files, self._address)
        if not locks.is_held(self._files.lock):
            raise mongod.EmbeddedError(mongod.why_it_ended(self._files, self._logged))
        # One that a killed process had only just started was quicker: take that one.
        self._process = None
        return False

    def _spawn(self) -> None:
        if mongod.is_taken(self._address):
            self._address = f"127.0.0.1:{mongod.new_port(self._files)}"
        # Once for each server: what made an earlier mongod end stands in the log that goes on.
        self._logged = mongod.begin_log(self._files, anew=not self._has_spawned)
        self._has_spawned = True
        # What an operator's command starts may be taken over by a server and outlive it.
        self._process = mongod.spawn(self._files, self._address, die_with_us=bool(self._claim))

    def _leave(self) -> None:
        with data_directory.alone(self._files):
            # Everybody has it shared, so only the last one can have it alone.
            if self._claim or self._users.take():
                self._end()
            elif self._process:
                # It lives on without us, which Python would warn about as a leak.
                self._process.returncode = 0
            self._users.release()

    def _end(self) -> None:
        pid = self._running_pid()
        for number in (signal.SIGTERM, signal.SIGKILL):
            if pid and self._lives(pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
                self._wait(pid)

    def _running_pid(self) -> int | None:
        if self._process and self._process.poll() is None:
            return self._process.pid
        return _pid(self._files) if locks.is_held(self._files.lock) else None

    def _wait(self, pid: int) -> None:
        begun = time.monotonic()
        is_told = False
        while self._lives(pid) and (waited := time.monotonic() - begun) < STOP:
            if waited > SILENCE and not is_told:
                is_told = True
                logger.warning("MongoDB does not end, waiting up to %.0f s ...", STOP)
            time.sleep(POLL)

    def _lives(self, pid: int) -> bool:
        if self._process and self._process.pid == pid:
            return self._process.poll() is None
        return _lives(pid)

    def _let_go(self) -> None:
        self._users.close()
        if self._claim:
            self._claim.sign("")
            self._claim.close()


def start(data_dir: Path) -> Embedded:
    """The MongoDB of a server, which alone owns the data directory until `stop`.

    One that a killed server or an operator's command left running is taken over. Raises
    `data_directory.HeldError` while another server lives, else `EmbeddedError`; nothing is left
    running then.
    """
    with _in_one_line(data_dir):
        files = data_directory.prepare(data_dir)
        return _opened(Embedded(files, data_directory.claim(files)))


def attach(data_dir: Path) -> Embedded:
    """The MongoDB for an operator's command: the server's, or one for the time of the command.

    If it is the first on that directory, which then may be the wrong one, that is told.
    """
    with _in_one_line(data_dir):
        files = data_directory.prepare(data_dir)
        is_new = not files.lock.exists()
        opened = _opened(Embedded(files, None))
    if is_new:
        logger.warning("A new, empty database was made in %s", files.folder)
    return opened


def _opened(embedded: Embedded) -> Embedded:
    try:
        embedded.open()
    except BaseException:
        embedded.stop()
        raise
    return embedded


@contextlib.contextmanager
def _in_one_line(data_dir: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        where = error.filename or data_dir
        raise mongod.EmbeddedError(f"MongoDB does not start: {where}: {error.strerror}") from error


def _pid(files: mongod.Files) -> int | None:
    try:
        word = files.lock.read_text().strip()
    except FileNotFoundError:
        return None
    return int(word) if word.isdigit() else None


def _lives(pid: int) -> bool:
    """Whether it still runs; one that only its parent has not asked about does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except ProcessLookupError:
        return False
    except FileNotFoundError:
        # Gone between the two questions, or a system without /proc.
        return True
