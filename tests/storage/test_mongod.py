"""What is said of a mongod that does not start, without starting one."""

from pathlib import Path

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


@pytest.mark.parametrize("place", ["/no/such/socket", "127.0.0.1:9"])
def test_where_nothing_listens_nothing_is_heard(place: str) -> None:
    assert not mongod.listens(place)
    assert not mongod.is_taken(place)


def test_nobody_holds_a_directory_that_is_not_there(tmp_path: Path) -> None:
    assert embedded.holder(tmp_path / "nothing") is None


def test_the_holder_may_be_unknown(tmp_path: Path) -> None:
    assert "(another process)" in str(embedded.held(tmp_path, None))
    assert "(process 7)" in str(embedded.held(tmp_path, 7))
