"""What is said of a mongod that does not start, without starting one."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from carechat.storage import embedded, mongod
from carechat.storage.mongod import EmbeddedError, Files


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """Return the files of an embedded MongoDB that has never run."""
    (tmp_path / "db").mkdir()
    return Files(tmp_path)


def test_what_is_no_program_is_told(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    program = files.folder / "mongod"
    program.write_bytes(b"\x7fELF, but not quite")
    program.chmod(0o700)
    monkeypatch.setenv("CARECHAT_MONGOD", str(program))
    for begin in (embedded.start, embedded.attach):
        with pytest.raises(EmbeddedError, match="Exec format error") as refusal:
            begin(files.folder)
        assert "\n" not in str(refusal.value)


def test_the_first_error_of_the_log_is_the_reason(files: Files) -> None:
    files.errors.write_text("")
    lines = [
        "not JSON",
        '{"s": "I", "msg": "starting"}',
        '{"s": "E", "msg": "Failed to open", "attr": {"error": "disk\\n  full"}}',
        '{"s": "F", "msg": "Fatal"}',
    ]
    files.log.write_text("\n".join(lines))
    assert mongod.why_it_ended(files).startswith(
        "MongoDB ended at once: Failed to open: disk full (see "
    )


def test_without_a_log_the_last_words_are_the_reason(files: Files) -> None:
    files.errors.write_text("one\ntwo\n")
    assert mongod.why_it_ended(files).startswith("MongoDB ended at once: two")


def test_only_what_was_logged_since_the_start_is_the_reason(files: Files) -> None:
    files.errors.write_text("")
    files.log.write_text('{"s": "E", "msg": "Of yesterday"}\n')
    logged = mongod.begin_log(files, anew=False)
    with files.log.open("a") as log:
        log.write('{"s": "E", "msg": "Of now"}\n')
    assert mongod.why_it_ended(files, logged).startswith("MongoDB ended at once: Of now (see ")


def test_a_log_is_kept_for_the_next_server_and_does_not_grow_for_ever(files: Files) -> None:
    before = files.log.with_name("mongod.log.1")
    assert mongod.begin_log(files, anew=True) == 0
    files.log.write_text("one")
    assert mongod.begin_log(files, anew=False) == 3
    assert mongod.begin_log(files, anew=True) == 0
    assert before.read_text() == "one"
    with files.log.open("w") as log:
        log.truncate(mongod.LARGE_LOG + 1)
    assert mongod.begin_log(files, anew=False) == 0
    assert before.stat().st_size > mongod.LARGE_LOG


@pytest.mark.parametrize(
    ("free", "reason"),
    [(3_500_000, "the disk is full, 3 MB are free"), (10**12, "it gave no reason")],
)
def test_without_any_words_the_disk_is_looked_at(
    files: Files, monkeypatch: pytest.MonkeyPatch, free: int, reason: str
) -> None:
    files.errors.write_text("")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    assert mongod.why_it_ended(files).startswith(f"MongoDB ended at once: {reason} (see ")


@pytest.mark.parametrize("place", ["/no/such/socket", "127.0.0.1:9"])
def test_where_nothing_listens_nothing_is_heard(place: str) -> None:
    assert not mongod.listens(place)
    assert not mongod.is_taken(place)


@pytest.fixture
def without_socket(tmp_path: Path) -> Files:
    """Return files whose path is too long for a Unix socket, so that a port stands in for it."""
    folder = tmp_path / ("x" * mongod.MAX_SOCKET_PATH)
    folder.mkdir()
    return Files(folder)


@pytest.mark.parametrize("left", ["", "27", "270x", "-1", "0", "65536", "٣٣٣٣", "9" * 5_000])
def test_what_a_full_disk_or_a_hand_left_of_the_port_counts_for_nothing(
    without_socket: Files, left: str
) -> None:
    """But a port that could be one is kept: the replica set knows its member by it."""
    without_socket.port.write_text(left)
    place = mongod.address(without_socket)
    assert (place == "127.0.0.1:27") == (left == "27")
    assert mongod.address(without_socket) == place
    assert without_socket.port.read_text() == place.rpartition(":")[2]


def test_a_port_that_cannot_be_kept_leaves_the_one_before(without_socket: Files) -> None:
    """As on a full disk, here for want of the right to write beside it."""
    without_socket.port.write_text("27")
    without_socket.port.with_name("mongod-port.new").mkdir()
    with pytest.raises(OSError, match=r"mongod-port\.new"):
        mongod.new_port(without_socket)
    assert without_socket.port.read_text() == "27"
