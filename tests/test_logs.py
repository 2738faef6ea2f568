"""What reaches the log, in which form, and never what a library would quote of somebody."""

import contextvars
import io
import json
import logging
import os
import re
import time
from collections.abc import Generator
from pathlib import Path
from urllib.parse import urlsplit

import engineio
import pytest

from carechat import logs
from carechat.api import guard
from carechat.settings import Settings

MINUTE = 1.0
WHEN = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


@pytest.fixture(autouse=True)
def _redacted() -> Generator[None]:
    """Redact for the time of one test."""
    before = logging.getLogRecordFactory()
    logs.redact()
    yield
    logging.setLogRecordFactory(before)


def test_a_library_does_not_quote_an_event(caplog: pytest.LogCaptureFixture) -> None:
    """Reflex warns with the whole event, text and all."""
    logging.getLogger("reflex.app").warning("Event data: %s", {"text": "my secret pain"})
    assert "secret" not in caplog.text
    assert "reflex.app, test_a_library_does_not_quote_an_event" in caplog.text


def test_an_exception_is_told_by_its_kind_alone(caplog: pytest.LogCaptureFixture) -> None:
    """The text of an exception may hold a document."""
    try:
        int("maria@example.com")
    except ValueError:
        logging.getLogger("asyncio").exception("Task failed")
    assert "maria" not in caplog.text
    assert "ValueError" in caplog.text


def test_a_line_tells_where_of_ours_it_broke_and_not_where_it_is_logged() -> None:
    """The innermost line of ours: what it called is a library's, and may be called anywhere."""
    with pytest.raises(ValueError, match="invalid literal") as raised:
        Settings.model_construct(send_rate="my/pain").send_allowance  # noqa: B018
    told = logs.failure(raised.value)
    assert re.fullmatch(r"ValueError at carechat/settings\.py:\d+", told)


def test_what_broke_in_a_library_is_told_by_both_places(tmp_path: Path) -> None:
    """Or by the library's alone, if nothing of ours called it."""
    with pytest.raises(ValueError, match="Invalid IPv6") as raised:
        urlsplit("//[")
    assert re.fullmatch(r"ValueError at urllib/parse\.py:\d+", logs.failure(raised.value))
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(IsADirectoryError) as raised_by_us:
        guard.content_policy(tmp_path)
    told = r"IsADirectoryError at carechat/api/guard\.py:\d+, in .+/pathlib\.py:\d+"
    assert re.fullmatch(told, logs.failure(raised_by_us.value))


def test_our_own_lines_stay_as_they_are(caplog: pytest.LogCaptureFixture) -> None:
    """What CareChat says holds codes and counts only."""
    logging.getLogger("carechat.services.watch").warning("database: %s", "answers again")
    assert "database: answers again" in caplog.text


class Terminal(io.StringIO):
    """A log that somebody reads as it is written."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@pytest.fixture
def kept() -> io.StringIO:
    """Return what is written where programs read it."""
    stream = io.StringIO()
    strangers.addHandler(logs.Lines(stream))
    return stream


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Return what is written by the handler of a log of its own, whose minute is short."""
    monkeypatch.setattr(logs, "MINUTE", MINUTE)
    stream = Terminal()
    strangers.addHandler(logs.Lines(stream))
    return stream


strangers = logging.Logger("carechat.ui.errors")


@pytest.fixture(autouse=True)
def _nobody_listens() -> Generator[None]:
    """Leave that log without a handler."""
    yield
    strangers.handlers.clear()


def test_a_line_tells_when_and_how_bad_it_is(written: io.StringIO) -> None:
    """In UTC, whatever the zone of the machine."""
    strangers.error("event failed: %s", "TypeError")
    assert re.fullmatch(f"{WHEN} ERROR event failed: TypeError\n", written.getvalue())
    told = time.strptime(written.getvalue().split()[0], logs.TIME)
    assert abs(time.mktime(told) - time.mktime(time.gmtime())) < 60


def test_a_line_for_people_names_its_request(written: io.StringIO) -> None:
    contextvars.copy_context().run(logged_in_a_request, "a1b2c3")
    strangers.error("outside")
    lines = written.getvalue().splitlines()
    assert lines[0].endswith(" ERROR event failed [a1b2c3]")
    assert lines[1].endswith(" ERROR outside")


def test_a_line_for_programs_is_json(kept: io.StringIO) -> None:
    contextvars.copy_context().run(logged_in_a_request, "a1b2c3")
    strangers.warning("two\nlines")
    first, second = (json.loads(line) for line in kept.getvalue().splitlines())
    assert re.fullmatch(WHEN, first.pop("time"))
    assert first == {
        "level": "ERROR",
        "logger": "carechat.ui.errors",
        "message": "event failed",
        "process": os.getpid(),
        "request": "a1b2c3",
    }
    assert (second["level"], second["message"]) == ("WARNING", "two\nlines")
    assert "request" not in second


@pytest.mark.parametrize("form", ["written", "kept"])
def test_an_exception_is_its_kind_in_every_form(form: str, request: pytest.FixtureRequest) -> None:
    """Its text, and those that it came from, may be somebody's words."""
    stream: io.StringIO = request.getfixturevalue(form)
    try:
        int("my secret pain")
    except ValueError:
        strangers.exception("event failed")
    assert "ValueError" in stream.getvalue()
    assert "secret" not in stream.getvalue()


def test_requests_have_ids_of_their_own() -> None:
    """Made here: what a client sends as one is never taken."""
    made = {contextvars.copy_context().run(logs.begin_request) for _ in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch("[0-9a-f]{12}", one) for one in made)
    assert logs.request_id() == ""


def logged_in_a_request(identifier: str) -> None:
    """Let one line be written in a request of that id."""
    logs.begin_request(identifier)
    strangers.error("event failed")


def test_different_lines_have_a_bound_of_each_logger_and_the_rest_is_counted(
    written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever can have a library write what it likes keeps no line of ours from being written."""
    monkeypatch.setattr(logs, "MAX_DIFFERENT", 3)
    library = logging.Logger("some.library")
    library.handlers = strangers.handlers
    for number in range(10):
        library.warning("Found invalid character at %d", number)
    library.warning("Found invalid character at %d", 1)
    strangers.error("event failed: KeyError")
    lines = written.getvalue().splitlines()
    assert len(lines) == 5
    assert lines[-1].endswith(" ERROR event failed: KeyError")
    time.sleep(2 * MINUTE)
    last = written.getvalue().splitlines()[5:]
    assert [line.partition(" ")[2] for line in last] == [
        "WARNING log: of some.library 7 different lines more are left out"
    ]


@pytest.mark.parametrize("name", ["python_multipart.multipart", "uvicorn.error", "websockets"])
def test_what_reads_a_strangers_bytes_has_one_line_for_all_of_them(
    name: str, written: io.StringIO
) -> None:
    library = logging.getLogger(name)
    library.addHandler(strangers.handlers[0])
    for number in range(3):
        library.warning("Found invalid character at %d", number)
    library.removeHandler(strangers.handlers[0])
    assert len({line.partition(" ")[2] for line in written.getvalue().splitlines()}) == 1


def test_the_last_of_what_was_left_out_is_told_with_its_request(written: io.StringIO) -> None:
    for number in range(12):
        contextvars.copy_context().run(logged_in_a_request, f"a{number}")
    time.sleep(2 * MINUTE)
    last = written.getvalue().splitlines()[-1]
    assert last.endswith(" ERROR event failed (2 more like this) [a11]")


def test_a_task_that_died_is_not_told_of_as_somebody_elses_request(kept: io.StringIO) -> None:
    """asyncio tells of it when it is forgotten, whoever is served at that moment."""
    loop = logging.Logger("asyncio")
    loop.handlers = strangers.handlers
    contextvars.copy_context().run(lambda: (logs.begin_request("a1b2c3"), loop.error("died")))
    assert "a1b2c3" not in kept.getvalue()


def test_the_same_line_fills_no_disk(written: io.StringIO) -> None:
    """Ten of it are written, and after a minute how many more there were."""
    for _ in range(500):
        strangers.error("event failed: %s", "TypeError")
    strangers.error("event failed: KeyError")
    assert written.getvalue().count("TypeError") == 10
    assert written.getvalue().count("KeyError") == 1
    time.sleep(2 * MINUTE)
    last = written.getvalue().splitlines()[-1]
    assert last.endswith(" ERROR event failed: TypeError (490 more like this)")
    strangers.error("event failed: %s", "TypeError")
    assert written.getvalue().endswith(" ERROR event failed: TypeError\n")


def test_a_line_that_cannot_be_put_together_does_not_reach_who_logs_it(
    written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with every handler of the standard library."""
    monkeypatch.setattr(logging, "raiseExceptions", False)
    strangers.error("%d of them", "many")
    assert written.getvalue() == ""


def test_a_library_with_a_handler_of_its_own_writes_nothing_twice(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor more often than others: Engine.IO writes a line for each event that is none."""
    for name in ("", "engineio.server"):
        monkeypatch.setattr(logging.getLogger(name), "handlers", [])
    engineio.Server(async_mode="threading")
    logs.write()
    for _ in range(20):
        logging.getLogger("engineio.server").error("junk: %s", "my secret pain")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert len(lines) == 10
    assert lines[0]["message"].startswith("engineio.server, test_a_library_")
