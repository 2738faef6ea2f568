"""What reaches the log: never what somebody wrote, nor who; libraries are kept from quoting it."""

import logging
import threading
import time
from collections import Counter
from typing import Any

QUOTING = frozenset(
    {"reflex", "reflex_base", "socketio", "engineio", "asyncio", "pymongo", "granian", "_granian"}
)
"""Libraries whose warnings and errors repeat events, documents or the text of exceptions."""

LINE = "%(asctime)s %(levelname)s %(message)s"
TIME = "%Y-%m-%dT%H:%M:%SZ"

MOST = 10
"""How many lines of the same words are written within a minute."""

MINUTE = 60.0

_Words = tuple[str, int, str]


class Lines(logging.StreamHandler[Any]):
    """Writes a line for each record; of the same one no more than ten a minute, then how many more.

    Strangers can have a line written as often as they like: that shall not fill the disk.
    """

    def __init__(self, stream: Any = None) -> None:
        super().__init__(stream)
        formatter = logging.Formatter(LINE, TIME)
        formatter.converter = time.gmtime
        self.setFormatter(formatter)
        self._counts: Counter[_Words] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record, unless there were too many of it."""
        try:
            words = (record.name, record.levelno, record.getMessage())
        except (TypeError, ValueError):
            self.handleError(record)
            return
        if not self._counts:
            self._begin_minute()
        self._counts[words] += 1
        if self._counts[words] <= MOST:
            super().emit(record)

    def _begin_minute(self) -> None:
        timer = threading.Timer(MINUTE, self._end_minute)
        timer.daemon = True
        timer.start()

    def _end_minute(self) -> None:
        self.acquire()
        try:
            counts, self._counts = self._counts, Counter()
            for words, count in counts.items():
                if count > MOST:
                    super().emit(_left_out(words, count - MOST))
        finally:
            self.release()


def _left_out(words: _Words, count: int) -> logging.LogRecord:
    name, level, line = words
    arguments = (line, count)
    return logging.LogRecord(name, level, "", 0, "%s (%d more like this)", arguments, None)


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
    kind = record.exc_info[0] if record.exc_info else None
    place = f"{record.name}, {record.funcName}, line {record.lineno}"
    return f"{place}: {kind.__name__}" if kind else place
