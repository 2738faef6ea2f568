"""What reaches the log when a library would quote what somebody wrote."""

import logging
from collections.abc import Generator

import pytest

from carechat import logs


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


def test_our_own_lines_stay_as_they_are(caplog: pytest.LogCaptureFixture) -> None:
    """What CareChat says holds codes and counts only."""
    logging.getLogger("carechat.services.watch").warning("database: %s", "answers again")
    assert "database: answers again" in caplog.text
