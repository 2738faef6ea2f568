"""Updates that never arrive, on purpose: the page puts itself right, without a reload."""

import itertools
import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.e2e import screens as on
from tests.e2e.clinic import Clinic, Person
from tests.e2e.page_sockets import Wire
from tests.e2e.screens import Screens

HEALED_MS = 30_000
"""A page asks every 20 s whether it has everything."""

LOST_SECONDS = 5.0

WIDE = {"viewport": {"width": 1440, "height": 900}}
UPDATE = '["event",'
LOOK = "dispatchEvent(new Event('focus'))"
"""Somebody comes back to the page."""


class Line:
    """A page's connection to the server, on which updates get lost or wait when it is told so."""

    def __init__(self) -> None:
        self.loses: Callable[[], bool] = lambda: False
        self.holds = False
        self.lost = 0
        self._held: list[Callable[[], None]] = []

    def connect(self, page: Page) -> None:
        """Be what the page's socket goes through; before it is opened."""
        page.route_web_socket(re.compile("/_event"), self._relay)

    def until_lost(self, page: Page) -> None:
        """Wait until an update got lost."""
        deadline = time.monotonic() + LOST_SECONDS
        while not self.lost:
            assert time.monotonic() < deadline
            page.wait_for_timeout(50)

    def release(self) -> None:
        """Let through what was held, and whatever comes."""
        self.holds = False
        while self._held:
            self._held.pop(0)()

    def _relay(self, socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        server.on_message(lambda frame: self._pass(socket, frame))

    def _pass(self, socket: WebSocketRoute, frame: str | bytes) -> None:
        if UPDATE not in str(frame):
            socket.send(frame)
        elif self.holds:
            self._held.append(lambda: socket.send(frame))
        elif self.loses():
            self.lost += 1
        else:
            socket.send(frame)


@pytest.fixture
def line() -> Line:
    """Return what the doctor's page hangs on."""
    return Line()


@pytest.fixture
def page(screens: Screens, doctor: Person, patient: Person, line: Line) -> Page:
    """Return the doctor's page in the conversation, beside the list."""
    page = screens.as_somebody(doctor, **WIDE)
    line.connect(page)
    patient.says(doctor, "before")
    on.open_chat(page, patient)
    expect(on.message(page, "before")).to_be_visible()
    return page


def test_the_last_message_and_its_receipt_are_there_though_every_update_of_them_was_lost(
    clinic: Clinic, page: Page, line: Line, doctor: Person, patient: Person
) -> None:
    """Nothing follows that would show the gap: messages, ticks, the list, the count."""
    other = clinic.patient(doctor, name="Tom")
    beside = page.get_by_role("navigation", name="Conversations")
    expect(beside).to_contain_text("Tom", timeout=HEALED_MS)
    on.write(page, "mine")
    expect(on.state(page, "mine")).to_have_text("Sent")

    line.loses = lambda: True
    other.says(doctor, "for the list")
    patient.says(doctor, "one", "two")
    patient.reads(doctor)
    line.until_lost(page)
    page.wait_for_timeout(1_000)
    expect(on.messages(page)).to_have_text(["before", "mine"])

    line.loses = lambda: False
    expect(on.messages(page)).to_have_text(["before", "mine", "one", "two"], timeout=HEALED_MS)
    expect(on.state(page, "mine")).to_have_text("Read")
    expect(beside).to_contain_text("for the list")
    expect(page).to_have_title(re.compile(r"^\(1\)"))


def test_who_comes_back_to_a_page_finds_it_right_at_once(
    page: Page, line: Line, doctor: Person, patient: Person
) -> None:
    """It asks when it gets the focus, and does not wait for its time."""
    line.loses = lambda: True
    patient.says(doctor, "lost")
    line.until_lost(page)
    page.wait_for_timeout(1_500)
    line.loses = lambda: False
    page.evaluate(LOOK)
    expect(on.message(page, "lost")).to_be_visible(timeout=5_000)


def test_the_first_message_of_all_is_there_though_its_update_was_lost(
    screens: Screens, line: Line, doctor: Person, patient: Person
) -> None:
    """The second shows that there was one before it."""
    page = screens.as_somebody(doctor, **WIDE)
    line.connect(page)
    on.open_chat(page, patient)
    line.loses = lambda: True
    patient.says(doctor, "one")
    line.until_lost(page)
    page.wait_for_timeout(1_000)
    line.loses = lambda: False
    patient.says(doctor, "two")
    expect(on.messages(page)).to_have_text(["one", "two"], timeout=5_000)


def test_an_acknowledgement_that_got_lost_comes_again(
    page: Page, line: Line, doctor: Person, patient: Person
) -> None:
    """It is asked for with the same message, which is stored once."""
    line.loses = lambda: True
    on.write(page, "mine")
    expect(on.state(page, "mine")).to_have_text("Sending")
    page.wait_for_timeout(1_000)
    line.loses = lambda: False
    expect(on.state(page, "mine")).to_have_text("Sent", timeout=HEALED_MS)
    assert doctor.texts(patient) == ["before", "mine"]


def test_a_page_of_which_the_first_answer_got_lost_is_there_all_the_same(
    screens: Screens, line: Line, doctor: Person, patient: Person
) -> None:
    """It asks again while it has nothing to show."""
    patient.says(doctor, "before")
    page = screens.as_somebody(doctor)
    line.connect(page)
    line.loses = lambda: True
    page.goto(f"/chat?email={patient.email}")
    expect(on.connection(page)).to_have_text("Connected")
    page.wait_for_timeout(1_000)
    line.loses = lambda: False
    expect(on.message(page, "before")).to_be_visible(timeout=HEALED_MS)
    on.write(page, "mine")
    expect(on.state(page, "mine")).to_have_text("Sent")


def test_with_every_second_update_lost_both_have_everything_in_the_end(
    screens: Screens, page: Page, line: Line, doctor: Person, patient: Person
) -> None:
    """Each message once and in order, on the page as in the database."""
    theirs = screens.chat(patient, doctor)
    turns = itertools.cycle([True, False])
    line.loses = lambda: next(turns)
    for number in range(12):
        on.write(page, f"mine {number}")
        on.write(theirs, f"theirs {number}")
    expect(on.state(theirs, "theirs 11")).to_contain_text(
        re.compile("Sent|Delivered|Read"), timeout=HEALED_MS
    )
    expect(on.message(theirs, "mine 11")).to_be_visible(timeout=2 * HEALED_MS)
    line.loses = lambda: False
    assert line.lost
    said = doctor.texts(patient)
    assert sorted(said[1:]) == sorted(f"{who} {n}" for who in ("mine", "theirs") for n in range(12))
    expect(on.messages(page)).to_have_text(said, timeout=HEALED_MS)
    expect(on.messages(theirs)).to_have_text(said)
    expect(on.state(page, "mine 11")).to_have_text("Read", timeout=HEALED_MS)


def test_a_page_that_has_everything_is_sent_nothing(
    screens: Screens, doctor: Person, patient: Person
) -> None:
    """Whatever characters it shows, server and browser make the same of them."""
    texts = [
        'Grüße 👩‍⚕️ \\ " </b>',
        "tab\tand\nlines",
        "line\u2028separator \x7f".strip("\x7f"),
        "漢字 \U0001f600",
    ]
    patient.says(doctor, *texts)
    page = screens.as_somebody(doctor, **WIDE)
    wire = Wire(page)
    on.open_chat(page, patient)
    expect(on.messages(page)).to_have_count(len(texts))
    expect(page.get_by_role("navigation", name="Conversations")).not_to_contain_text("unread")
    page.wait_for_timeout(1_500)
    wire.received.clear()
    wire.sent.clear()
    page.evaluate(LOOK)
    page.wait_for_timeout(1_000)
    assert "agreement" in "".join(wire.sent)
    assert wire.bytes_received() < 200


def test_what_is_sent_shows_before_anything_comes_back(page: Page, line: Line) -> None:
    """The sender's own browser shows it; what becomes of it is told when it is known."""
    line.holds = True
    on.write(page, "at once")
    expect(on.state(page, "at once")).to_have_text("Sending")
    expect(on.field_of(page)).to_have_value("")
    line.release()
    expect(on.state(page, "at once")).to_have_text("Sent")
