"""Offline and back: nothing that was typed or sent is lost, and nothing goes out twice."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e import screens as on
from tests.e2e.clinic import URL, Clinic, Person
from tests.e2e.screens import Screens
from tests.people import PASSWORD

NOTICED_MS = 6_000
"""5 s and the second that lies between two looks of the test."""

BACK_MS = 15_000
"""How long the page may take to be connected again after the network or the server is back."""

KEPT = """
() => new Promise((resolve, reject) => {
  const opening = indexedDB.open("carechat");
  opening.onerror = () => reject(opening.error);
  opening.onsuccess = () => {
    const reading = opening.result.transaction(["outbox", "drafts"]);
    const rows = ["outbox", "drafts"].map((table) => reading.objectStore(table).getAll());
    reading.oncomplete = () => {
      opening.result.close();
      resolve(rows.flatMap((request) => request.result).map((row) => row.text));
    };
  };
})
"""
"""The texts that the browser's own database holds."""


@pytest.fixture
def page(screens: Screens, doctor: Person, patient: Person) -> Page:
    """Return the doctor's page in the conversation."""
    return screens.chat(doctor, patient)


def test_what_is_written_offline_goes_out_by_itself_once_and_in_order(
    screens: Screens, page: Page, doctor: Person, patient: Person
) -> None:
    """Meanwhile the page says that it waits, and why."""
    theirs = screens.chat(patient, doctor)
    page.context.set_offline(True)
    expect(on.connection(page)).to_have_text("Disconnected", timeout=NOTICED_MS)
    on.write(page, "one", "two")
    expect(on.state(page, "one")).to_have_text("Sending")
    expect(on.state(page, "two")).to_have_text("Sending")
    expect(page.get_by_text("It will go out as soon as you are back online.")).to_be_visible()

    page.context.set_offline(False)
    expect(on.messages(theirs)).to_have_text(["one", "two"], timeout=BACK_MS)
    expect(on.state(page, "two")).to_have_text(re.compile("Read"))
    expect(on.connection(page)).to_have_text("Connected")
    expect(on.messages(page)).to_have_text(["one", "two"])
    assert doctor.texts(patient) == ["one", "two"]


def test_what_came_meanwhile_is_there_after_reconnecting(
    page: Page, doctor: Person, patient: Person
) -> None:
    """In its place, each once."""
    patient.says(doctor, "before")
    expect(on.message(page, "before")).to_be_visible()
    page.context.set_offline(True)
    expect(on.connection(page)).to_have_text("Disconnected")
    patient.says(doctor, "meanwhile", "and then")

    page.context.set_offline(False)
    expect(on.messages(page)).to_have_text(["before", "meanwhile", "and then"], timeout=BACK_MS)


def test_what_was_written_offline_survives_a_reload(
    page: Page, doctor: Person, patient: Person
) -> None:
    """It goes out by itself, once and in order."""
    page.context.set_offline(True)
    expect(on.connection(page)).to_have_text("Disconnected")
    on.write(page, "one", "two", "three")
    expect(on.state(page, "three")).to_have_text("Sending")
    page.context.set_offline(False)
    page.reload()

    expect(on.messages(page)).to_have_text(["one", "two", "three"], timeout=BACK_MS)
    expect(on.state(page, "three")).to_have_text("Sent", timeout=BACK_MS)
    assert doctor.texts(patient) == ["one", "two", "three"]


def test_reloading_at_once_after_enter_loses_nothing(
    page: Page, doctor: Person, patient: Person
) -> None:
    """Each text goes out once, in order."""
    texts = [f"line {number}" for number in range(5)]
    for text in texts:
        on.write(page, text)
        page.reload()
        on.field_of(page).wait_for()

    expect(on.messages(page)).to_have_text(texts)
    expect(on.state(page, texts[-1])).to_have_text("Sent")
    assert doctor.texts(patient) == texts


def test_what_was_written_goes_out_from_another_page_too(
    page: Page, doctor: Person, patient: Person
) -> None:
    """The conversation need not be open."""
    page.context.set_offline(True)
    on.write(page, "one")
    expect(on.state(page, "one")).to_have_text("Sending")
    page.context.set_offline(False)
    page.goto("/dashboard")
    expect(on.card(page, patient)).to_contain_text("You: one", timeout=BACK_MS)
    assert doctor.texts(patient) == ["one"]


def test_a_server_that_dies_takes_nothing_along(
    clinic: Clinic, page: Page, doctor: Person, patient: Person
) -> None:
    """What was there stays on the page, and what is written meanwhile goes out, once."""
    patient.says(doctor, "before")
    expect(on.message(page, "before")).to_be_visible()
    clinic.kill_server()
    expect(on.connection(page)).to_have_text("Disconnected", timeout=NOTICED_MS)
    on.write(page, "meanwhile")
    expect(on.messages(page)).to_have_text(["before", "meanwhile"])

    expect(on.connection(page)).to_have_text("Connected", timeout=2 * BACK_MS)
    expect(on.state(page, "meanwhile")).to_have_text("Sent", timeout=BACK_MS)
    expect(on.messages(page)).to_have_text(["before", "meanwhile"])
    assert doctor.texts(patient) == ["before", "meanwhile"]


def test_a_server_that_falls_silent_is_noticed(
    clinic: Clinic, page: Page, doctor: Person, patient: Person
) -> None:
    """What is written meanwhile goes out when it answers again, once."""
    with clinic.frozen_server():
        expect(on.connection(page)).to_have_text("Disconnected", timeout=NOTICED_MS)
        on.write(page, "meanwhile")
        expect(on.state(page, "meanwhile")).to_have_text("Sending")
    expect(on.state(page, "meanwhile")).to_have_text("Sent", timeout=BACK_MS)
    assert doctor.texts(patient) == ["meanwhile"]


def test_reloading_while_a_message_is_being_stored_sends_it_once(
    clinic: Clinic, page: Page, doctor: Person, patient: Person
) -> None:
    """The server has it already when the page that sent it is gone."""
    with clinic.frozen_database():
        on.write(page, "once")
        expect(on.state(page, "once")).to_have_text("Sending")
        page.reload(wait_until="commit")
    expect(on.state(page, "once")).to_have_text("Sent", timeout=BACK_MS)
    assert doctor.texts(patient) == ["once"]


class TestTwoTabs:
    """Of one browser, in which one person or two after each other are signed in."""

    def test_what_was_written_offline_in_both_goes_out_once_in_the_order_of_writing(
        self, page: Page, doctor: Person, patient: Person
    ) -> None:
        """Whichever of them sends it."""
        second = page.context.new_page()
        on.open_chat(second, patient)
        texts = [f"line {number}" for number in range(6)]
        page.context.set_offline(True)
        for tab in (page, second):
            expect(on.connection(tab)).to_have_text("Disconnected", timeout=NOTICED_MS)
        for number, text in enumerate(texts):
            tab = (page, second)[number % 2]
            on.write(tab, text)
        page.context.set_offline(False)
        for tab in (page, second):
            expect(on.messages(tab)).to_have_text(texts, timeout=BACK_MS)
            expect(on.state(tab, texts[-1])).to_have_text("Sent", timeout=BACK_MS)
        assert doctor.texts(patient) == texts

    def test_what_one_person_wrote_offline_never_goes_out_as_the_next(
        self, clinic: Clinic, screens: Screens, page: Page, doctor: Person, patient: Person
    ) -> None:
        """The page of the first leads away, and what was written goes out when they are back."""
        other = clinic.doctor()
        clinic.invite(other, patient.email, patient.name)
        page.context.set_offline(True)
        on.write(page, "of the first")
        on.field_of(page).fill("half a thought")
        expect(on.connection(page)).to_have_text("Disconnected", timeout=NOTICED_MS)
        _becomes(page, other)
        page.context.set_offline(False)
        page.wait_for_url("**/login?error=another", timeout=BACK_MS)
        expect(page.get_by_text("Somebody else has signed in in this browser.")).to_be_visible()

        on.open_chat(page, patient)
        on.write(page, "of the second")
        expect(on.state(page, "of the second")).to_have_text("Sent")
        assert other.texts(patient) == ["of the second"]
        assert doctor.texts(patient) == []

        on.sign_out(page)
        _becomes(page, doctor)
        on.open_chat(page, patient)
        expect(on.state(page, "of the first")).to_have_text("Sent", timeout=BACK_MS)
        expect(on.field_of(page)).to_have_value("half a thought")
        assert doctor.texts(patient) == ["of the first"]
        assert other.texts(patient) == ["of the second"]


class TestDrafts:
    """What was typed and not sent."""

    def test_a_draft_survives_a_reload(self, page: Page) -> None:
        """Also right after typing."""
        on.field_of(page).press_sequentially("half a thought")
        page.reload()
        expect(on.field_of(page)).to_have_value("half a thought")

    def test_a_draft_stays_with_its_conversation(
        self, clinic: Clinic, screens: Screens, doctor: Person, patient: Person
    ) -> None:
        """Another has none, and back it is there again."""
        other = clinic.patient(doctor, name="Tom")
        page = screens.chat(doctor, patient, viewport={"width": 1440, "height": 900})
        beside = page.get_by_role("navigation", name="Conversations")
        on.field_of(page).fill("for Maria")

        beside.get_by_role("link", name=other.name).click()
        expect(on.log(page, other)).to_be_visible()
        expect(on.field_of(page)).to_have_value("")
        beside.get_by_role("link", name=patient.name).click()
        expect(on.field_of(page)).to_have_value("for Maria")

    def test_a_draft_is_there_again_after_the_session_ended(
        self, clinic: Clinic, page: Page, doctor: Person, patient: Person
    ) -> None:
        """One signs in again and is where one was, with what was typed."""
        on.field_of(page).press_sequentially("half a thought")
        with clinic.database() as database:
            database["sessions"].delete_many({"email": doctor.email})
        page.wait_for_url("**/login?*")
        on.sign_in(page, doctor.email)
        expect(on.log(page, patient)).to_be_visible()
        expect(on.field_of(page)).to_have_value("half a thought")

    def test_who_was_signed_out_while_offline_goes_on_where_they_were(
        self, clinic: Clinic, page: Page, doctor: Person, patient: Person
    ) -> None:
        """With what waits to be sent, and what was only typed."""
        page.context.set_offline(True)
        on.write(page, "waits")
        on.field_of(page).press_sequentially("half a thought")
        with clinic.database() as database:
            database["sessions"].delete_many({"email": doctor.email})
        page.context.set_offline(False)
        page.wait_for_url("**/login?*", timeout=BACK_MS)
        on.sign_in(page, doctor.email)
        expect(on.log(page, patient)).to_be_visible()
        expect(on.field_of(page)).to_have_value("half a thought")
        expect(on.state(page, "waits")).to_have_text("Sent", timeout=BACK_MS)

    def test_a_sent_message_leaves_no_draft(self, page: Page) -> None:
        """Nor an entry in the outbox."""
        on.field_of(page).press_sequentially("done")
        on.field_of(page).press("Enter")
        expect(on.state(page, "done")).to_have_text("Sent")
        page.reload()
        expect(on.message(page, "done")).to_be_visible()
        expect(on.field_of(page)).to_have_value("")
        assert page.evaluate(KEPT) == []

    def test_signing_out_forgets_what_was_typed_and_not_sent(
        self, clinic: Clinic, page: Page
    ) -> None:
        """The outbox and the drafts are empty in the browser's database."""
        with clinic.frozen_database():
            on.write(page, "not sent")
            on.field_of(page).fill("not finished")
            page.wait_for_function(f"() => ({KEPT})().then((texts) => texts.length === 2)")
            _choose_sign_out(page)
            _question(page).get_by_role("button", name="Sign out").click()
        page.wait_for_url("**/login")
        assert page.evaluate(KEPT) == []


class TestSigningOut:
    """With something that has not gone out yet, or without a connection."""

    def test_it_asks_before_it_deletes_what_has_not_gone_out(self, page: Page) -> None:
        """Stay keeps it."""
        page.context.set_offline(True)
        on.write(page, "one")
        _choose_sign_out(page)
        words = "1 message has not gone out yet. Signing out deletes it."
        expect(_question(page)).to_contain_text(words)
        _question(page).get_by_role("button", name="Stay").click()
        expect(_question(page)).to_be_hidden()
        page.context.set_offline(False)
        expect(on.state(page, "one")).to_have_text("Sent", timeout=BACK_MS)

    def test_offline_it_stays_says_why_and_keeps_everything(
        self, page: Page, doctor: Person
    ) -> None:
        """Back online it signs out."""
        page.context.set_offline(True)
        on.write(page, "one")
        on.field_of(page).fill("half a thought")
        _choose_sign_out(page)
        _question(page).get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("alert")).to_contain_text(
            "We could not reach the clinic to sign you out."
        )
        assert page.evaluate(KEPT) == ["one", "half a thought"]
        expect(on.messages(page)).to_have_text(["one"])

        page.context.set_offline(False)
        expect(on.state(page, "one")).to_have_text("Sent", timeout=BACK_MS)
        page.keyboard.press("Escape")
        _choose_sign_out(page)
        words = "You have typed something that is not sent. Signing out deletes it."
        expect(_question(page)).to_contain_text(words)
        _question(page).get_by_role("button", name="Sign out").click()
        page.wait_for_url("**/login")
        assert page.evaluate(KEPT) == []
        assert page.context.cookies() == []

    def test_another_tab_keeps_nothing_that_is_typed_meanwhile(
        self, page: Page, patient: Person
    ) -> None:
        """It leads to the sign-in page, which promises nothing that is not kept."""
        second = page.context.new_page()
        on.open_chat(second, patient)
        second.evaluate(
            """() => setInterval(() => {
              const field = document.getElementById("chat-field");
              const { set } = Object.getOwnPropertyDescriptor(
                HTMLTextAreaElement.prototype, "value");
              if (field) set.call(field, `${field.value}x`);
              field?.dispatchEvent(new InputEvent("input", { bubbles: true }));
            }, 5)"""
        )
        expect(on.field_of(second)).not_to_have_value("")
        _choose_sign_out(page)
        _question(page).get_by_role("button", name="Sign out").click()
        page.wait_for_url("**/login")
        second.wait_for_url("**/login")
        assert page.evaluate(KEPT) == []


def _becomes(page: Page, person: Person) -> None:
    """Let that person sign in in the page's browser, as in another tab of it."""
    form: dict[str, str | float | bool] = {"email": person.email, "password": PASSWORD}
    answer = page.request.post("/auth/session", form=form, headers={"Origin": URL}, max_redirects=0)
    assert answer.status == 303


def _choose_sign_out(page: Page) -> None:
    page.get_by_role("button", name="menu").click()
    page.get_by_role("button", name="Sign out").click()


def _question(page: Page) -> Locator:
    return page.get_by_role("alertdialog", name="Sign out?")
