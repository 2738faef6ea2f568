"""A small phone with a touch screen: nothing is cut off and nothing scrolls sideways."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import screens as on
from tests.e2e.clinic import Clinic, Person
from tests.e2e.screens import PHONE, Screens


class TestChat:
    """A conversation longer than the screen."""

    @pytest.fixture
    def people(self, clinic: Clinic) -> tuple[Person, Person]:
        """Return a doctor and a patient who have written a lot."""
        doctor, patient = clinic.pair()
        doctor.says(patient, *(f"line {number}" for number in range(40)))
        return doctor, patient

    @pytest.fixture
    def page(self, screens: Screens, people: tuple[Person, Person]) -> Page:
        """Return the patient's page in the conversation."""
        doctor, patient = people
        return screens.chat(patient, doctor, **PHONE)

    def test_the_composer_and_the_newest_message_are_in_view(self, page: Page) -> None:
        """Only the log scrolls, not the page."""
        expect(on.field_of(page)).to_be_in_viewport(ratio=1)
        expect(page.get_by_role("button", name="Send")).to_be_in_viewport(ratio=1)
        expect(on.message(page, "line 39")).to_be_in_viewport(ratio=1)
        assert page.evaluate("document.scrollingElement.scrollHeight <= innerHeight")

    def test_its_keyboard_leaves_the_composer_and_the_newest_in_view(self, page: Page) -> None:
        """As the keyboard takes half of the height."""
        page.set_viewport_size({"width": 320, "height": 300})
        expect(on.field_of(page)).to_be_in_viewport(ratio=1)
        expect(on.message(page, "line 39")).to_be_in_viewport(ratio=1)

    def test_a_message_is_sent_and_back_leads_to_the_dashboard(
        self, page: Page, people: tuple[Person, Person]
    ) -> None:
        """With taps alone."""
        on.field_of(page).tap()
        page.keyboard.type("Hi!")
        page.get_by_role("button", name="Send").tap()
        expect(on.state(page, "Hi!")).to_have_text("Sent")
        page.get_by_role("link", name="Back to the dashboard").tap()
        expect(on.card(page, people[0])).to_be_visible()

    def test_the_keyboard_does_not_open_by_itself(self, page: Page) -> None:
        """It would cover the thread."""
        expect(on.message(page, "line 39")).to_be_in_viewport()
        expect(on.field_of(page)).not_to_be_focused()
