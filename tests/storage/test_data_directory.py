"""The data directory: whose it is, and what a second server is told."""

from pathlib import Path

from carechat.storage import data_directory


def test_nobody_holds_a_directory_that_is_not_there(tmp_path: Path) -> None:
    assert data_directory.holder(tmp_path / "nothing") is None


def test_the_holder_may_be_unknown(tmp_path: Path) -> None:
    assert "(another process)" in str(data_directory.held(tmp_path, None))
    assert "(process 7)" in str(data_directory.held(tmp_path, 7))
