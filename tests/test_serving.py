"""`serve` from outside: a real mongod and a real server, with a small application in the middle."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from carechat import serving, settings, webbuild
from carechat.services.watch import REDIS_AWAY
from carechat.storage import mongod

pytestmark = pytest.mark.xdist_group("embedded")

PROJECT = Path(__file__).parent.parent
SERVE = """
import signal, sys
from pathlib import Path
from carechat import serving, settings
# Else it would inherit what `nohup make test` sets, and not end with its terminal.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
sys.exit(serving.serve(settings.load(), "doctor@example.com", Path(sys.argv[1]), "application:app"))
"""
IMPATIENT = "from carechat import liveness\nliveness.SILENCE = 3" + SERVE
APPLICATION = """
import os

def app():
    return answer

async def answer(scope, receive, send):
    if scope["type"] == "lifespan":
        raise NotImplementedError
    if scope["type"] == "http":
        uri = os.environ.get("CARECHAT_EMBEDDED_URI", "")
        body = uri.partition("@")[2].encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})
"""

TELLING = """
import asyncio, os, time

def app():
    return answer

async def pulse():
    while True:
        os.write(int(os.environ["CARECHAT_PULSE"]), str(os.getpid()).encode())
        await asyncio.sleep(0.2)

async def answer(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        pulsing = asyncio.create_task(pulse())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        pulsing.cancel()
        await send({"type": "lifespan.shutdown.complete"})
    elif scope["type"] == "http":
        if scope["path"] == "/hang":
            time.sleep(600)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": str(os.getpid()).encode()})
"""

COUNTED = (
    """
import os, pathlib
with pathlib.Path("loaded").open("a") as loaded:
    loaded.write(f"{os.getpid()}\\n")
"""
    + TELLING
)

HANGS_WHEN_SECOND = """
if len(pathlib.Path("loaded").read_text().split()) == 2:
    time.sleep(600)
"""

SPARE_SOON = "from carechat import supervisor\nsupervisor.SPARE_WAIT = supervisor.SPARE_RETRY = 0"
NO_FURTHER_PROCESS = """
from carechat import serving
def no_further(command, **_options):
    raise BlockingIOError
def answers(*arguments, answers=serving._answers):
    try:
        return answers(*arguments)
    finally:
        supervisor.subprocess.Popen = no_further
        supervisor.SPARE_RETRY = 60
serving._answers = answers
"""
"""As if the system let no further process be started once people are served."""


@dataclass
class Site:
    """A project with a small application, its data directory and its port."""

    folder: Path
    port: int
    mongodb_uri: str = ""
    workers: int = 1

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    @property
    def variables(self) -> dict[str, str]:
        return {
            "CARECHAT_DATA_DIR": str(self.data_dir),
            "PORT": str(self.port),
            "MONGODB_URI": self.mongodb_uri,
            "CARECHAT_WORKERS": str(self.workers),
            "REDIS_URL": "redis://redis.example.com/" if self.workers > 1 else "",
            "PYTHONPATH": str(PROJECT),
            "CARECHAT_JWT_SECRET": "for tests only, but long enough to be let in",
        }

    def application(self, code: str) -> None:
        """The project has that application, and its pages count as built."""
        (self.folder / "application.py").write_text(code)
        stamp = self.folder / ".web" / webbuild.STAMP
        stamp.parent.mkdir(parents=True, exist_ok=True)
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.variables.items():
                patch.setenv(name, value)
            stamp.write_text(webbuild.digest(self.folder, serving.baked(settings.load())))

    @contextlib.contextmanager
    def served(self, serve: str = SERVE) -> Iterator[subprocess.Popen[str]]:
        with subprocess.Popen(
            [sys.executable, "-c", serve, str(self.folder)],
            cwd=PROJECT,
            env={**os.environ, **self.variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def get(self) -> str | None:
        """What the application answers, None while it does not."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/")
            return connection.getresponse().read().decode()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def workers_seen(self) -> set[str]:
        """The workers that answer when a few ask at once."""
        with ThreadPoolExecutor(16) as asking:
            return {pid for pid in asking.map(lambda _: self.get(), range(48)) if pid}

    def loaded(self) -> list[str]:
        """The workers that have loaded the application, if it is `COUNTED`."""
        return (self.folder / "loaded").read_text().split()

    def hang(self) -> None:
        """Let the worker answer nothing any more."""
        with socket.create_connection(("127.0.0.1", self.port)) as asking:
            asking.sendall(b"GET /hang HTTP/1.1\r\nHost: localhost\r\n\r\n")
            asking.settimeout(0.3)
            with contextlib.suppress(TimeoutError):
                asking.recv(1)

    def mongod(self) -> int | None:
        """The process id of the mongod that runs on the data directory."""
        files = mongod.Files(self.data_dir)
        if not mongod.listens(str(files.socket)):
            return None
        return int(files.lock.read_text())


@pytest.fixture
def site() -> Iterator[Site]:
    with tempfile.TemporaryDirectory(prefix="cs-", ignore_cleanup_errors=True) as folder:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        site = Site(Path(folder).resolve(), port)
        site.application(APPLICATION)
        yield site
        if pid := site.mongod():
            os.kill(pid, signal.SIGKILL)


def _read_until(process: subprocess.Popen[str], line: str) -> str:
    assert process.stdout
    read = ""
    for read_line in process.stdout:
        read += read_line
        if line in read_line:
            return read
    assert process.stderr
    pytest.fail(f"ended without saying {line!r}: {read}{process.stderr.read()}")


def _eventually(true: Callable[[], object], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)
    return bool(true())


def _kill(pid: str | None) -> None:
    if pid:
        os.kill(int(pid), signal.SIGKILL)


def said(line: str) -> str:
    """Return how bad it is and what, of a line of the log as programs read it."""
    told = json.loads(line)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", told["time"])
    return f"{told['level']} {told['message']}"


def test_it_says_where_it_serves_and_ctrl_c_stops_everything(site: Site) -> None:
    with site.served() as process:
        said = _read_until(process, "Ctrl-C stops it")
        assert "for the demo, development and small clinics" in said
        assert f"http://localhost:{site.port}\ndoctor@example.com\n" in said
        assert site.get() == (
            str(site.data_dir / "mongod.sock").replace("/", "%2F")
            + "/?authSource=admin&directConnection=true"
        )
        for _ in range(3):
            process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert process.stderr
        assert process.stderr.read() == ""
    assert site.get() is None
    assert site.mongod() is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_with_mongodb_uri_nothing_is_embedded(site: Site, number: signal.Signals) -> None:
    site.mongodb_uri = "mongodb://db.example.com/"
    site.application(APPLICATION)
    with site.served() as process:
        said = _read_until(process, "Ctrl-C stops it")
        assert "MongoDB" not in said
        assert site.get() == ""
        process.send_signal(number)
        assert process.wait(30) == 0
    assert not site.data_dir.exists()


def test_a_second_one_is_told_which_process_has_the_data(site: Site) -> None:
    with site.served() as first:
        _read_until(first, "Ctrl-C stops it")
        with site.served() as second:
            said, complaint = second.communicate(timeout=30)
        assert second.returncode == 1
        assert said == ""
        assert re.fullmatch(rf".* \(process {first.pid}\): .*\n", complaint)
        assert site.get()
        first.terminate()
        assert first.wait(30) == 0


def test_a_second_one_on_another_port_is_told_before_anything_is_started(site: Site) -> None:
    with site.served() as first:
        _read_until(first, "Ctrl-C stops it")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        with Site(site.folder, port).served() as second:
            said, complaint = second.communicate(timeout=30)
        assert (second.returncode, said) == (1, "")
        assert f"(process {first.pid})" in complaint


def test_a_used_port_stops_the_start_before_anything_is_started(site: Site) -> None:
    with socket.create_server(("127.0.0.1", site.port)), site.served() as process:
        said, complaint = process.communicate(timeout=30)
    assert process.returncode == 1
    assert said == ""
    assert re.fullmatch(rf"PORT {site.port} on 127.0.0.1 is used by another .*\n", complaint)
    assert not site.data_dir.exists()


def test_after_kill_9_nothing_serves_on_and_the_next_start_works(site: Site) -> None:
    with site.served() as process:
        _read_until(process, "Ctrl-C stops it")
        process.kill()
        process.wait()
        with site.served() as following:
            _read_until(following, "Ctrl-C stops it")
            assert site.get()
            following.terminate()
            assert following.wait(30) == 0
    assert _eventually(lambda: site.get() is None)
    assert site.mongod() is None


def test_a_killed_mongod_comes_back(site: Site) -> None:
    with site.served() as process:
        _read_until(process, "Ctrl-C stops it")
        before = site.mongod()
        assert before
        os.kill(before, signal.SIGKILL)
        assert process.stderr
        lines = [said(process.stderr.readline()) for _ in range(2)]
        assert site.mongod() not in {None, before}
        process.terminate()
        assert process.wait(30) == 0
    assert lines[0] == f"ERROR MongoDB (process {before}) ended by signal 9, it is started again"
    assert re.fullmatch(r"WARNING MongoDB was started again \(process \d+\)", lines[1])
    assert site.mongod() is None


def test_an_application_that_cannot_start_ends_everything(site: Site) -> None:
    site.application("raise RuntimeError('broken')")
    with site.served() as process:
        _, complaint = process.communicate(timeout=60)
    assert process.returncode == 1
    assert re.search(r"^The server ended by itself \(exit code \d+\)$", complaint, re.MULTILINE)
    assert site.mongod() is None


def test_a_worker_that_does_not_answer_is_replaced(site: Site) -> None:
    site.mongodb_uri = "mongodb://db.example.com/"
    site.application(TELLING)
    workers: list[str] = []
    with site.served(IMPATIENT) as process:
        _read_until(process, "Ctrl-C stops it")
        for _ in range(2):
            assert _eventually(lambda: site.get() not in {None, *workers})
            workers.append(str(site.get()))
            site.hang()
        assert _eventually(lambda: site.get() not in {None, *workers})
        workers.append(str(site.get()))
        assert _eventually(lambda: process.poll() is not None, seconds=2) is False
        process.terminate()
        _, log = process.communicate(timeout=30)
    assert process.returncode == 0
    expected: list[str] = []
    for before, after in pairwise(workers):
        expected += [
            f"ERROR server: process {before} does not answer, it is replaced",
            f"ERROR server: process {before} ended (SIGKILL), starts again",
            f"WARNING server: process {after} serves",
        ]
    assert [said(line) for line in log.splitlines()] == expected


def test_workers_that_are_killed_one_soon_after_the_other_end_nothing(site: Site) -> None:
    site.mongodb_uri = "mongodb://db.example.com/"
    site.application(TELLING)
    with site.served() as process:
        _read_until(process, "Ctrl-C stops it")
        killed: set[str | None] = {None}
        for _ in range(8):
            assert _eventually(lambda: site.get() not in killed)
            killed.add(worker := site.get())
            assert worker
            os.kill(int(worker), signal.SIGKILL)
        assert _eventually(lambda: site.get() not in killed)
        process.terminate()
        _, log = process.communicate(timeout=30)
    assert process.returncode == 0
    assert log.count("(SIGKILL), starts again") == 8


@contextlib.contextmanager
def _one_in_reserve(site: Site) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """Give a served application, which worker serves, and which one waits."""
    site.mongodb_uri = "mongodb://db.example.com/"
    site.application(COUNTED)
    with site.served(SPARE_SOON + SERVE) as process:
        _read_until(process, "Ctrl-C stops it")
        assert _eventually(lambda: len(site.loaded()) == 2)
        serving, waiting = site.loaded()
        yield process, serving, waiting


def test_one_that_is_loaded_waits_to_take_the_place_of_a_worker_that_ends(site: Site) -> None:
    with _one_in_reserve(site) as (process, first, second):
        assert site.workers_seen() == {first}
        os.kill(int(first), signal.SIGKILL)
        assert _eventually(lambda: site.get() == second)
        assert site.loaded()[:2] == [first, second]
        process.terminate()
        assert process.wait(30) == 0


def test_one_that_ends_while_it_waits_is_loaded_anew(site: Site) -> None:
    with _one_in_reserve(site) as (process, first, second):
        os.kill(int(second), signal.SIGKILL)
        assert _eventually(lambda: len(site.loaded()) == 3)
        assert site.get() == first
        process.terminate()
        _, log = process.communicate(timeout=30)
    assert process.returncode == 0
    assert said(log) == f"ERROR server: process {second}, in reserve, ended (SIGKILL)"


def test_one_that_cannot_be_held_in_reserve_ends_nothing(site: Site) -> None:
    site.mongodb_uri = "mongodb://db.example.com/"
    site.application(COUNTED)
    with site.served(SPARE_SOON + NO_FURTHER_PROCESS + SERVE) as process:
        _read_until(process, "Ctrl-C stops it")
        assert process.stderr
        line = process.stderr.readline()
        assert said(line) == "ERROR server: none can be held in reserve (BlockingIOError)"
        assert site.workers_seen() == set(site.loaded())
        process.terminate()
        assert process.wait(30) == 0


def test_one_that_does_not_get_as_far_as_waiting_is_loaded_anew(site: Site) -> None:
    site.mongodb_uri = "mongodb://db.example.com/"
    site.application(COUNTED + HANGS_WHEN_SECOND)
    impatient = "\nsupervisor.SPARE_LOADING = 5"
    with site.served(SPARE_SOON + impatient + SERVE) as process:
        _read_until(process, "Ctrl-C stops it")
        assert _eventually(lambda: len(site.loaded()) == 3)
        assert site.get() == site.loaded()[0]
        process.terminate()
        _, log = process.communicate(timeout=30)
    assert process.returncode == 0
    assert said(log) == f"ERROR server: process {site.loaded()[1]}, in reserve, ended (SIGKILL)"


def test_an_application_that_cannot_start_any_more_ends_everything(site: Site) -> None:
    site.mongodb_uri = "mongodb://db.example.com/"
    site.application(TELLING)
    with site.served() as process:
        _read_until(process, "Ctrl-C stops it")
        (site.folder / "application.py").write_text("raise SystemExit(3)")
        # The one in reserve may have loaded it before.
        assert _eventually(lambda: _kill(site.get()) or process.poll() is not None)
        _, log = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "The server ends again and again (exit code 3)" in log


def test_a_start_does_not_wait_for_redis(site: Site) -> None:
    site.mongodb_uri = "mongodb://db.example.com/"
    away = APPLICATION.replace("200", "503").replace("body =", f"body = {REDIS_AWAY!r}.encode() or")
    site.application(away)
    with site.served() as process:
        _read_until(process, "CareChat is ready")
        process.terminate()
        assert process.wait(30) == 0


def test_of_two_workers_the_one_that_does_not_answer_is_replaced(site: Site) -> None:
    site.mongodb_uri, site.workers = "mongodb://db.example.com/", 2
    site.application(TELLING)
    with site.served("from carechat import liveness\nliveness.SILENCE = 3" + SERVE) as process:
        _read_until(process, "Ctrl-C stops it")
        before = site.workers_seen()
        hanging = before.pop()
        time.sleep(1.5)  # so that it has been heard of
        os.kill(int(hanging), signal.SIGSTOP)
        assert _eventually(lambda: len(site.workers_seen() - {hanging}) == 2)
        assert before < site.workers_seen()
        process.terminate()
        _, log = process.communicate(timeout=30)
    assert process.returncode == 0
    assert f"process {hanging} does not answer, it is replaced" in log
    assert log.count("replaced") == 1


def test_stopping_does_not_wait_for_a_worker_that_does_not_answer(site: Site) -> None:
    site.mongodb_uri = "mongodb://db.example.com/"
    site.application(TELLING)
    with site.served() as process:
        _read_until(process, "Ctrl-C stops it")
        site.hang()
        process.terminate()
        assert process.wait(30) == 0
    assert site.get() is None


def test_a_stop_while_the_application_loads_is_an_ordinary_one(site: Site) -> None:
    site.mongodb_uri = "mongodb://db.example.com/"
    loads = "import os, pathlib, time\npathlib.Path('loads').touch()\ntime.sleep(60)\n"
    site.application(loads + APPLICATION)
    with site.served() as process:
        assert _eventually((site.folder / "loads").exists)
        process.send_signal(signal.SIGINT)
        _, log = process.communicate(timeout=30)
    assert (process.returncode, log) == (0, "")
