"""What pages look like and say: colours as they are computed, times in words, the clinic's own."""

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from carechat import demo
from tests.e2e import screens as on
from tests.e2e.clinic import PROJECT, Clinic, Person
from tests.e2e.screens import WAIT_MS, Screens

WHITE = "rgb(255, 255, 255)"
BLUE_600 = "rgb(37, 99, 235)"
BLUE_700 = "rgb(29, 78, 216)"
GREEN_50 = "rgb(240, 253, 244)"
GREEN_600 = "rgb(22, 163, 74)"
GREEN_700 = "rgb(21, 128, 61)"
AMBER_700 = "rgb(180, 83, 9)"
SLATE_500 = "rgb(100, 116, 139)"
SLATE_600 = "rgb(71, 85, 105)"
SLATE_900 = "rgb(15, 23, 42)"
NOTHING = "rgba(0, 0, 0, 0)"

BRIGHTNESS = """
(node, property) => getComputedStyle(node)[property].match(/\\d+/g).slice(0, 3)
  .reduce((sum, part) => sum + Number(part), 0) / (3 * 255)
"""

COMPILED = """
import json, sys
from carechat.carechat import app
pages = {name: page.component.render() for name, page in app._unevaluated_pages.items()}
json.dump({name: str(page) for name, page in pages.items()}, sys.stdout)
"""
"""Prints the pages as a build would have them with the settings that are in the environment."""


class TestMessages:
    """Whose words they are, seen at a glance."""

    @pytest.fixture
    def spoken(self, doctor: Person, patient: Person) -> Person:
        """Return the doctor, after each of the two has written something."""
        patient.says(doctor, "I feel dizzy.")
        doctor.says(patient, "Since when?")
        return doctor

    def test_own_ones_are_white_on_blue(
        self, screens: Screens, spoken: Person, patient: Person
    ) -> None:
        """The class is there too, by which programs find them."""
        own = _bubble(screens.chat(spoken, patient, color_scheme="light"), "Since when?")
        expect(own).to_contain_class("bg-blue-600")
        expect(own).to_have_css("background-color", BLUE_600)
        expect(own).to_have_css("color", WHITE)

    def test_the_partners_are_slate_on_white(
        self, screens: Screens, spoken: Person, patient: Person
    ) -> None:
        """And lie on a ground that is not quite white."""
        page = screens.chat(spoken, patient, color_scheme="light")
        theirs = _bubble(page, "I feel dizzy.")
        expect(theirs).not_to_contain_class("bg-blue-600")
        expect(theirs).to_have_css("background-color", WHITE)
        expect(theirs).to_have_css("color", SLATE_900)
        expect(page.locator("body")).not_to_have_css("background-color", WHITE)

    def test_in_the_dark_the_partners_are_light_on_dark(
        self, screens: Screens, spoken: Person, patient: Person
    ) -> None:
        """And the own ones are still white on blue."""
        page = screens.chat(spoken, patient, color_scheme="dark")
        theirs = _bubble(page, "I feel dizzy.")
        expect(_bubble(page, "Since when?")).to_have_css("background-color", BLUE_600)
        expect(_bubble(page, "Since when?")).to_have_css("color", WHITE)
        assert theirs.evaluate(BRIGHTNESS, "backgroundColor") < 0.25
        assert theirs.evaluate(BRIGHTNESS, "color") > 0.75
        assert page.locator("body").evaluate(BRIGHTNESS, "backgroundColor") < 0.25

    def test_own_ones_are_on_the_right_and_the_partners_on_the_left(
        self, screens: Screens, spoken: Person, patient: Person
    ) -> None:
        """Each at the edge of the column."""
        page = screens.chat(spoken, patient)
        column = _edges(on.log(page).locator("section"))
        own, theirs = (_edges(_bubble(page, text)) for text in ("Since when?", "I feel dizzy."))
        assert own[1] == pytest.approx(column[1], abs=1)
        assert own[0] > sum(column) / 2
        assert theirs[0] == pytest.approx(column[0], abs=1)
        assert theirs[1] < sum(column) / 2

    def test_the_ticks_are_one_then_two_then_blue(
        self, screens: Screens, spoken: Person, patient: Person
    ) -> None:
        """Sent, fetched by the partner's device, read."""
        page = screens.chat(spoken, patient, color_scheme="light")
        sign = on.state(page, "Since when?").locator("svg")
        expect(on.state(page, "Since when?")).to_have_text("Sent")
        assert _strokes(sign) == 1
        expect(sign).to_have_css("stroke", SLATE_600)

        patient.history(spoken)
        expect(on.state(page, "Since when?")).to_have_text("Delivered")
        assert _strokes(sign) == 2
        expect(sign).to_have_css("stroke", SLATE_600)

        patient.reads(spoken)
        expect(on.state(page, "Since when?")).to_have_text("Read")
        assert _strokes(sign) == 2
        expect(sign).to_have_css("stroke", BLUE_700)

    def test_emoji_alone_are_larger_and_without_a_bubble(
        self, screens: Screens, spoken: Person, patient: Person
    ) -> None:
        """On neither side, and with words they are as any."""
        spoken.says(patient, "👍", "Good 👍")
        patient.says(spoken, "🙂🎉")
        page = screens.chat(spoken, patient)
        as_words = _size(_bubble(page, "Good 👍"))
        for text in ("👍", "🙂🎉"):
            alone = on.message(page, text).get_by_text(text, exact=True)
            expect(alone).to_have_css("background-color", NOTHING)
            expect(alone).to_have_css("box-shadow", "none")
            assert _size(alone) >= 2 * as_words


class TestSigns:
    """What is green, and when it is not."""

    def test_the_dot_is_green_only_while_connected(
        self, screens: Screens, doctor: Person, patient: Person
    ) -> None:
        """Else it is gray."""
        page = screens.chat(doctor, patient, color_scheme="light")
        dot = on.connection(page).locator(".connection-dot")
        expect(dot).to_have_css("background-color", GREEN_600)
        page.context.set_offline(True)
        expect(on.connection(page)).to_have_text("Disconnected", timeout=WAIT_MS)
        expect(dot).to_have_css("background-color", SLATE_500)

    def test_the_ways_into_a_conversation_are_green(
        self, screens: Screens, doctor: Person, patient: Person
    ) -> None:
        """Chat of a doctor and Start Chat of a patient, with white words."""
        for person, partner, way in ((doctor, patient, "Chat"), (patient, doctor, "Start Chat")):
            page = screens.dashboard(person, color_scheme="light")
            link = on.card(page, partner).get_by_role(
                "link", name=f"{way} {partner.name}", exact=True
            )
            expect(link).to_have_css("background-color", GREEN_700)
            expect(link).to_have_css("color", WHITE)

    def test_the_banner_is_green_only_while_the_doctor_is_there(
        self, screens: Screens, doctor: Person, patient: Person
    ) -> None:
        """Its ground and its dot."""
        page = screens.dashboard(patient, color_scheme="light")
        banner = on.card(page, doctor)
        expect(banner.get_by_role("heading", name="Your Doctor is Away")).to_be_visible()
        expect(banner).to_have_css("background-color", WHITE)
        expect(banner.locator(".dot")).to_have_css("background-color", SLATE_500)

        screens.dashboard(doctor)
        expect(banner.get_by_role("heading", name="Your Doctor is Available")).to_be_visible()
        expect(banner).to_have_css("background-color", GREEN_50)
        expect(banner.locator(".dot")).to_have_css("background-color", GREEN_600)


class TestCard:
    """A doctor's card of a patient, on a Thursday at half past three in Berlin."""

    NOW = datetime(2026, 1, 15, 14, 30, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("at", "words"),
        [
            (NOW - timedelta(seconds=59), "now"),
            (NOW - timedelta(minutes=12), "12 min"),
            (datetime(2026, 1, 14, 23, 10, tzinfo=UTC), re.compile("^0?0:10$")),
            (datetime(2026, 1, 14, 22, 50, tzinfo=UTC), "Yesterday"),
            (datetime(2026, 1, 12, 9, 0, tzinfo=UTC), "Mon"),
            (datetime(2026, 1, 3, 9, 0, tzinfo=UTC), "3 Jan"),
            (datetime(2025, 12, 30, 9, 0, tzinfo=UTC), "30 Dec 2025"),
        ],
    )
    def test_the_last_message_has_its_time_in_words(  # noqa: PLR0913
        self,
        clinic: Clinic,
        screens: Screens,
        doctor: Person,
        patient: Person,
        at: datetime,
        words: str | re.Pattern[str],
    ) -> None:
        """Midnight is the reader's own."""
        [sent] = doctor.says(patient, "See you on Monday.")
        _said_at(clinic, sent, at)
        page = self._dashboard(screens, doctor)
        expect(on.card(page, patient).get_by_role("time")).to_have_text(words)

    def test_the_longest_wait_is_told_in_hours_and_minutes(
        self, clinic: Clinic, screens: Screens, doctor: Person, patient: Person
    ) -> None:
        """Of the oldest message that is not read, whoever wrote last."""
        tom = clinic.patient(doctor, name="Tom")
        first, second = patient.says(doctor, "I feel dizzy.", "Still a bit dizzy.")
        _said_at(clinic, first, self.NOW - timedelta(minutes=80))
        _said_at(clinic, second, self.NOW - timedelta(minutes=3))
        _said_at(clinic, tom.says(doctor, "My knee hurts.")[0], self.NOW - timedelta(minutes=20))
        page = self._dashboard(screens, doctor)
        expect(page.get_by_text("2 waiting · longest 1 h 20 min")).to_be_visible()

    def test_an_unread_card_tells_how_long_that_patient_has_waited(
        self, clinic: Clinic, screens: Screens, doctor: Person, patient: Person
    ) -> None:
        """In amber; once it was read, when the last message came."""
        first, second = patient.says(doctor, "I feel dizzy.", "Still a bit dizzy.")
        _said_at(clinic, first, self.NOW - timedelta(hours=26))
        _said_at(clinic, second, self.NOW - timedelta(minutes=3))
        page = self._dashboard(screens, doctor)
        meta = on.card(page, patient).locator(".meta")
        expect(meta).to_have_text("Waiting 26 h")
        expect(meta).to_have_css("color", AMBER_700)
        doctor.reads(patient)
        expect(meta).to_have_text("3 min ago")

    def test_an_own_last_message_shows_how_far_it_has_got(
        self, screens: Screens, doctor: Person, patient: Person
    ) -> None:
        """As sign and word, which change by themselves."""
        doctor.says(patient, "Take it with food.")
        page = screens.dashboard(doctor, color_scheme="light")
        card = on.card(page, patient)
        tick = card.locator(".tick")
        expect(card).to_contain_text("You: Take it with food.")
        expect(tick).to_have_text("✓Sent")

        patient.history(doctor)
        expect(tick).to_have_text("✓✓Delivered")
        expect(tick).to_have_css("color", SLATE_600)
        patient.reads(doctor)
        expect(tick).to_have_text("✓✓Read")
        expect(tick).to_have_css("color", BLUE_700)

    def test_somebody_elses_last_message_shows_no_tick(
        self, screens: Screens, doctor: Person, patient: Person
    ) -> None:
        """Nor who wrote it: that is the name above."""
        patient.says(doctor, "Thank you.")
        card = on.card(screens.dashboard(doctor), patient)
        expect(card.locator(".preview")).to_have_text("Thank you.")
        expect(card.locator(".tick")).to_have_count(0)

    def _dashboard(self, screens: Screens, doctor: Person) -> Page:
        page = screens.as_somebody(doctor, timezone_id="Europe/Berlin", locale="en-GB")
        page.clock.set_fixed_time(self.NOW)
        page.goto("/dashboard")
        return page


def test_the_date_of_what_is_on_the_screen_stays_at_the_top(
    screens: Screens, doctor: Person, patient: Person
) -> None:
    """However far one scrolls, above the messages."""
    doctor.says(patient, *(f"line {number}" for number in range(40)))
    page = screens.chat(patient, doctor)
    expect(on.message(page, "line 39")).to_be_in_viewport()
    heading = on.log(page).get_by_role("heading", name="Today")
    top = on.log(page).evaluate("log => log.getBoundingClientRect().top")
    for how_far in (0, 300, 300):
        on.log(page).evaluate("(log, how_far) => { log.scrollTop -= how_far }", how_far)
        box = heading.bounding_box()
        assert box
        assert 0 <= box["y"] - top <= 16
        assert heading.evaluate(
            "node => { const { x, y, width, height } = node.getBoundingClientRect();"
            " return document.elementFromPoint(x + width / 2, y + height / 2) === node }"
        )


def test_the_icon_of_the_tab_carries_the_count(
    screens: Screens, doctor: Person, patient: Person
) -> None:
    """Another picture for each number and for none, of which no change is loaded from anywhere."""
    page = screens.dashboard(doctor)
    icon = page.locator("link[rel~=icon]")
    pictures = [icon.get_attribute("href") or ""]

    def next_picture() -> str:
        expect(icon).not_to_have_attribute("href", pictures[-1])
        pictures.append(icon.get_attribute("href") or "")
        return pictures[-1]

    patient.says(doctor, "I feel dizzy.")
    one = next_picture()
    loaded: list[str] = []
    page.on("request", lambda request: loaded.append(request.url))
    patient.says(doctor, "And tired.")
    two = next_picture()
    doctor.reads(patient)
    assert next_picture() not in {one, two}
    patient.says(doctor, "Still.")
    assert next_picture() == one
    assert loaded == []


def test_the_sign_in_page_says_what_to_do_about_a_forgotten_password(screens: Screens) -> None:
    """The clinic gives a link."""
    page = screens.open()
    page.goto("/login")
    expect(page.get_by_text("Forgotten your password? Ask your clinic")).to_be_visible()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the pages of a clinic with a name and a number of its own, without the demo."""
    return _compiled(
        CARECHAT_DATA_DIR=str(tmp_path_factory.mktemp("data")),
        CARECHAT_CLINIC_NAME="Lakeside Practice",
        CARECHAT_EMERGENCY="In an emergency call 999.",
        CARECHAT_DEMO="0",
    )


class TestOwnWords:
    """What the operator's settings make of the pages."""

    @pytest.mark.parametrize("name", ["login", "join", "404"])
    def test_the_clinics_name_is_on_the_pages_for_everybody(
        self, pages: dict[str, str], name: str
    ) -> None:
        """In place of ours."""
        assert "Lakeside Practice" in pages[name]

    def test_the_emergency_line_is_below_the_conversation(self, pages: dict[str, str]) -> None:
        """In place of the one with our numbers."""
        assert "In an emergency call 999." in pages["chat"]
        assert "112" not in pages["chat"]

    def test_without_the_demo_the_sign_in_page_shows_no_account(
        self, pages: dict[str, str]
    ) -> None:
        """No address, no password and no button that needs none."""
        for word in (demo.DOCTOR_EMAIL, demo.PATIENT_EMAIL, demo.PASSWORD, "As a doctor"):
            assert word not in pages["login"]

    def test_with_the_demo_it_shows_them(self, tmp_path: Path) -> None:
        """Which shows that the test before looks at the right place."""
        pages = _compiled(CARECHAT_DATA_DIR=str(tmp_path), CARECHAT_DEMO="1")
        for word in (demo.DOCTOR_EMAIL, demo.PATIENT_EMAIL, demo.PASSWORD, "As a doctor"):
            assert word in pages["login"]


def _compiled(**settings: str) -> dict[str, str]:
    done = subprocess.run(
        [sys.executable, "-c", COMPILED],
        cwd=PROJECT,
        env=os.environ | settings,
        capture_output=True,
        check=True,
        text=True,
    )
    return json.loads(done.stdout)


def _said_at(clinic: Clinic, message: dict[str, Any], at: datetime) -> None:
    """Let the message have been sent at that time."""
    one = {"conversation_id": message["conversation_id"], "seq": message["seq"]}
    with clinic.database() as database:
        changed = database["messages"].update_one(one, {"$set": {"timestamp": at}})
    assert changed.modified_count == 1


def _bubble(page: Page, text: str) -> Locator:
    return on.message(page, text).locator(".chat-bubble")


def _edges(place: Locator) -> tuple[float, float]:
    """Return where it begins and ends, from left to right."""
    box = place.bounding_box()
    assert box
    return box["x"], box["x"] + box["width"]


def _strokes(sign: Locator) -> int:
    """Return how many ticks are drawn: two have a second line that begins at the right."""
    return 1 + (" M" in (sign.locator("path").get_attribute("d") or ""))


def _size(words: Locator) -> float:
    return words.evaluate("node => parseFloat(getComputedStyle(node).fontSize)")
