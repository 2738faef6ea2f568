"""When something is not there: the database, or the person at the screen."""

import re

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e import screens as on
from tests.e2e.clinic import URL, Clinic, Person
from tests.e2e.screens import Screens

NOTICED_MS = 5_000
BACK_MS = 15_000


class TestDatabaseGone:
    """MongoDB does not answer for a while."""

    @pytest.fixture
    def doctor(self, clinic: Clinic) -> Person:
        """Return a doctor."""
        return clinic.doctor()

    @pytest.fixture
    def patient(self, clinic: Clinic, doctor: Person) -> Person:
        """Return a patient of theirs."""
        return clinic.patient(doctor)

    @pytest.fixture
    def page(self, screens: Screens, doctor: Person, patient: Person) -> Page:
        """Return the doctor's page in the conversation."""
        return screens.chat(doctor, patient)

    def test_the_page_says_so_and_a_message_goes_out_once_it_is_back(
        self, clinic: Clinic, page: Page, doctor: Person, patient: Person
    ) -> None:
        """Nothing is called sent meanwhile, and nothing is sent twice."""
        with clinic.frozen_database():
            on.write(page, "once")
            expect(on.connection(page)).to_contain_text("Disconnected", timeout=NOTICED_MS)
            expect(on.connection(page)).to_contain_text("Messages cannot be saved right now.")
            expect(on.state(page, "once")).to_have_text("Sending")
            assert httpx.get(f"{URL}/readyz", timeout=10).status_code == 503
            assert httpx.get(f"{URL}/healthz", timeout=10).status_code == 200

        expect(on.state(page, "once")).to_have_text("Sent", timeout=BACK_MS)
        expect(on.connection(page)).to_have_text("Connected", timeout=BACK_MS)
        assert doctor.texts(patient) == ["once"]
        assert httpx.get(f"{URL}/readyz").status_code == 200

    def test_what_is_looked_at_meanwhile_is_read_once_it_is_back(
        self, clinic: Clinic, page: Page, doctor: Person, patient: Person
    ) -> None:
        """Its sender sees so."""
        on.field_of(page).focus()
        page.evaluate("window.hasFocus = document.hasFocus; document.hasFocus = () => false")
        patient.says(doctor, "Are you there?")
        expect(on.message(page, "Are you there?")).to_be_visible()
        with clinic.frozen_database():
            expect(on.connection(page)).to_contain_text("Disconnected", timeout=NOTICED_MS)
            page.evaluate("document.hasFocus = () => true; dispatchEvent(new Event('focus'))")
        expect(on.connection(page)).to_have_text("Connected", timeout=BACK_MS)
        expect(page).not_to_have_title(re.compile(r"^\("), timeout=BACK_MS)
        assert patient.history(doctor)[0]["read"]

    def test_a_page_that_is_opened_meanwhile_comes_by_itself(
        self, clinic: Clinic, screens: Screens, doctor: Person, patient: Person
    ) -> None:
        """It says why nothing comes, and needs no reload."""
        page = screens.as_somebody(doctor)
        with clinic.frozen_database():
            page.goto("/dashboard")
            expect(page.locator(".skeleton")).to_be_visible()
            expect(on.connection(page)).to_contain_text("Disconnected", timeout=NOTICED_MS)
        expect(on.card(page, patient)).to_be_visible(timeout=BACK_MS)
        expect(on.connection(page)).to_have_text("Connected")

    def test_a_conversation_that_is_opened_meanwhile_comes_by_itself(
        self, clinic: Clinic, screens: Screens, doctor: Person, patient: Person
    ) -> None:
        """The way from one page to another within the app, in the moment of the failure."""
        patient.says(doctor, "Hello?")
        page = screens.dashboard(doctor)
        with clinic.frozen_database():
            on.card(page, patient).get_by_role("link", name="Chat").click()
            expect(on.connection(page)).to_contain_text("Disconnected", timeout=NOTICED_MS)
        expect(on.message(page, "Hello?")).to_be_visible(timeout=BACK_MS)
        expect(on.connection(page)).to_have_text("Connected")


class TestNobodyThere:
    """The question a minute before the automatic sign-out."""

    @pytest.fixture
    def page(self, clinic: Clinic, screens: Screens) -> Page:
        """Return a doctor's page on which 14 minutes pass at once."""
        page = screens.as_somebody(clinic.doctor())
        page.clock.install()
        page.goto("/dashboard")
        expect(page.get_by_role("heading", name="No patients yet")).to_be_visible()
        expect(page.get_by_role("alertdialog")).to_be_hidden()
        page.clock.fast_forward("14:10")
        return page

    def test_a_minute_before_the_end_the_page_asks(self, page: Page) -> None:
        """The focus is on the answer."""
        expect(page.get_by_role("alertdialog", name="Are you still there?")).to_be_visible()
        expect(page.get_by_role("button", name="Stay signed in")).to_be_focused()

    def test_who_answers_stays(self, page: Page) -> None:
        """For as long again."""
        page.get_by_role("button", name="Stay signed in").click()
        expect(page.get_by_role("alertdialog")).to_be_hidden()
        page.clock.fast_forward("10:00")
        expect(page.get_by_role("alertdialog")).to_be_hidden()
        page.clock.fast_forward("04:10")
        expect(page.get_by_role("alertdialog")).to_be_visible()

    def test_a_key_meant_for_the_page_does_not_answer(self, page: Page) -> None:
        """The question stays until it is answered."""
        expect(page.get_by_role("alertdialog")).to_be_visible()
        page.keyboard.press("a")
        expect(page.get_by_role("alertdialog")).to_be_visible()
