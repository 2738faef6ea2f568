"""What reaches the log: never what somebody wrote, nor who; libraries are kept from quoting it."""

import json
import logging
import secrets
import sys
import threading
import time
import traceback
from collections import Counter, defaultdict
from contextvars import ContextVar
from pathlib import Path
from types import TracebackType
from typing import Any

QUOTING = frozenset(
    {
        "reflex",
        "reflex_base",
        "socketio",
        "engineio",
        "asyncio",
        "pymongo",
        "redis",
        "uvicorn",
        "granian",
        "websockets",
        "python_multipart",
    }
)
"""Libraries whose warnings and errors repeat events, documents or the text of exceptions."""

TIME = "%Y-%m-%dT%H:%M:%SZ"

MOST = 10
"""How many lines of the same words are written within a minute."""

MAX_DIFFERENT = 100
"""Different lines of one logger that are written within a minute; further ones are counted."""

LEFT_OUT = "log: of %s %d different lines more are left out"

MINUTE = 60.0

_OURS = f"{Path(__file__).parent}/"

_Words = tuple[str, int, str]
_Error = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]

_request: ContextVar[str] = ContextVar("request", default="")


def begin_request(identifier: str = "") -> str:
    """Let what is logged from now on, in this task, carry that id, or one that is made here.

    Never give it what a client has sent.
    """
    identifier = identifier or secrets.token_hex(6)
    _request.set(identifier)
    return identifier


def request_id() -> str:
    """Return the id of the request, socket or page's event at hand; empty if there is none."""
    return _request.get()


def failure(error: BaseException) -> str:
    """Return what kind of error it is and where it broke, without what it says: somebody's words.

    As `KeyError at carechat/x.py:7`, the innermost line of ours, with `, in json/decoder.py:355`
    if that called a library.
    """
    kind = type(error).__name__
    lines = [(frame.f_code.co_filename, at) for frame, at in traceback.walk_tb(error.__traceback__)]
    if not lines:
        return kind
    ours = [(file, at) for file, at in lines if file.startswith(_OURS)]
    if not ours:
        return f"{kind} at {_shown(*lines[-1])}"
    library = "" if lines[-1] in ours else f", in {_shown(*lines[-1])}"
    return f"{kind} at carechat/{ours[-1][0].removeprefix(_OURS)}:{ours[-1][1]}{library}"


def _shown(file: str, at: int) -> str:
    return f"{'/'.join(Path(file).parts[-2:])}:{at}"


class Line(logging.Formatter):
    """A line for people to read: the time (UTC), how bad it is, what, in which request."""

    converter = time.gmtime

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s", TIME)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """Return the line, with the request's id if there is one."""
        line, identifier = super().formatMessage(record), _request_of(record)
        return f"{line} [{identifier}]" if identifier else line

    def formatException(self, ei: _Error) -> str:  # noqa: N802
        """Return what kind of error it is, and where it broke."""
        return failure(ei[1]) if ei[1] else ""


class Json(Line):
    """The same as JSON, for programs."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        told = {
            "time": self.formatTime(record, TIME),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
            "request": _request_of(record),
            "error": self.formatException(record.exc_info) if record.exc_info else "",
        }
        return json.dumps({name: value for name, value in told.items() if value})


def formatter(stream: Any = None) -> logging.Formatter:
    """Return the form for lines to that stream, stderr if none: for people if it is a terminal."""
    return Line() if (stream or sys.stderr).isatty() else Json()


class Lines(logging.StreamHandler[Any]):
    """Writes a line for each record; of the same one no more than ten a minute, then how many more.

    Strangers can have a line written as often as they like: that shall not fill the disk.
    """

    def __init__(self, stream: Any = None) -> None:
        super().__init__(stream)
        self.setFormatter(formatter(stream))
        self._begin_anew()

    def _begin_anew(self) -> None:
        # By logger, so that no library's lines can keep CareChat's from being written.
        self._counts: defaultdict[str, Counter[_Words]] = defaultdict(Counter)
        self._left_out: Counter[str] = Counter()
        self._last_request: dict[_Words, str] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record, unless there were too many of it, or too many different ones."""
        try:
            words = (record.name, record.levelno, record.getMessage())
        except (TypeError, ValueError):
            self.handleError(record)
            return
        if not self._counts:
            self._begin_minute()
        counts = self._counts[record.name]
        if words not in counts and len(counts) >= MAX_DIFFERENT:
            self._left_out[record.name] += 1
            return
        counts[words] += 1
        if counts[words] <= MOST:
            super().emit(record)
        else:
            self._last_request[words] = _request_of(record)

    def _begin_minute(self) -> None:
        timer = threading.Timer(MINUTE, self._end_minute)
        timer.daemon = True
        timer.start()

    def _end_minute(self) -> None:
        """Say how many lines were not written, and in which request the last of them was."""
        self.acquire()
        try:
            for words, identifier in self._last_request.items():
                _request.set(identifier)
                name, level, line = words
                more = self._counts[name][words] - MOST
                super().emit(_record(name, level, "%s (%d more like this)", line, more))
            _request.set("")
            for name, more in self._left_out.items():
                super().emit(_record(name, logging.WARNING, LEFT_OUT, name, more))
            self._begin_anew()
        finally:
            self.release()


def _record(name: str, level: int, line: str, *values: object) -> logging.LogRecord:
    return logging.LogRecord(name, level, "", 0, line, values, None)


def _request_of(record: logging.LogRecord) -> str:
    """The request that it is about; asyncio tells of tasks in that of whoever is at work then."""
    return "" if record.name == "asyncio" else request_id()


def write() -> None:
    """Let warnings and errors be written to stderr, with the time (UTC) and how bad it is."""
    logging.getLogger().addHandler(Lines())
    for name in ("engineio.server", "socketio.server"):
        # These bring handlers of their own, which write all of it once more, however much it is.
        logging.getLogger(name).handlers.clear()


def redact() -> None:
    """Let the lines of those libraries say only where they come from, and what kind of error it is.

    From warnings up; below that nothing is logged.
    """
    make = logging.getLogRecordFactory()

    def make_redacted(*args: Any, **more: Any) -> logging.LogRecord:
        record = make(*args, **more)
        if record.name.partition(".")[0] in QUOTING and record.levelno >= logging.WARNING:
            record.msg, record.args = _place(record), ()
            record.exc_info = record.exc_text = None
        return record

    logging.setLogRecordFactory(make_redacted)


def _place(record: logging.LogRecord) -> str:
    error = record.exc_info[1] if record.exc_info else None
    place = f"{record.name}, {record.funcName}, line {record.lineno}"
    return f"{place}: {failure(error)}" if error else place
