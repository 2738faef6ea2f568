"""What became of an own message, as sign and word: Sending, Sent, Delivered, Read."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import screens as on
from tests.e2e.clinic import Person
from tests.e2e.screens import Screens

LOOKING_AWAY = """
window.away = true;
document.hasFocus = () => !window.away;
Object.defineProperty(document, "visibilityState", {
  get: () => (window.away === "hidden" ? "hidden" : "visible"),
});
"""
"""A page that its reader does not look at, until it is told otherwise."""


@pytest.fixture
def page(screens: Screens, doctor: Person, patient: Person) -> Page:
    """Return the writer's page."""
    return screens.chat(doctor, patient)


def test_a_message_for_somebody_who_is_away_is_sent(page: Page) -> None:
    """One tick."""
    on.write(page, "Hi!")
    expect(on.state(page, "Hi!")).to_have_text("Sent")


def test_a_message_that_waits_for_the_network_is_sending(page: Page) -> None:
    """A clock."""
    page.context.set_offline(True)
    on.write(page, "Hi!")
    expect(on.state(page, "Hi!")).to_have_text("Sending")


def test_a_message_is_delivered_when_a_page_of_the_receiver_has_it(
    screens: Screens, page: Page, patient: Person
) -> None:
    """Any page, as the dashboard."""
    screens.dashboard(patient)
    on.write(page, "Hi!")
    expect(on.state(page, "Hi!")).to_have_text("Delivered")


def test_a_message_is_read_when_the_receiver_opens_the_conversation(
    screens: Screens, page: Page, doctor: Person, patient: Person
) -> None:
    """The earlier ones too."""
    on.write(page, "Hi!", "How are you?")
    expect(on.state(page, "How are you?")).to_have_text("Sent")
    screens.chat(patient, doctor)
    expect(on.state(page, "How are you?")).to_have_text("Read")
    expect(on.state(page, "Hi!")).to_have_text("Read")


@pytest.mark.parametrize("away", ["unfocused", "hidden"])
def test_a_message_is_not_read_while_nobody_looks_at_the_page(
    screens: Screens, page: Page, doctor: Person, patient: Person, away: str
) -> None:
    """It is delivered, and read as soon as somebody does."""
    theirs = screens.as_somebody(patient)
    theirs.add_init_script(LOOKING_AWAY.replace("true", f"'{away}'", 1))
    on.open_chat(theirs, doctor)
    on.write(page, "Hi!")
    expect(on.message(theirs, "Hi!")).to_be_visible()
    expect(on.state(page, "Hi!")).to_have_text("Delivered")
    assert not doctor.history(patient)[-1]["read"]

    theirs.evaluate("window.away = false; dispatchEvent(new Event('focus'))")
    expect(on.state(page, "Hi!")).to_have_text("Read")


def test_a_message_further_down_is_read_when_the_reader_scrolls_to_it(
    screens: Screens, page: Page, doctor: Person, patient: Person
) -> None:
    """Not before, though its page is looked at."""
    doctor.says(patient, *(f"line {number}" for number in range(40)))
    theirs = screens.chat(patient, doctor)
    expect(on.message(theirs, "line 39")).to_be_in_viewport()
    on.scroll_up(theirs)
    on.write(page, "Hi!")
    expect(theirs.get_by_role("button", name="New messages (1)")).to_be_visible()
    expect(on.state(page, "Hi!")).to_have_text("Delivered")

    theirs.get_by_role("button", name="New messages").click()
    expect(on.state(page, "Hi!")).to_have_text("Read")


def test_the_word_stands_beside_a_sign_that_is_hidden_from_screen_readers(page: Page) -> None:
    """The sign is a picture without a name."""
    on.write(page, "Hi!")
    expect(on.state(page, "Hi!").locator("svg")).to_have_attribute("aria-hidden", "true")
