"""The embedded MongoDB, with a real mongod: who may start it, and what survives which death."""

import contextlib
import importlib.util
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pymongo
import pytest
from pymongo import errors

from carechat.storage import data_directory, embedded, mongod

# One mongod and two Python processes at a time are enough for a small machine.
pytestmark = pytest.mark.xdist_group("embedded")

PROJECT = Path(__file__).parent.parent.parent
OWNER = """
import sys, threading
from pathlib import Path
from carechat.storage import data_directory, embedded, mongod

def own():
    try:
        database = embedded.start(Path(sys.argv[1]))
    except mongod.EmbeddedError as error:
        print(error, flush=True)
        return
    print("ready", database.pid, flush=True)
    sys.stdin.read()
    database.stop()

if sys.argv[2] == "main":
    own()
else:
    thread = threading.Thread(target=own)
    thread.start()
    thread.join()
"""


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A short path, so that the Unix socket's fits; no mongod is left on it afterwards."""
    with tempfile.TemporaryDirectory(prefix="cc-", ignore_cleanup_errors=True) as folder:
        path = Path(folder).resolve() / "data"
        yield path
        _kill_what_is_left(path)


def _kill_what_is_left(data_dir: Path) -> None:
    lock = mongod.Files(data_dir).lock
    with contextlib.suppress(FileNotFoundError, ValueError, ProcessLookupError):
        os.kill(int(lock.read_text()), signal.SIGKILL)


@contextlib.contextmanager
def _owner(data_dir: Path, thread: str = "main") -> Iterator[subprocess.Popen[str]]:
    """Another process that calls `start`; its first line says how that went."""
    command = [sys.executable, "-c", OWNER, str(data_dir), thread]
    with subprocess.Popen(
        command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def _client(uri: str) -> pymongo.MongoClient[dict[str, Any]]:
    return pymongo.MongoClient(uri, serverSelectionTimeoutMS=5000, w="majority", journal=True)


def _store(database: embedded.Embedded) -> None:
    with _client(database.uri) as client:
        client["clinic"]["notes"].insert_one({"text": "stored"})


def _stored(database: embedded.Embedded) -> int:
    with _client(database.uri) as client:
        return client["clinic"]["notes"].count_documents({})


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def _eventually(true: Callable[[], object], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)
    return bool(true())


def _listening_tcp(pid: int) -> set[str]:
    links = (Path(f"/proc/{pid}/fd")).iterdir()
    inodes = {match[1] for link in links if (match := re.match(r"socket:\[(\d+)\]", _target(link)))}
    rows = [
        row.split()
        for table in ("tcp", "tcp6")
        for row in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]
    ]
    return {row[1] for row in rows if row[3] == "0A" and row[9] in inodes}


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except FileNotFoundError:
        return ""


def test_what_was_stored_is_there_at_the_next_start_and_stop_leaves_nothing(data_dir: Path) -> None:
    with embedded.start(data_dir) as database:
        _store(database)
        pid = database.pid
    assert pid
    assert not _lives(pid)
    assert data_directory.holder(data_dir) is None
    with embedded.start(data_dir) as database:
        assert _stored(database) == 1
        database.stop()
        assert database.pid is None
        assert not database.revive()


def test_nobody_gets_in_without_the_password_or_through_a_port(data_dir: Path) -> None:
    with embedded.start(data_dir) as database:
        anonymous = re.sub(r"//.*@", "//", database.uri).replace("authSource=admin&", "")
        with _client(anonymous) as client:
            with pytest.raises(errors.OperationFailure, match="requires authentication"):
                client["clinic"]["notes"].find_one()
            with pytest.raises(errors.OperationFailure, match="requires authentication"):
                client.admin.command("createUser", "me", pwd="me", roles=["root"])
        assert database.pid
        assert _listening_tcp(database.pid) == set()


def test_only_the_owner_may_read_its_files(data_dir: Path) -> None:
    data_dir.mkdir(mode=0o755)
    with embedded.start(data_dir):
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in data_dir.iterdir()}
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700
    assert modes["db"] == 0o700
    assert modes["mongod.sock"] == 0o700
    secret = {"mongod-key", "mongod-password", "mongod.log", "server.lock"}
    assert {modes[name] for name in secret} == {0o600}


def test_a_killed_mongod_is_started_again_and_has_lost_nothing(
    data_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with embedded.start(data_dir) as database:
        _store(database)
        log = mongod.Files(data_dir).log
        begins = log.read_bytes()[:1000]
        before = database.pid
        assert before
        watcher = threading.Thread(target=database.watch)
        watcher.start()
        os.kill(before, signal.SIGKILL)
        assert _eventually(lambda: database.pid not in {None, before})
        # It waits for the watcher to be done.
        assert not database.revive()
        assert _stored(database) == 1
        assert f"MongoDB (process {before}) ended by signal 9, it is started again" in caplog.text
        assert _eventually(lambda: f"started again (process {database.pid})" in caplog.text)
        # What made it end stands in its log, which goes on.
        assert log.read_bytes().startswith(begins)
        database.stop()
        watcher.join(5)
        assert not watcher.is_alive()
    assert not log.with_name("mongod.log.1").exists()
    with embedded.start(data_dir):
        assert log.with_name("mongod.log.1").read_bytes().startswith(begins)


class Pauses(threading.Event):
    """Notes how long it is waited for each time."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        """Note the time, and wait."""
        self.seconds.append(timeout)
        return super().wait(timeout)


def test_a_mongod_that_is_killed_again_is_started_again_as_soon(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "WATCH", 0.05)
    with embedded.start(data_dir) as database:
        pauses = Pauses()
        monkeypatch.setattr(database, "_stopping", pauses)
        watcher = threading.Thread(target=database.watch)
        watcher.start()
        for _ in range(3):
            before = database.pid
            assert before
            os.kill(before, signal.SIGKILL)
            assert _eventually(lambda before=before: database.pid not in {None, before})
            assert not database.revive()
        database.stop()
        watcher.join(5)
    assert {*pauses.seconds} == {0.05}


def test_a_mongod_that_does_not_start_again_is_tried_until_it_does(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(embedded, "WATCH", 0.05)
    with embedded.start(data_dir) as database:
        _store(database)
        assert database.pid
        monkeypatch.setenv("CARECHAT_MONGOD", "/no/such/mongod")
        watcher = threading.Thread(target=database.watch)
        watcher.start()
        os.kill(database.pid, signal.SIGKILL)
        assert _eventually(lambda: "MongoDB does not start: CARECHAT_MONGOD" in caplog.text)
        monkeypatch.delenv("CARECHAT_MONGOD")
        assert _eventually(lambda: "MongoDB was started again" in caplog.text)
        assert caplog.text.count("ended by signal 9") == 1
        assert _stored(database) == 1
        database.stop()
        watcher.join(5)


@pytest.mark.parametrize("thread", ["main", "other"])
def test_a_killed_server_loses_nothing_and_the_next_takes_over(data_dir: Path, thread: str) -> None:
    with _owner(data_dir, thread) as process:
        left = int(_line(process).split()[1])
        with embedded.attach(data_dir) as database:
            _store(database)
        process.kill()
        process.wait()
    assert thread == "other" or _eventually(lambda: not _lives(left))
    with embedded.start(data_dir) as database:
        assert _stored(database) == 1
        # Only a main thread can have mongod end with its process; else it is taken over alive.
        assert (database.pid == left) == (thread == "other")
        assert data_directory.holder(data_dir) == os.getpid()
    assert _eventually(lambda: not _lives(left))


def test_a_second_server_is_told_which_process_has_the_directory(data_dir: Path) -> None:
    with _owner(data_dir) as process:
        assert _line(process).startswith("ready")
        with pytest.raises(data_directory.HeldError, match=f"process {process.pid}") as refusal:
            embedded.start(data_dir)
        assert "\n" not in str(refusal.value)
        assert data_directory.holder(data_dir) == process.pid


def test_of_two_servers_at_once_one_gets_the_directory(data_dir: Path) -> None:
    with _owner(data_dir) as one, _owner(data_dir) as two:
        answers = {process.pid: _line(process) for process in (one, two)}
    owners = [pid for pid, answer in answers.items() if answer.startswith("ready")]
    assert len(owners) == 1
    assert [a for a in answers.values() if f"process {owners[0]}" in a]


def test_an_operator_uses_the_servers_mongod_and_leaves_it_running(data_dir: Path) -> None:
    with embedded.start(data_dir) as database:
        with embedded.attach(data_dir) as operators:
            assert operators.pid == database.pid
            _store(operators)
        assert _stored(database) == 1


def test_a_command_on_a_new_directory_tells_that_it_made_a_database(
    data_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    line = f"A new, empty database was made in {data_dir}"
    for _ in range(2):
        with embedded.attach(data_dir):
            assert [record.getMessage() for record in caplog.records] == [line]


def test_a_server_on_a_new_directory_makes_its_database_silently(
    data_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with embedded.start(data_dir):
        assert caplog.records == []


def test_a_hung_mongod_is_not_waited_for_without_a_word(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name, seconds in {"COMMAND": 1.0, "STOP": 1.0, "SILENCE": 0.2}.items():
        monkeypatch.setattr(embedded, name, seconds)
    with embedded.start(data_dir) as database:
        assert database.pid
        os.kill(database.pid, signal.SIGSTOP)
        with pytest.raises(mongod.EmbeddedError, match="MongoDB does not answer"):
            embedded.attach(data_dir)
        assert caplog.records == []
        database.stop()
    assert "MongoDB does not end, waiting up to 1 s ..." in caplog.text


def test_the_last_operator_stops_what_the_first_has_started(data_dir: Path) -> None:
    first = embedded.attach(data_dir)
    pid = first.pid
    assert pid
    with embedded.attach(data_dir):
        first.stop()
        assert _lives(pid)
    assert not _lives(pid)


def test_a_server_takes_over_what_an_operator_has_started(data_dir: Path) -> None:
    operators = embedded.attach(data_dir)
    with embedded.start(data_dir) as database:
        pid = database.pid
        assert operators.pid == pid
        operators.stop()
        assert pid
        assert _lives(pid)
        assert not database.revive()
    assert _eventually(lambda: not _lives(pid))


def test_a_moved_directory_and_a_lost_password_keep_the_data(data_dir: Path) -> None:
    with embedded.start(data_dir) as database:
        _store(database)
    moved = data_dir.with_name("Moved")
    shutil.move(data_dir, moved)
    (moved / "mongod-password").unlink()
    try:
        with embedded.start(moved) as database:
            assert _stored(database) == 1
            assert _stored(database) == 1
    finally:
        _kill_what_is_left(moved)


def test_a_path_too_long_for_a_socket_gets_a_kept_port_on_loopback(data_dir: Path) -> None:
    folder = data_dir / ("x" * 108)
    try:
        with embedded.start(folder) as database:
            _store(database)
            before = database.uri
            assert "@127.0.0.1:" in before
            assert database.pid
            assert all(place.startswith("0100007F:") for place in _listening_tcp(database.pid))
        with embedded.start(folder) as database:
            assert database.uri == before
        port = int((folder / "mongod-port").read_text())
        with socket.socket() as other_program:
            other_program.bind(("127.0.0.1", port))
            with embedded.start(folder) as database:
                assert database.uri != before
                assert _stored(database) == 1
    finally:
        _kill_what_is_left(folder)


@pytest.mark.parametrize(
    ("script", "told"),
    [
        (
            "echo 'mongod: error while loading shared libraries: libcurl.so.4: "
            "cannot open shared object file: No such file or directory' >&2; exit 127",
            "needs libcurl, which is not installed: apt-get install libcurl4",
        ),
        ("echo 'Illegal instruction' >&2; exit 132", "ended at once: Illegal instruction"),
        ("exit 1", "ended at once: it gave no reason"),
    ],
)
def test_a_mongod_that_cannot_run_is_explained_in_one_line(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, script: str, told: str
) -> None:
    data_dir.mkdir()
    program = data_dir / "mongod"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)
    monkeypatch.setenv("CARECHAT_MONGOD", str(program))
    with pytest.raises(mongod.EmbeddedError, match=told) as refusal:
        embedded.start(data_dir)
    assert "\n" not in str(refusal.value)
    assert data_directory.holder(data_dir) is None


def test_without_any_mongod_it_is_told_what_to_do(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CARECHAT_MONGOD", raising=False)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(mongod.EmbeddedError, match=r"No mongod found: .* set MONGODB_URI"):
        embedded.start(data_dir)


def test_a_damaged_database_is_explained_in_one_line(data_dir: Path) -> None:
    (data_dir / "db").mkdir(parents=True)
    (data_dir / "db" / "storage.bson").write_text("damaged")
    with pytest.raises(mongod.EmbeddedError, match=r"ended at once: \w.*mongod\.log") as refusal:
        embedded.start(data_dir)
    assert "\n" not in str(refusal.value)


def test_a_wrong_program_and_a_wrong_directory_are_explained_in_one_line(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_dir.write_text("a file")
    with pytest.raises(mongod.EmbeddedError, match=f"{data_dir}: File exists"):
        embedded.start(data_dir)
    data_dir.unlink()
    monkeypatch.setenv("CARECHAT_MONGOD", "/no/such/mongod")
    with pytest.raises(mongod.EmbeddedError, match="CARECHAT_MONGOD is '/no/such/mongod'"):
        embedded.attach(data_dir)


def test_a_mongod_on_the_path_wins_over_the_wheels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "mongod"
    program.touch(mode=0o700)
    monkeypatch.delenv("CARECHAT_MONGOD", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert mongod.program() == program
    monkeypatch.setenv("CARECHAT_MONGOD", "/bin/sh")
    assert mongod.program() == Path("/bin/sh")
