"""What became of everything: the panel in the chat's header, and the way of each own message."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e import screens as on
from tests.e2e.clinic import Clinic, Person
from tests.e2e.screens import Screens

TIME = r"\d{1,2}:\d\d:\d\d( [AP]M)?"

FOLLOWED_MS = 15_000
"""The reader's own reading is counted every 5 s."""


@pytest.fixture
def page(screens: Screens, doctor: Person, patient: Person) -> Page:
    """Return the doctor's page in the conversation."""
    patient.says(doctor, "one", "two")
    page = screens.chat(doctor, patient)
    expect(on.message(page, "two")).to_be_visible()
    return page


def _times(message: Locator) -> list[str]:
    """The times on the open line of a message."""
    times = message.locator(".chat-steps time")
    return [time.get_attribute("datetime") or "" for time in times.all()]


def _button(page: Page) -> Locator:
    return page.get_by_role("button", name="Delivery")


def _panel(page: Page) -> Locator:
    return page.get_by_role("region", name="Has everything arrived?")


def _figures(panel: Locator, *figures: int) -> None:
    expect(panel.locator("dd")).to_have_text(
        [str(figure) for figure in figures], timeout=FOLLOWED_MS
    )


class TestPanel:
    """How many were written, stored, delivered and read."""

    def test_it_follows_what_is_written_stored_delivered_and_read(
        self, screens: Screens, page: Page, doctor: Person, patient: Person
    ) -> None:
        """While it is open; also what still waits in this browser counts as written."""
        _button(page).click()
        panel = _panel(page)
        verdict = panel.get_by_text("no gaps")
        expect(verdict).to_have_text("2 of 2, no gaps")
        expect(verdict).to_contain_class("whole")
        _figures(panel, 2, 2, 2, 2)

        on.write(page, "three")
        expect(verdict).to_have_text("3 of 3, no gaps")
        expect(verdict).not_to_contain_class("whole")
        _figures(panel, 3, 3, 2, 2)
        expect(
            panel.get_by_text("Your last message has not reached Maria Jones yet.")
        ).to_be_visible()
        theirs = screens.chat(patient, doctor)
        _figures(panel, 3, 3, 3, 3)
        theirs.goto("/dashboard")
        expect(on.connection(theirs)).to_have_text("Connected")
        expect(on.card(theirs, doctor)).to_be_visible()
        on.write(page, "four")
        _figures(panel, 4, 4, 4, 3)
        expect(panel.get_by_text("Maria Jones has not read your last message yet.")).to_be_visible()

        page.context.set_offline(True)
        on.write(page, "offline")
        _figures(panel, 5, 4, 4, 3)
        expect(panel.get_by_text("1 waits in this browser")).to_be_visible()
        page.context.set_offline(False)
        _figures(panel, 5, 5, 5, 3)

    def test_a_number_that_storage_lacks_is_missing(
        self, clinic: Clinic, page: Page, doctor: Person, patient: Person
    ) -> None:
        """Though the page shows the message, because it was there."""
        with clinic.database() as database:
            database["messages"].delete_one(
                {"conversation_id": doctor.conversation(patient), "seq": 1}
            )
        _button(page).click()
        expect(_panel(page).get_by_text("1 of 2: 1 missing.")).to_be_visible()

    def test_an_empty_conversation_has_nothing_to_prove(
        self, clinic: Clinic, screens: Screens, doctor: Person
    ) -> None:
        """It says so."""
        page = screens.chat(doctor, clinic.patient(doctor, name="Tom"))
        _button(page).click()
        expect(_panel(page).get_by_text("Nothing is stored yet.")).to_be_visible()

    def test_another_conversation_has_figures_of_its_own(
        self, clinic: Clinic, screens: Screens, doctor: Person, patient: Person
    ) -> None:
        """The panel stays open."""
        other = clinic.patient(doctor, name="Tom")
        other.says(doctor, "of Tom")
        page = screens.chat(doctor, patient, viewport={"width": 1440, "height": 900})
        _button(page).click()
        expect(_panel(page).get_by_text("Nothing is stored yet.")).to_be_visible()
        page.get_by_role("link", name="Tom").click()
        expect(_panel(page).get_by_text("1 of 1, no gaps")).to_be_visible()

    def test_it_opens_and_closes_by_keyboard(self, page: Page) -> None:
        """Escape and Close lead back to its button."""
        _button(page).focus()
        page.keyboard.press("Enter")
        expect(_button(page)).to_have_attribute("aria-expanded", "true")
        expect(_panel(page)).to_be_visible()
        page.keyboard.press("Tab")
        expect(_panel(page).get_by_role("button", name="Close")).to_be_focused()
        page.keyboard.press("Enter")
        expect(_panel(page)).to_have_count(0)
        expect(_button(page)).to_be_focused()
        page.keyboard.press("Enter")
        page.keyboard.press("Escape")
        expect(_panel(page)).to_have_count(0)
        expect(_button(page)).to_be_focused()


class TestMessage:
    """The way of an own message, on demand."""

    def test_its_sign_opens_what_is_known_of_it(
        self, screens: Screens, page: Page, doctor: Person, patient: Person
    ) -> None:
        """With the times at which it was stored, delivered and read, to the second."""
        on.write(page, "mine")
        sign = on.message(page, "mine").get_by_role("button", name="Sent")
        sign.click()
        expect(on.message(page, "mine")).to_contain_text(
            re.compile(r"Sent \d{1,2}:\d\d:\d\d.* · not delivered yet")
        )
        patient.history(doctor)
        expect(on.message(page, "mine")).to_contain_text(
            re.compile(rf"Sent {TIME} · Delivered {TIME} · not read yet")
        )
        screens.chat(patient, doctor)
        expect(on.message(page, "mine")).to_contain_text(
            re.compile(rf"Sent {TIME} · Delivered {TIME} · Read {TIME}")
        )
        shown = _times(on.message(page, "mine"))
        assert len(shown) == 3
        assert shown == sorted(shown)
        on.message(page, "mine").get_by_role("button", name="Read").click()
        expect(on.log(page).get_by_text("· Delivered")).to_have_count(0)

    def test_of_what_was_read_before_it_shows_the_times_when_it_is_opened(
        self, screens: Screens, page: Page, doctor: Person, patient: Person
    ) -> None:
        """Of one message at a time; nothing is asked for before."""
        on.write(page, "mine", "also mine")
        theirs = screens.chat(patient, doctor)
        expect(on.state(page, "also mine")).to_have_text("Read")
        page.reload()
        expect(on.message(page, "also mine")).to_be_visible()
        for text, other in (("mine", "also mine"), ("also mine", "mine")):
            on.state(page, text).click()
            expect(on.message(page, text)).to_contain_text(
                re.compile(rf"Sent {TIME} · Delivered {TIME} · Read {TIME}")
            )
            expect(on.message(page, other).locator(".chat-steps")).to_have_count(0)
        assert theirs.locator(".chat-steps").count() == 0

    def test_of_what_was_read_before_times_were_kept_it_shows_the_words(
        self, clinic: Clinic, page: Page, doctor: Person, patient: Person
    ) -> None:
        """Without a time."""
        on.write(page, "mine")
        expect(on.state(page, "mine")).to_have_text("Sent")
        patient.reads(doctor)
        expect(on.state(page, "mine")).to_have_text("Read")
        mine = {"conversation_id": doctor.conversation(patient)}
        with clinic.database() as database:
            database["messages"].update_many(mine, {"$unset": {"read_at": True}})
            database["conversations"].update_many(
                {"members.email": patient.email}, {"$unset": {"members.$[].arrivals": True}}
            )
        on.state(page, "mine").click()
        expect(on.message(page, "mine")).to_contain_text(
            re.compile(rf"Sent {TIME} · Delivered · Read")
        )

    def test_offline_it_is_not_stored_yet(self, page: Page) -> None:
        """And says when it was written."""
        page.context.set_offline(True)
        on.write(page, "mine")
        on.message(page, "mine").get_by_role("button", name="Sending").click()
        expect(on.message(page, "mine")).to_contain_text(re.compile(r"Written .* · not stored yet"))

    def test_tab_stops_at_the_last_sign_and_arrows_lead_to_the_others(self, page: Page) -> None:
        """So that the way through a long conversation is short."""
        on.write(page, "first", "second")
        expect(on.state(page, "second")).to_have_text("Sent")
        page.keyboard.press("Shift+Tab")
        expect(on.state(page, "second")).to_be_focused()
        page.keyboard.press("ArrowUp")
        expect(on.state(page, "first")).to_be_focused()
        page.keyboard.press("Enter")
        expect(on.message(page, "first")).to_contain_text("not delivered yet")
        page.keyboard.press("ArrowDown")
        expect(on.state(page, "second")).to_be_focused()
        page.keyboard.press("Tab")
        expect(on.field_of(page)).to_be_focused()
