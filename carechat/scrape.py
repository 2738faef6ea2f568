"""What a scrape of the metrics gets: those of the worker that it reaches and of all beside it.

Workers count in their own memory, which costs half of counting in a file that they share. Every
few seconds each leaves a copy for the others.
"""

import fcntl
import functools
import json
import logging
import os
import threading
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from carechat import metrics

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
FOLDER = "CARECHAT_METRICS_DIR"
"""By this environment variable `serve` tells its workers where to leave their copies."""

MAX_WORKERS = 64
COPY_SECONDS = 2.0
STALE_SECONDS = 10.0
"""Whose copy is older has died, or hangs."""

_Sample = tuple[str, dict[str, str], float]
_Family = tuple[str, str, str, list[_Sample]]
"""Name, documentation, type, samples."""

logger = logging.getLogger(__name__)


class _Here:
    """This worker's number, and where the others' copies are, if there are others."""

    def __init__(self) -> None:
        self.number = 1
        self.folder: Path | None = None


_here = _Here()


def make_folder(data_dir: Path, port: int) -> Path:
    """Return an empty folder, mode 0700, for the copies of the server on that port."""
    folder = data_dir / f"metrics-{port}"
    folder.mkdir(0o700, parents=True, exist_ok=True)
    for file in folder.iterdir():
        file.unlink()
    return folder


@contextmanager
def shared(folder: str | None) -> Generator[None]:
    """Leave a copy there every two seconds until the context is left; without a folder none.

    If that cannot be, as on a full disk, each worker tells of itself alone.
    """
    if not folder:
        yield
        return
    try:
        number, lock = _take_number(Path(folder))
    except OSError as error:
        logger.warning("metrics: workers tell of themselves alone (%s)", type(error).__name__)
        yield
        return
    _here.number, _here.folder = number, Path(folder)
    stopped = threading.Event()
    copying = threading.Thread(target=_keep_copying, args=(_here.folder, number, stopped))
    copying.start()
    try:
        yield
    finally:
        stopped.set()
        copying.join()
        os.close(lock)
        _here.number, _here.folder = 1, None


def page() -> bytes:
    """Return the metrics of all workers as Prometheus reads them; blocks while it reads files."""
    families: dict[str, Metric] = {}
    _add(families, _own(), _here.number)
    if _here.folder:
        for number, copied in _others(_here.folder, _here.number):
            _add(families, copied, number)
    return generate_latest(_Collected(families))


class _Collected(Collector):
    """Families as the renderer wants them."""

    def __init__(self, families: dict[str, Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        """Give them."""
        return self._families.values()


def _own() -> list[_Family]:
    return [
        (family.name, family.documentation, family.type, _samples(family))
        for collector in (metrics.registry, _process())
        for family in collector.collect()
    ]


def _samples(family: Metric) -> list[_Sample]:
    return [
        (sample.name, dict(sample.labels), sample.value)
        for sample in family.samples
        if not sample.name.endswith("_created")  # it says when the process began, for each series
    ]


@functools.cache
def _process() -> ProcessCollector:
    return ProcessCollector(registry=None)


def _add(families: dict[str, Metric], copied: Iterable[_Family], number: int) -> None:
    for name, says, kind, samples in copied:
        family = families.setdefault(name, Metric(name, says, kind))
        for sample, labels, value in samples:
            family.add_sample(sample, {**labels, "worker": str(number)}, value)


def _take_number(folder: Path) -> tuple[int, int]:
    """The first number that no living worker has, and the lock that ends with this process.

    Raises `OSError` if there is none or the folder takes no files.
    """
    for number in range(1, MAX_WORKERS + 1):
        lock = os.open(folder / f"{number}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
        else:
            return number, lock
    raise BlockingIOError


def _keep_copying(folder: Path, number: int, stopped: threading.Event) -> None:
    while True:
        try:
            _copy(folder, number)
        except OSError as error:
            logger.warning("metrics: no copy for other workers (%s)", type(error).__name__)
        if stopped.wait(COPY_SECONDS):
            return


def _copy(folder: Path, number: int) -> None:
    written = folder / f"{number}.new"
    # The clock of the machine, which is the same for all of its processes.
    written.write_text(json.dumps([time.monotonic(), _own()]))
    written.replace(folder / f"{number}.json")


def _others(folder: Path, number: int) -> Iterator[tuple[int, list[_Family]]]:
    """The copies of the other workers that live."""
    for path in sorted(folder.glob("*.json")):
        if int(path.stem) == number:
            continue
        copied_at, families = json.loads(path.read_text())
        if time.monotonic() - copied_at < STALE_SECONDS:
            yield int(path.stem), families
