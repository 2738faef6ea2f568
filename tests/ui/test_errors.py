"""What a page's event that failed leaves in the log: its kind, its place, its id, and no words."""

import contextvars
import io
import json
import logging
from collections.abc import Generator
from typing import Any, cast

import pytest
from pymongo.errors import AutoReconnect
from reflex_base.event.context import EventContext

from carechat import logs
from carechat.domain import errors as refusals
from carechat.ui import errors, session
from tests.scraping import Rise

TEXT = "my knee hurts since Tuesday"


@pytest.fixture
def written() -> Generator[io.StringIO]:
    """Give what is written to the log."""
    stream = io.StringIO()
    handler = logs.Lines(stream)
    logging.getLogger("carechat").addHandler(handler)
    yield stream
    logging.getLogger("carechat").removeHandler(handler)


def failed(error: Exception, cause: Exception | None = None) -> str:
    """Let an event fail with that, and return its id."""
    nothing = cast("Any", None)

    def handle() -> None:
        with pytest.raises(type(error)) as raised:
            raise error from cause
        assert errors.handle(raised.value) is None

    with EventContext(token="tab", state_manager=nothing, enqueue_impl=nothing) as context:
        contextvars.copy_context().run(handle)
        return context.txid


def test_what_nobody_has_thought_of_is_counted_and_found_by_its_place_and_id(
    written: io.StringIO,
) -> None:
    failures = Rise("carechat_failures_total")
    identifier = failed(KeyError(TEXT))
    line = json.loads(written.getvalue())
    assert line["message"].startswith("event failed: KeyError at ui/test_errors.py:")
    assert (line["request"], failures()) == (identifier, 1)
    assert "knee" not in written.getvalue()


def test_what_the_database_fails_is_found_by_its_id(written: io.StringIO) -> None:
    failures = Rise("carechat_failures_total")
    identifier = failed(refusals.UnavailableError(TEXT), AutoReconnect(TEXT))
    line = json.loads(written.getvalue())
    assert (line["level"], line["message"]) == ("WARNING", "event unavailable: AutoReconnect")
    assert (line["request"], failures()) == (identifier, 0)


def test_what_a_service_refuses_is_no_line(written: io.StringIO) -> None:
    failed(refusals.ForbiddenError(TEXT))
    assert written.getvalue() == ""


def test_who_is_not_signed_in_any_more_is_led_to_sign_in_and_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session, "here", lambda: "/chat?email=doctor@example.com")
    led = errors.handle(refusals.UnauthenticatedError("x"))
    assert "/login?error=ended&next=%2Fchat%3Femail%3Ddoctor%40example.com" in str(led)
