"""What was written before: its days, its pages, and a log that never moves what one reads."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import screens as on
from tests.e2e.clinic import Clinic, Person
from tests.e2e.screens import Screens

LINES = [f"line {number}" for number in range(1, 121)]
PAGE = 50

FIRST_IN_SIGHT = """
(log) => {
  const frame = log.getBoundingClientRect();
  const inSight = (node) => node.getBoundingClientRect().bottom > frame.top;
  const first = [...log.querySelectorAll("[data-key]")].find(inSight);
  return [first.dataset.key, first.getBoundingClientRect().top];
}
"""
# As the next frame shows it: between two the page may be laid out in ways that nobody sees.
TOP_OF = """
async (log, key) => {
  await new Promise(requestAnimationFrame);
  return log.querySelector(`[data-key="${key}"]`).getBoundingClientRect().top;
}
"""


class TestDays:
    """Headings are those of the reader's own zone."""

    NOW = datetime(2026, 1, 15, 11, 30, tzinfo=UTC)
    TIMES = (
        datetime(2026, 1, 13, 20, 0, tzinfo=UTC),
        datetime(2026, 1, 15, 7, 50, tzinfo=UTC),
        datetime(2026, 1, 15, 10, 50, tzinfo=UTC),
        datetime(2026, 1, 15, 11, 10, tzinfo=UTC),
    )
    """The second is 10 min before midnight in Los Angeles, the third and the fourth are around
    midnight in Auckland."""

    @pytest.fixture
    def people(self, clinic: Clinic) -> tuple[Person, Person]:
        """Return a doctor and a patient who wrote at these times: a, b, c, d."""
        doctor, patient = clinic.pair()
        sent = doctor.says(patient, "a", "b", "c", "d")
        with clinic.database() as database:
            for message, time in zip(sent, self.TIMES, strict=True):
                at = {"$set": {"timestamp": time}}
                changed = database["messages"].update_one(
                    {"conversation_id": message["conversation_id"], "seq": message["seq"]}, at
                )
                assert changed.modified_count == 1
        return doctor, patient

    @pytest.mark.parametrize(
        ("zone", "days"),
        [
            ("Pacific/Auckland", {"Wednesday 14 January": "a", "Yesterday": "bc", "Today": "d"}),
            ("America/Los_Angeles", {"Tuesday 13 January": "a", "Yesterday": "b", "Today": "cd"}),
        ],
    )
    def test_midnight_is_the_readers_own(
        self, screens: Screens, people: tuple[Person, Person], zone: str, days: dict[str, str]
    ) -> None:
        """The same messages are on other days in another zone."""
        doctor, patient = people
        page = screens.as_somebody(patient, timezone_id=zone, locale="en-GB")
        page.clock.set_fixed_time(self.NOW)
        on.open_chat(page, doctor)
        found = on.log(page).locator("section")
        expect(found.get_by_role("heading")).to_have_text(list(days))
        for at, texts in enumerate(days.values()):
            expect(found.nth(at).locator(".chat-bubble")).to_have_text(list(texts))


class TestLongHistory:
    """120 messages: 50 on opening, the others by scrolling up."""

    @pytest.fixture
    def page(self, clinic: Clinic, screens: Screens) -> Page:
        """Return the page of a patient to whom the doctor wrote 120 lines."""
        doctor, patient = clinic.pair()
        doctor.says(patient, *LINES)
        patient.reads(doctor)
        return screens.chat(patient, doctor)

    def test_the_newest_fifty_are_there_and_the_last_one_in_sight(self, page: Page) -> None:
        """Nothing older is loaded."""
        expect(on.message(page, LINES[-1])).to_be_in_viewport()
        expect(on.messages(page)).to_have_text(LINES[-PAGE:])

    def test_scrolling_up_brings_older_ones_without_a_jump(self, page: Page) -> None:
        """What is being read stays where it is, while the rows before it arrive."""
        expect(on.messages(page)).to_have_count(PAGE)
        log = on.log(page)
        # At once: the older ones may be there with the next call.
        key, top = log.evaluate(f"log => {{ log.scrollTop = 300; return ({FIRST_IN_SIGHT})(log) }}")
        expect(on.messages(page)).to_have_text(LINES[-2 * PAGE :])
        assert log.evaluate(TOP_OF, key) == pytest.approx(top, abs=2)

    def test_the_first_message_can_be_reached(self, page: Page) -> None:
        """With the wheel alone, and then nothing more is asked for."""
        expect(on.messages(page)).to_have_count(PAGE)
        for loaded in (2 * PAGE, len(LINES)):
            on.scroll_up(page, 10_000)
            expect(on.messages(page)).to_have_count(loaded)
        expect(on.messages(page)).to_have_text(LINES)
        on.scroll_up(page, 10_000)
        expect(on.message(page, LINES[0])).to_be_in_viewport()
        expect(page.get_by_text("Loading earlier messages…")).to_be_hidden()


class TestNewest:
    """The log follows the newest only while its reader is there."""

    @pytest.fixture
    def people(self, clinic: Clinic) -> tuple[Person, Person]:
        """Return a doctor and a patient who have written more than a screen holds."""
        doctor, patient = clinic.pair()
        doctor.says(patient, *LINES[:40])
        return doctor, patient

    def test_a_reader_at_the_newest_sees_what_comes(
        self, screens: Screens, people: tuple[Person, Person]
    ) -> None:
        """No button is needed."""
        doctor, patient = people
        page = screens.chat(patient, doctor)
        expect(on.message(page, LINES[39])).to_be_in_viewport()
        doctor.says(patient, "the newest")
        expect(on.message(page, "the newest")).to_be_in_viewport()
        expect(page.get_by_role("button", name="New messages")).to_be_hidden()

    def test_a_reader_further_up_stays_there_and_is_told(
        self, screens: Screens, people: tuple[Person, Person]
    ) -> None:
        """The button counts, leads to the newest, and is gone then."""
        doctor, patient = people
        page = screens.chat(patient, doctor)
        expect(on.message(page, LINES[39])).to_be_in_viewport()
        on.scroll_up(page, 500)
        expect(on.message(page, LINES[39])).not_to_be_in_viewport()
        key, top = on.log(page).evaluate(FIRST_IN_SIGHT)

        doctor.says(patient, "news", "more news")
        button = page.get_by_role("button", name="New messages (2)")
        expect(button).to_be_visible()
        assert on.log(page).evaluate(TOP_OF, key) == pytest.approx(top, abs=2)
        button.click()
        expect(on.message(page, "more news")).to_be_in_viewport()
        expect(button).to_be_hidden()

    def test_who_writes_sees_the_own_words_wherever_they_were(
        self, screens: Screens, people: tuple[Person, Person]
    ) -> None:
        """The log goes to the newest."""
        doctor, patient = people
        page = screens.chat(patient, doctor)
        expect(on.message(page, LINES[39])).to_be_in_viewport()
        on.scroll_up(page, 500)
        on.write(page, "Thank you.")
        expect(on.message(page, "Thank you.")).to_be_in_viewport()

    def test_the_newest_stays_in_sight_while_the_composer_grows(
        self, screens: Screens, people: tuple[Person, Person]
    ) -> None:
        """Six lines take room from the log."""
        doctor, patient = people
        page = screens.chat(patient, doctor)
        on.field_of(page).fill("\n".join("abcdef"))
        expect(on.message(page, LINES[39])).to_be_in_viewport(ratio=1)
