"""Scripts beside modules: pages get the file itself, under the path that Reflex would give it."""

from pathlib import Path

import pytest

from carechat.ui import beside
from carechat.ui.chat import thread

PLACE = "external/carechat/ui/chat/thread/thread.jsx"


def test_a_script_leads_to_the_file_beside_the_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = beside.script(thread.__name__, "thread.jsx")
    source = Path(thread.__file__).with_name("thread.jsx")
    assert str(path).startswith(f"/{PLACE}")
    assert (tmp_path / "assets" / PLACE).readlink() == source


def test_what_leads_elsewhere_is_put_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The project was moved, or another one is built in its place."""
    monkeypatch.chdir(tmp_path)
    place = tmp_path / "assets" / PLACE
    place.parent.mkdir(parents=True)
    place.symlink_to(tmp_path / "gone")
    beside.script(thread.__name__, "thread.jsx")
    assert place.exists()
    assert [one.name for one in place.parent.iterdir()] == ["thread.jsx"]


def test_a_script_that_is_not_there_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError):
        beside.script(thread.__name__, "missing.jsx")
