"""A small phone with a touch screen: nothing is cut off and nothing scrolls sideways."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import screens as on
from tests.e2e.clinic import Clinic, Person
from tests.e2e.screens import PHONE, Screens

FINGER_PX = 44


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

    def test_to_whom_one_writes_is_in_view(self, page: Page) -> None:
        """In one line, also with letters twice as large."""
        on.field_of(page).fill("Hello")
        to_whom = page.locator("#chat-partner")
        expect(to_whom).to_be_in_viewport(ratio=1)
        on.enlarge(page)
        expect(to_whom).to_be_in_viewport(ratio=1)
        expect(to_whom).to_contain_text("To ")
        assert on.box(to_whom)["height"] < 2 * 26

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

    def test_nothing_can_scroll_the_frame_away(self, page: Page) -> None:
        """As a screen reader does that goes to a hidden word far up."""
        page.get_by_role("button", name="Send").wait_for()
        on.log(page).evaluate("log => { log.scrollTop = 0; }")
        for frame in (".app.chat", "html"):
            page.locator(".chat-writer").last.evaluate("word => word.scrollIntoView()")
            node = page.locator(frame)
            assert node.evaluate("node => node.scrollTop") == 0
            assert node.evaluate("node => node.scrollHeight - node.clientHeight") <= 0
        expect(on.field_of(page)).to_be_in_viewport(ratio=1)

    def test_the_keyboard_does_not_open_by_itself(self, page: Page) -> None:
        """It would cover the thread."""
        expect(on.message(page, "line 39")).to_be_in_viewport()
        expect(on.field_of(page)).not_to_be_focused()

    def test_the_field_fits_its_text_after_a_turn_of_the_phone(self, page: Page) -> None:
        """Wider it needs fewer lines."""
        on.field_of(page).fill("word " * 25)
        high = on.box(on.field_of(page))["height"]
        page.set_viewport_size({"width": 568, "height": 320})
        page.wait_for_function(
            "high => document.getElementById('chat-field').offsetHeight < high", arg=high
        )
        page.set_viewport_size({"width": 320, "height": 568})
        page.wait_for_function(
            "high => document.getElementById('chat-field').offsetHeight === high", arg=high
        )

    def test_the_green_dot_is_not_the_partners(
        self, page: Page, people: tuple[Person, Person]
    ) -> None:
        """It lies on the own avatar: beside the other's name it would say that they are there."""
        dot = on.box(on.connection(page).locator(".connection-dot"))
        own = on.box(page.get_by_role("button", name="menu").locator(".avatar"))
        assert own["x"] < dot["x"] < own["x"] + own["width"]
        assert own["y"] < dot["y"] < own["y"] + own["height"]

    def test_disconnected_has_a_line_of_its_own(
        self, page: Page, people: tuple[Person, Person]
    ) -> None:
        """Below the name, which is not about it."""
        page.context.set_offline(True)
        word = on.connection(page).get_by_text("Disconnected")
        expect(word).to_be_visible()
        name = page.get_by_role("heading", name=people[0].name)
        assert on.box(word)["y"] >= on.box(name)["y"] + on.box(name)["height"]


class TestOwnMessages:
    """What became of them, said without moving anything."""

    @pytest.fixture
    def page(self, clinic: Clinic, screens: Screens) -> Page:
        """Return the patient's page in a conversation of two messages of theirs."""
        doctor, patient = clinic.pair()
        patient.says(doctor, "first", "second")
        return screens.chat(patient, doctor, **PHONE)

    def test_only_the_last_says_its_word_to_the_eye(self, page: Page) -> None:
        """The others have their sign; all have the word for screen readers."""
        word = re.compile("Sent|Delivered")
        expect(on.state(page, "first")).to_have_text(word)
        expect(on.state(page, "second")).to_have_text(word)
        assert on.box(on.state(page, "first").locator(".chat-word"))["width"] <= 1
        assert on.box(on.state(page, "second").locator(".chat-word"))["width"] > 20

    def test_nothing_jumps_when_a_message_is_sent(self, page: Page) -> None:
        """Its bubble is as large as before, and where it was from the end of the log."""
        page.context.set_offline(True)
        on.write(page, "a text that is a good deal longer than a line", "and another one")
        expect(on.state(page, "and another one")).to_have_text("Sending")
        before = [on.box(one) for one in on.messages(page).all()]
        page.context.set_offline(False)
        expect(on.state(page, "and another one")).to_have_text("Sent", timeout=15_000)
        after = [on.box(one) for one in on.messages(page).all()]
        assert [(one["x"], one["width"], one["height"]) for one in before] == [
            (one["x"], one["width"], one["height"]) for one in after
        ]
        assert {round(b["y"] - a["y"]) for a, b in zip(before, after, strict=True)} == {
            round(after[0]["y"] - before[0]["y"])
        }

    def test_what_was_refused_where_writing_is_over_can_be_copied_or_removed(
        self, clinic: Clinic, screens: Screens
    ) -> None:
        """Retry would only fail again."""
        doctor, patient = clinic.pair()
        options = {**PHONE, "permissions": ["clipboard-read", "clipboard-write"]}
        page = screens.chat(patient, doctor, **options)
        page.context.set_offline(True)
        on.write(page, "too late")
        clinic.operator("unassign", doctor.email, patient.email)
        page.context.set_offline(False)
        expect(on.state(page, "too late")).to_have_text("Not sent", timeout=15_000)
        expect(page.get_by_role("button", name="Retry")).to_be_hidden()
        page.get_by_role("button", name="Copy").tap()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == "too late"
        page.get_by_role("button", name="Remove").tap()
        expect(on.messages(page)).to_have_count(0)


class TestLargeLetters:
    """Letters twice as large as the browser's own."""

    @pytest.fixture
    def page(self, clinic: Clinic, screens: Screens) -> Page:
        """Return the patient's page in a conversation."""
        doctor, patient = clinic.pair()
        patient.says(doctor, *(f"line {number}" for number in range(20)))
        page = screens.chat(patient, doctor, **PHONE)
        on.enlarge(page)
        return page

    def test_the_lines_of_the_field_do_not_overlap(self, page: Page) -> None:
        """They are higher than the letters."""
        size, line = on.field_of(page).evaluate(
            """field => [getComputedStyle(field).fontSize, getComputedStyle(field).lineHeight]
              .map(parseFloat)"""
        )
        assert size == 32
        assert line >= 1.4 * size

    def test_send_is_below_a_field_of_the_whole_width(self, page: Page) -> None:
        """Beside it a word would not fit."""
        field, send = on.box(on.field_of(page)), on.box(page.get_by_role("button", name="Send"))
        assert send["y"] >= field["y"] + field["height"]
        assert field["width"] > 280

    def test_its_keyboard_leaves_room_for_the_log(self, page: Page) -> None:
        """However much is being written; everything else stays in view."""
        on.field_of(page).fill("word " * 50)
        page.set_viewport_size({"width": 320, "height": 340})
        expect(page.get_by_role("button", name="Send")).to_be_in_viewport(ratio=1)
        page.wait_for_function("() => document.querySelector('[role=log]').clientHeight >= 40")

    def test_what_was_written_offline_is_in_view(self, page: Page) -> None:
        """Whole, with its sign; also where the keyboard leaves less than half."""
        page.context.set_offline(True)
        on.write(page, "I feel dizzy.")
        expect(page.get_by_role("status").get_by_text("Disconnected")).to_be_visible()
        expect(page.locator(".chat-delay")).not_to_be_empty()
        expect(on.message(page, "I feel dizzy.")).to_be_in_viewport(ratio=0.9)
        page.set_viewport_size({"width": 320, "height": 340})
        expect(on.field_of(page)).to_be_in_viewport(ratio=1)
        expect(page.get_by_role("button", name="Send", exact=True)).to_be_in_viewport(ratio=1)

    def test_names_and_letters_stay_in_their_places(self, page: Page) -> None:
        """A name has two lines, an avatar's letters are inside, a count is round."""
        name = page.get_by_role("heading", level=1)
        assert name.evaluate("node => node.scrollHeight <= node.clientHeight + 1")
        for avatar in page.locator(".avatar:visible").all():
            assert avatar.evaluate(
                "node => node.scrollWidth <= node.clientWidth && "
                "node.scrollHeight <= node.clientHeight"
            )

    def test_a_long_date_stays_on_the_screen(self, clinic: Clinic, screens: Screens) -> None:
        """It has two lines."""
        doctor, patient = clinic.pair()
        doctor.says(patient, "How are you?")
        page = screens.as_somebody(patient, **PHONE, locale="en-GB")
        page.clock.set_fixed_time(datetime.now(UTC) + timedelta(days=400))
        page.goto(f"/chat?email={doctor.email}")
        on.enlarge(page)
        date = on.box(on.log(page).get_by_role("heading", level=2))
        assert date["x"] >= 0
        assert date["x"] + date["width"] <= PHONE["viewport"]["width"]

    def test_a_dialog_uses_the_width_and_begins_at_the_top(
        self, clinic: Clinic, screens: Screens
    ) -> None:
        """Of what there is."""
        page = screens.dashboard(clinic.doctor(), **PHONE)
        on.enlarge(page)
        page.get_by_role("button", name="Invite").tap()
        dialog = on.box(page.get_by_role("dialog"))
        assert dialog["width"] >= 300
        assert dialog["y"] <= 10
        heading = page.get_by_role("heading", name="Invite a patient")
        expect(heading).to_be_in_viewport(ratio=1)

    def test_show_does_not_cover_the_password(self, screens: Screens) -> None:
        """It is below the field."""
        page = screens.open(**PHONE)
        page.goto("/login")
        on.enlarge(page)
        field = on.box(page.get_by_label("Password", exact=True))
        show = on.box(page.get_by_role("button", name="Show password"))
        assert show["y"] >= field["y"] + field["height"]


def test_with_large_letters_the_green_button_is_on_the_first_screen(
    clinic: Clinic, screens: Screens
) -> None:
    """Nobody has to scroll to find out how to write."""
    _, patient = clinic.pair()
    page = screens.as_somebody(patient, **PHONE)
    page.goto("/dashboard")
    on.enlarge(page)
    expect(page.get_by_role("link", name="Start Chat")).to_be_in_viewport(ratio=1)


def test_with_large_letters_the_whole_menu_can_be_reached(clinic: Clinic, screens: Screens) -> None:
    """On a phone that lies on its side, too."""
    _, patient = clinic.pair()
    page = screens.as_somebody(patient, **PHONE)
    page.goto("/dashboard")
    on.enlarge(page)
    page.set_viewport_size({"width": 320, "height": 320})
    page.get_by_role("button", name="menu").tap()
    page.get_by_role("button", name="Sign out").scroll_into_view_if_needed()
    expect(page.get_by_role("button", name="Sign out")).to_be_in_viewport(ratio=1)


def test_cards_stay_under_the_thumb_until_it_asks_for_who_waits_now(
    clinic: Clinic, screens: Screens
) -> None:
    """A tap opens whom it aimed at; one button shows the new order, and so does a new load."""
    doctor = clinic.doctor()
    tom, ana = (clinic.patient(doctor, name=name) for name in ("Tom", "Ana"))
    tom.says(doctor, "I feel dizzy.")
    page = screens.dashboard(doctor, **on.PHONE)
    names = page.get_by_role("article").get_by_role("heading")
    show = page.get_by_role("button", name="1 more is waiting. Show")
    expect(names).to_have_text(["Tom", "Ana"])
    before = on.box(on.card(page, tom))

    ana.says(doctor, "My knee hurts.")
    expect(on.card(page, ana)).to_contain_text("1 unread")
    expect(show).to_be_in_viewport(ratio=1)
    expect(names).to_have_text(["Tom", "Ana"])
    assert on.box(on.card(page, tom)) == before
    assert on.box(show)["height"] >= FINGER_PX

    show.tap()
    expect(names).to_have_text(["Ana", "Tom"])
    expect(show).to_be_hidden()
    tom.says(doctor, "Still dizzy.")
    expect(on.card(page, tom)).to_contain_text("2 unread")
    expect(names).to_have_text(["Ana", "Tom"])
    page.reload()
    expect(names).to_have_text(["Tom", "Ana"])


def test_a_link_of_the_menu_works_offline(clinic: Clinic, screens: Screens) -> None:
    """The page is there, and not the browser's own about a missing connection."""
    page = screens.dashboard(clinic.doctor(), **PHONE)
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    page.get_by_role("button", name="menu").tap()
    page.get_by_role("link", name="Change password").tap()
    expect(page.get_by_role("heading", name="Change password")).to_be_visible()
    expect(page.get_by_label("Current password")).to_be_visible()


def test_after_a_wrong_password_the_address_is_still_there(
    clinic: Clinic, screens: Screens
) -> None:
    """But not in the page's own address, and not for who comes later."""
    email = clinic.doctor().email
    page = screens.open(**PHONE)
    page.goto("/login")
    on.sign_in(page, email, "not the password")
    expect(page.get_by_role("alert")).to_have_text("Email or password is not right")
    expect(page.get_by_label("Email")).to_have_value(email)
    assert email not in page.url
    page.goto("/login")
    expect(page.get_by_label("Email")).to_have_value("")
    assert email not in str(page.evaluate("JSON.stringify(sessionStorage)"))


def test_the_banner_says_what_waits_to_be_sent(clinic: Clinic, screens: Screens) -> None:
    """Until it has gone out."""
    doctor, patient = clinic.pair()
    page = screens.chat(patient, doctor, **PHONE)
    page.context.set_offline(True)
    on.write(page, "one")
    page.get_by_role("link", name="Back to the dashboard").tap()
    banner = on.card(page, doctor)
    expect(banner).to_contain_text("1 message is waiting to be sent.")
    page.context.set_offline(False)
    expect(banner).not_to_contain_text("waiting to be sent", timeout=15_000)
    assert doctor.texts(patient) == ["one"]
