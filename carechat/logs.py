"""What reaches the log: never what somebody wrote, nor who; libraries are kept from quoting it."""

import logging
from typing import Any

QUOTING = frozenset(
    {"reflex", "reflex_base", "socketio", "engineio", "asyncio", "pymongo", "granian", "_granian"}
)
"""Libraries whose warnings and errors repeat events, documents or the text of exceptions."""


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
