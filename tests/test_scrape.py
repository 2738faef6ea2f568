"""A scrape reaches one worker and tells of all of them."""

import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from carechat import metrics, scrape
from tests.scraping import read

WORKER = """
import sys
from carechat import metrics, scrape
with scrape.shared(sys.argv[1]):
    metrics.sent("stored", 0.001)
    print("counted", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a server's workers."""
    return scrape.make_folder(tmp_path / "data", 8000)


@pytest.fixture
def worker(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Give another process that has counted one message."""
    with subprocess.Popen(
        [sys.executable, "-c", WORKER, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "counted\n"
        yield process
        process.kill()


def stored(worker: str) -> float:
    """Return how many messages that worker has stored, as this one tells it."""
    return read(scrape.page().decode(), "carechat_sends_total", outcome="stored", worker=worker)


def until_told(worker: str, messages: float) -> None:
    """Wait until the copy of that worker says so."""
    until(lambda: stored(worker) == messages)


def until(true: Callable[[], bool]) -> None:
    """Wait until that is true."""
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_alone_it_tells_of_itself_as_the_first() -> None:
    with scrape.shared(None):
        before = stored("1")
        metrics.sent("stored")
        assert stored("1") == before + 1
        assert stored("2") == 0


def test_it_tells_of_the_workers_beside_it(folder: Path, worker: subprocess.Popen[str]) -> None:
    with scrape.shared(str(folder)):
        until_told("1", 1)
        before = stored("2")
        metrics.sent("stored")
        assert stored("2") == before + 1
    assert stored("2") == 0


def test_each_family_is_told_once(folder: Path, worker: subprocess.Popen[str]) -> None:
    with scrape.shared(str(folder)):
        until_told("1", 1)
        page = scrape.page().decode()
    assert page.count("# TYPE carechat_sends_total counter") == 1


def test_the_number_of_a_worker_that_died_is_free_again(
    folder: Path, worker: subprocess.Popen[str]
) -> None:
    worker.kill()
    worker.wait()
    before = stored("1")
    with scrape.shared(str(folder)):
        assert stored("1") == before
        assert stored("2") == 0


def test_a_worker_that_hangs_is_left_out(folder: Path) -> None:
    old = time.monotonic() - scrape.STALE_SECONDS - 1
    family = ["carechat_sends", "x", "counter", [["carechat_sends_total", {}, 5.0]]]
    (folder / "7.json").write_text(json.dumps([old, [family]]))
    (folder / "8.json").write_text(json.dumps([time.monotonic(), [family]]))
    with scrape.shared(str(folder)):
        page = scrape.page().decode()
    assert read(page, "carechat_sends_total", worker="7") == 0
    assert read(page, "carechat_sends_total", worker="8") == 5


def test_only_the_owner_may_look_into_the_folder_and_a_start_empties_it(folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (folder / "1.json").touch()
    assert os.listdir(scrape.make_folder(folder.parent, 8000)) == []
    assert scrape.make_folder(folder.parent, 8001) != folder


def test_without_a_place_for_copies_a_worker_serves_and_tells_of_itself(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with scrape.shared(str(tmp_path / "gone")):
        assert read(scrape.page().decode(), "process_resident_memory_bytes", worker="1") > 0
    assert "metrics: workers tell of themselves alone (FileNotFoundError)" in caplog.text


def test_one_worker_too_many_tells_of_itself(
    folder: Path, worker: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scrape, "MAX_WORKERS", 1)
    with scrape.shared(str(folder)):
        page = scrape.page().decode()
    assert page.count("process_resident_memory_bytes{") == 1


def test_a_copy_that_cannot_be_left_is_tried_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As on a disk that is full for a while."""
    monkeypatch.setattr(scrape, "COPY_SECONDS", 0.05)
    (folder / "1.new").mkdir()
    with scrape.shared(str(folder)):
        until(lambda: "metrics: no copy for other workers (IsADirectoryError)" in caplog.text)
        (folder / "1.new").rmdir()
        until((folder / "1.json").exists)
