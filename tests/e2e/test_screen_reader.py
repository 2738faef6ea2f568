"""What who cannot see the screen is told, once each, and what things are called."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import hearing
from tests.e2e import screens as on
from tests.e2e.clinic import Clinic, Person
from tests.e2e.screens import PHONE, Screens

BACK_MS = 15_000
"""How long a page may take to be connected again."""

SETTLED_MS = 1_000
"""By then a log that has just been loaded tells what is new."""

READ_MS = 3_000
"""By then a message would have been told as unread."""


@pytest.fixture
def page(screens: Screens, doctor: Person) -> Page:
    """Return a page of the doctor, nowhere yet, that is listened to."""
    return hearing.listen(screens.as_somebody(doctor))


@pytest.fixture
def thread(page: Page, doctor: Person, patient: Person) -> Page:
    """Return the doctor's page in a conversation with one message, which is read."""
    patient.says(doctor, "I feel dizzy.")
    on.open_chat(page, patient)
    expect(on.message(page, "I feel dizzy.")).to_be_visible()
    page.wait_for_timeout(SETTLED_MS)
    return page


class TestMessages:
    """In a conversation."""

    def test_what_was_there_before_is_not_said(self, thread: Page) -> None:
        """Only that one is connected."""
        assert [said for said in hearing.heard(thread) if "dizzy" in said] == []

    def test_a_new_message_is_said_once(
        self, thread: Page, doctor: Person, patient: Person
    ) -> None:
        """With its writer and time where a group begins, and not as unread as well."""
        hearing.forget(thread)
        patient.says(doctor, "And tired.")
        expect(on.message(thread, "And tired.")).to_be_visible()
        thread.wait_for_timeout(READ_MS)
        assert hearing.heard(thread) == ["And tired."]

    def test_own_words_are_not_said(self, thread: Page) -> None:
        """Who wrote them knows them."""
        hearing.forget(thread)
        on.write(thread, "Since when?")
        expect(on.state(thread, "Since when?")).to_have_text("Sent")
        assert hearing.heard(thread) == []

    def test_what_came_while_offline_is_said_once_it_is_there(
        self, thread: Page, doctor: Person, patient: Person
    ) -> None:
        """How many, from whom, and a few of them in full."""
        thread.context.set_offline(True)
        expect(on.connection(thread)).to_have_text("Disconnected", timeout=on.WAIT_MS)
        patient.says(doctor, "meanwhile", "and then")
        hearing.forget(thread)
        thread.context.set_offline(False)
        hearing.wait_for(thread, "2 new messages from Maria Jones:\nmeanwhile\nand then", BACK_MS)
        assert len([said for said in hearing.heard(thread) if "and then" in said]) == 1

    def test_many_that_came_while_offline_are_counted(
        self, thread: Page, doctor: Person, patient: Person
    ) -> None:
        """Nobody is read a whole page by surprise."""
        thread.context.set_offline(True)
        expect(on.connection(thread)).to_have_text("Disconnected", timeout=on.WAIT_MS)
        patient.says(doctor, "one", "two", "three", "four")
        thread.context.set_offline(False)
        hearing.wait_for(thread, "4 new messages from Maria Jones", BACK_MS)
        assert [said for said in hearing.heard(thread) if "four" in said] == []

    def test_a_refusal_is_said_at_once(self, thread: Page) -> None:
        """Which message it was, and why; a second one as well."""
        hearing.forget(thread)
        on.write(thread, "a\u0007b and what else there is to say")
        hearing.wait_for(thread, "Not sent: a\u0007b and what else there is…")
        hearing.forget(thread)
        thread.get_by_role("button", name="Retry").click()
        hearing.wait_for(thread, "Not sent: a\u0007b")

    def test_a_refusal_of_before_is_not_said_again(self, thread: Page) -> None:
        """It is in the log for who comes upon it."""
        on.write(thread, "a\u0007b")
        hearing.wait_for(thread, "Not sent")
        thread.reload()
        expect(on.log(thread).get_by_text("Not sent")).to_be_visible()
        thread.wait_for_timeout(SETTLED_MS)
        assert [said for said in hearing.heard(thread) if "Not sent" in said] == []

    def test_whoever_reads_further_up_is_told_once(
        self, thread: Page, doctor: Person, patient: Person
    ) -> None:
        """The log tells it, though it is unread still."""
        patient.says(doctor, *("x " * 100 for _ in range(20)))
        expect(on.messages(thread)).to_have_count(21)
        on.log(thread).press("Home")
        expect(on.message(thread, "I feel dizzy.")).to_be_in_viewport()
        thread.wait_for_timeout(READ_MS)
        hearing.forget(thread)
        patient.says(doctor, "And tired.")
        hearing.wait_for(thread, "And tired.")
        thread.wait_for_timeout(READ_MS)
        assert [said for said in hearing.heard(thread) if "unread" in said] == []

    def test_a_conversation_that_takes_long_says_so(
        self, clinic: Clinic, page: Page, doctor: Person, patient: Person
    ) -> None:
        """And what it will be."""
        page.goto("/dashboard")
        expect(on.connection(page)).to_have_text("Connected")
        way = on.card(page, patient).get_by_role("link", name="Chat")
        expect(way).to_be_visible()
        with clinic.frozen_database():
            way.press("Enter")
            hearing.wait_for(page, "This takes longer than usual.")
            expect(page.get_by_role("heading", level=1)).to_have_text("Conversation")
            expect(page.get_by_role("log", name="Conversation", exact=True)).to_be_visible()
        expect(on.log(page, patient)).to_be_visible(timeout=BACK_MS)

    def test_another_conversation_opened_by_keyboard_is_said(
        self, clinic: Clinic, thread: Page, doctor: Person
    ) -> None:
        """The focus stays in the list, so nothing else says whose it is."""
        clinic.patient(doctor, name="Tom")
        beside = thread.get_by_role("navigation", name="Conversations")
        beside.get_by_role("link", name="Tom").press("Enter")
        hearing.wait_for(thread, "Conversation with Tom")
        expect(beside.get_by_role("link", name="Tom")).to_be_focused()

    def test_whether_everything_has_arrived_is_said_once_it_is_counted(self, thread: Page) -> None:
        """That is what was asked."""
        thread.get_by_role("button", name="Delivery").press("Enter")
        hearing.wait_for(thread, "1 of 1, no gaps")

    def test_retry_and_remove_say_which_message_they_are_for(self, thread: Page) -> None:
        """By its words."""
        on.write(thread, "not\u0007sent")
        for name in ("Retry", "Remove"):
            button = thread.get_by_role("button", name=name, exact=True)
            expect(button).to_have_accessible_description("not\u0007sent")

    def test_each_message_says_whose_it_is_and_when_it_was_written(
        self, thread: Page, doctor: Person, patient: Person
    ) -> None:
        """Also one in the middle of a group."""
        patient.says(doctor, "And tired.")
        on.write(thread, "Since when?")
        log = on.log(thread)
        day = re.compile(r"^Maria Jones, .*20\d\d")
        expect(log.get_by_role("group", name=day)).to_have_text([re.compile("dizzy"), "And tired."])
        expect(log.get_by_role("group", name=re.compile("^You, .*20"))).to_have_count(1)
        expect(log.get_by_role("time").first).to_have_attribute("title", re.compile(r"20\d\d"))

    def test_what_is_over_the_limit_says_that_it_was_not_sent(self, thread: Page) -> None:
        """By how much it is too long."""
        for over, words in ((1, "1 character too many"), (3, "3 characters too many")):
            on.field_of(thread).fill("x" * (5_000 + over))
            on.field_of(thread).press("Enter")
            hearing.wait_for(thread, f"{words}. Not sent.")

    def test_the_end_of_writing_is_said(
        self, clinic: Clinic, thread: Page, doctor: Person, patient: Person
    ) -> None:
        """The focus goes from the field to the log."""
        clinic.operator("unassign", doctor.email, patient.email)
        hearing.wait_for(thread, "You can read this conversation, but not write in it any more.")
        expect(on.log(thread)).to_be_focused()

    def test_loading_earlier_messages_is_not_said_at_each_step(
        self, page: Page, doctor: Person, patient: Person
    ) -> None:
        """Nor are they."""
        patient.says(doctor, *(f"line {number}" for number in range(120)))
        on.open_chat(page, patient)
        expect(on.message(page, "line 119")).to_be_visible()
        page.wait_for_timeout(SETTLED_MS)
        hearing.forget(page)
        on.scroll_up(page, 10_000)
        expect(on.message(page, "line 20")).to_be_attached()
        page.wait_for_timeout(SETTLED_MS)
        assert hearing.heard(page) == []

    def test_the_field_says_to_whom_one_writes(self, thread: Page) -> None:
        """In its description: its name stays the same."""
        expect(on.field_of(thread)).to_have_accessible_description(re.compile("^To Maria Jones"))


class TestElsewhere:
    """On other pages."""

    def test_a_message_is_said_on_the_dashboard(
        self, page: Page, doctor: Person, patient: Person
    ) -> None:
        """What was unread before is not."""
        patient.says(doctor, "I feel dizzy.")
        page.goto("/dashboard")
        expect(on.card(page, patient)).to_contain_text("1 unread")
        page.wait_for_timeout(READ_MS)
        assert [said for said in hearing.heard(page) if "unread" in said] == []
        patient.says(doctor, "And tired.")
        hearing.wait_for(page, "New message from Maria Jones. 2 unread.")
        patient.says(doctor, "And cold.", "And hot.")
        hearing.wait_for(page, "2 new messages, the last from Maria Jones. 4 unread.")

    def test_a_doctor_who_comes_or_goes_is_said_to_the_patient(
        self, screens: Screens, doctor: Person, patient: Person
    ) -> None:
        """Once each, and not how it was when the page was opened."""
        page = hearing.listen(screens.as_somebody(patient))
        page.goto("/dashboard")
        expect(on.card(page, doctor)).to_contain_text("Away")
        theirs = screens.dashboard(doctor)
        hearing.wait_for(page, f"{doctor.name} is available.")
        theirs.close()
        hearing.wait_for(page, f"{doctor.name} is away.", BACK_MS)
        assert len([said for said in hearing.heard(page) if doctor.name in said]) == 2

    def test_a_refusal_is_said_wherever_one_is(self, thread: Page, patient: Person) -> None:
        """Else it would be found by who comes back to the conversation."""
        thread.context.set_offline(True)
        on.write(thread, "a\u0007b")
        expect(on.state(thread, "a\u0007b")).to_have_text("Sending")
        thread.get_by_role("link", name="Back to the dashboard").click()
        expect(on.card(thread, patient)).to_be_visible()
        thread.context.set_offline(False)
        hearing.wait_for(thread, "Not sent: a\u0007b", BACK_MS)
        assert len([said for said in hearing.heard(thread) if "Not sent" in said]) == 1

    def test_a_message_of_somebody_else_is_said_in_a_conversation(
        self, clinic: Clinic, thread: Page, doctor: Person
    ) -> None:
        """Not what it says."""
        tom = clinic.patient(doctor, name="Tom")
        tom.says(doctor, "My knee hurts.")
        hearing.wait_for(thread, "New message from Tom. 1 unread.")
        assert [said for said in hearing.heard(thread) if "knee" in said] == []

    def test_another_page_begins_with_its_heading(
        self, page: Page, doctor: Person, patient: Person
    ) -> None:
        """Where nothing else has the focus; on opening the app the browser has its own way."""
        page.goto("/dashboard")
        expect(on.card(page, patient)).to_be_visible()
        page.wait_for_timeout(SETTLED_MS)
        assert page.evaluate("document.activeElement === document.body")
        page.get_by_role("button", name="menu").click()
        page.get_by_role("link", name="Change password").click()
        expect(page.get_by_role("heading", name="Change password")).to_be_focused()

    def test_a_conversation_that_is_opened_by_touch_begins_with_its_heading(
        self, screens: Screens, doctor: Person, patient: Person
    ) -> None:
        """The field would bring the keyboard; where there is one already it has the focus."""
        page = screens.dashboard(patient, **PHONE)
        on.card(page, doctor).get_by_role("link", name="Start Chat").click()
        expect(page.get_by_role("heading", name=doctor.name)).to_be_focused()

    def test_an_address_without_a_conversation_has_a_title_of_its_own(self, page: Page) -> None:
        """Other conversations have one for all, without a name."""
        page.goto("/chat?email=nobody@example.com")
        expect(page).to_have_title("Conversation not found · CareChat")

    def test_no_title_names_anybody(self, thread: Page, patient: Person) -> None:
        """A history and a list of windows show it to others."""
        expect(thread).to_have_title("Conversation · CareChat")

    def test_after_the_session_has_ended_the_page_says_so(
        self, clinic: Clinic, thread: Page, doctor: Person
    ) -> None:
        """The focus is on the sentence."""
        with clinic.database() as database:
            database["sessions"].delete_many({"email": doctor.email})
        thread.wait_for_url("**/login?*", timeout=BACK_MS)
        notice = thread.get_by_role("note")
        expect(notice).to_contain_text("You were signed out.")
        expect(notice).to_be_focused()

    def test_a_wrong_password_is_said_by_title_and_focus(
        self, screens: Screens, doctor: Person
    ) -> None:
        """The title is heard first of a page."""
        page = screens.open()
        page.goto("/login")
        on.sign_in(page, doctor.email, "wrong password")
        expect(page).to_have_title(re.compile("^Email or password is not right · Sign in"))
        expect(page.get_by_role("alert")).to_be_focused()


class TestPassword:
    """Changing the own one."""

    @pytest.fixture
    def page(self, page: Page) -> Page:
        """Return the page for it."""
        page.goto("/account")
        expect(on.connection(page)).to_have_text("Connected")
        return page

    def test_the_same_refusal_is_said_again(self, page: Page) -> None:
        """And the field that it is about says so too."""
        for _ in range(2):
            hearing.forget(page)
            _change(page, "not the password", "another one")
            hearing.wait_for(page, "Your current password is not right.")
        current, new = page.get_by_label("Current password"), page.get_by_label("New password")
        expect(current).to_have_accessible_description("Your current password is not right.")
        expect(current).to_have_attribute("aria-invalid", "true")
        expect(new).to_have_attribute("aria-invalid", "false")

    def test_the_focus_is_on_what_was_done(self, page: Page) -> None:
        """The form is gone."""
        _change(page, "correct horse battery", "quite another password")
        done = page.get_by_role("alert").filter(has_text="Your password is changed.")
        expect(done).to_be_focused()


class TestNames:
    """What is heard out of its place, as in a list of links."""

    def test_the_way_into_a_conversation_says_with_whom(
        self, clinic: Clinic, screens: Screens, doctor: Person, patient: Person
    ) -> None:
        """On both dashboards, open or closed."""
        cards, banners = screens.dashboard(doctor), screens.dashboard(patient)
        for shown, name in (
            (cards, f"Chat {patient.name}"),
            (banners, f"Start Chat {doctor.name}"),
        ):
            expect(shown.get_by_role("link", name=name, exact=True)).to_be_visible()
        clinic.operator("unassign", doctor.email, patient.email)
        for shown, name in ((cards, f"Read {patient.name}"), (banners, f"Read {doctor.name}")):
            expect(shown.get_by_role("link", name=name, exact=True)).to_be_visible()

    def test_the_sign_of_an_own_message_says_what_it_opens(self, thread: Page) -> None:
        """Its word alone sounds like an order."""
        on.write(thread, "Since when?")
        expect(on.state(thread, "Since when?")).to_have_accessible_name("Sent, times")

    def test_numbers_say_what_they_count(self, page: Page, doctor: Person, patient: Person) -> None:
        """Unread messages, minutes of waiting, and minutes ago."""
        patient.says(doctor, "I feel dizzy.")
        page.clock.install()
        page.goto("/dashboard")
        nav = page.get_by_role("navigation", name="Pages").first
        expect(nav.get_by_role("link", name=re.compile("^Messages ?1 unread$"))).to_be_visible()
        page.clock.fast_forward("09:10")
        meta = on.card(page, patient).locator(".meta")
        expect(meta).to_have_text("Waiting 9 min")
        doctor.reads(patient)
        expect(meta).to_have_text("9 min ago")


class TestSigns:
    """What colour alone would say is said otherwise too."""

    @pytest.mark.parametrize("width", [320, 1440])
    def test_a_lost_connection_is_a_word_at_every_width(self, thread: Page, width: int) -> None:
        """As the dot alone is too little."""
        thread.set_viewport_size({"width": width, "height": 800})
        thread.context.set_offline(True)
        word = on.connection(thread).get_by_text("Disconnected")
        expect(word).to_be_visible(timeout=on.WAIT_MS)
        box = word.bounding_box()
        assert box
        assert box["width"] > 40

    def test_with_forced_colours_the_dot_is_there_and_differs(self, thread: Page) -> None:
        """Filled while connected, else a ring."""
        thread.emulate_media(forced_colors="active")
        dot = on.connection(thread).locator(".connection-dot")
        expect(dot).to_have_css("border-top-style", "solid")
        up = dot.evaluate("node => getComputedStyle(node).backgroundColor")
        thread.context.set_offline(True)
        expect(on.connection(thread)).to_have_text("Disconnected", timeout=on.WAIT_MS)
        expect(dot).not_to_have_css("background-color", up)

    def test_read_is_bolder_than_delivered(
        self, thread: Page, doctor: Person, patient: Person
    ) -> None:
        """In the log."""
        on.write(thread, "Since when?")
        expect(on.state(thread, "Since when?")).to_have_text("Sent")
        patient.history(doctor)
        expect(on.state(thread, "Since when?")).to_have_text("Delivered")
        sign = on.state(thread, "Since when?").locator("svg")
        width = "node => parseFloat(getComputedStyle(node).strokeWidth)"
        before = sign.evaluate(width)
        patient.reads(doctor)
        expect(on.state(thread, "Since when?")).to_have_text("Read")
        assert sign.evaluate(width) >= before + 1

    def test_the_open_conversation_has_an_edge_in_the_list(
        self, clinic: Clinic, screens: Screens, doctor: Person, patient: Person
    ) -> None:
        """The others have none."""
        clinic.patient(doctor, name="Tom")
        page = screens.chat(doctor, patient, viewport={"width": 1440, "height": 900})
        beside = page.get_by_role("navigation", name="Conversations")
        for name, width in ((patient.name, "3px"), ("Tom", "0px")):
            entry = beside.get_by_role("link", name=name)
            expect(entry).to_have_css("border-left-width", width)


def _change(page: Page, current: str, new: str) -> None:
    page.get_by_label("Current password").fill(current)
    page.get_by_label("New password").fill(new)
    page.get_by_role("button", name="Change password").click()
