"""Where a message is written, and that every text is shown as text."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import screens as on
from tests.e2e.clinic import Clinic
from tests.e2e.screens import Screens

LIMIT = 5_000
LINE_PX = 24
HEBREW_NAME = "\u05e4\u05dc\u05d5\u05e0\u05d9"
HEBREW = "\u05dc\u05e7\u05d7\u05ea\u05d9 5 mg \u05d0\u05ea\u05de\u05d5\u05dc."


@pytest.fixture
def page(clinic: Clinic, screens: Screens) -> Page:
    """Return a page in a conversation without messages."""
    doctor, patient = clinic.pair()
    return screens.chat(doctor, patient)


def test_enter_sends_and_shift_enter_breaks_the_line(page: Page) -> None:
    """The message keeps its lines."""
    field = on.field_of(page)
    field.press_sequentially("one")
    field.press("Shift+Enter")
    field.press_sequentially("two")
    expect(field).to_have_value("one\ntwo")
    field.press("Enter")
    expect(field).to_have_value("")
    assert on.messages(page).inner_text() == "one\ntwo"


def test_the_button_sends_and_is_dim_until_there_is_text(page: Page) -> None:
    """White space is none."""
    send = page.get_by_role("button", name="Send")
    expect(send).to_be_disabled()
    on.field_of(page).fill("  \n ")
    expect(send).to_be_disabled()
    on.field_of(page).fill("Hi!")
    send.click()
    expect(on.messages(page)).to_have_text(["Hi!"])


def test_the_focus_is_in_the_field_and_stays_there(page: Page) -> None:
    """On opening, after Enter and after the button."""
    field = on.field_of(page)
    expect(field).to_be_focused()
    page.keyboard.type("one")
    page.keyboard.press("Enter")
    expect(field).to_be_focused()
    page.keyboard.type("two")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(field).to_be_focused()
    expect(on.messages(page)).to_have_text(["one", "two"])


def test_right_after_enter_the_field_counts_as_empty(page: Page) -> None:
    """Enter held down or a click sends nothing twice, and what is typed is the next message."""
    field = on.field_of(page)
    field.fill("one")
    field.evaluate(
        """field => {
          const enter = { key: "Enter", bubbles: true, cancelable: true };
          field.dispatchEvent(new KeyboardEvent("keydown", enter));
          field.dispatchEvent(new KeyboardEvent("keydown", enter));
          field.form.requestSubmit();
        }"""
    )
    page.keyboard.type("two")
    page.keyboard.press("Enter")
    page.keyboard.type("three")
    expect(on.messages(page)).to_have_text(["one", "two"])
    expect(field).to_have_value("three")


def test_the_field_grows_to_six_lines_and_then_scrolls(page: Page) -> None:
    """And is small again after sending."""
    field = on.field_of(page)
    one, two, six, seven, many = (_height(page, lines) for lines in (1, 2, 6, 7, 20))
    assert one < two < six == seven == many
    assert six - two == 4 * LINE_PX
    assert field.evaluate("field => field.scrollHeight > field.clientHeight")
    assert _height(page, 5) < six
    assert field.evaluate("field => field.scrollHeight <= field.clientHeight")
    field.press("Enter")
    expect(field).to_have_css("height", f"{one:.0f}px")


def test_to_whom_one_writes_stands_beside_the_text(page: Page) -> None:
    """It has its room before, so that nothing moves with the first letter."""
    to_whom = page.get_by_text("To Maria Jones", exact=True)
    field = on.field_of(page)
    empty = on.box(field)
    field.press_sequentially("H")
    expect(to_whom).to_be_visible()
    assert on.box(field) == empty
    assert on.box(to_whom)["y"] < empty["y"]


def test_a_counter_appears_near_the_limit(page: Page) -> None:
    """In code points, as the server counts."""
    on.field_of(page).fill("x" * 4_499)
    expect(page.get_by_text("of 5,000")).to_be_hidden()
    on.field_of(page).fill("😅" + "x" * 4_499)
    expect(page.get_by_text("4,500 of 5,000")).to_be_visible()


def test_what_is_over_the_limit_cannot_be_sent(page: Page) -> None:
    """The page says by how much; one less goes."""
    field = on.field_of(page)
    field.fill("x" * (LIMIT + 1))
    expect(page.get_by_text("1 too many")).to_be_visible()
    expect(page.get_by_role("button", name="Send")).to_be_disabled()
    field.press("Enter")
    expect(field).to_have_value("x" * (LIMIT + 1))

    field.fill("x" * LIMIT)
    field.press("Enter")
    expect(on.state(page, "x" * LIMIT)).to_have_text("Sent")


def test_what_the_server_refuses_is_not_sent_and_can_be_tried_again(page: Page) -> None:
    """A sentence says why; Retry tries it anew and Remove takes it away."""
    on.write(page, "a\u0007b")
    expect(on.log(page).get_by_text("Not sent")).to_be_visible()
    page.get_by_role("button", name="Retry").click()
    expect(on.log(page).get_by_text("Not sent")).to_be_visible()
    expect(on.messages(page)).to_have_count(1)
    page.get_by_role("button", name="Remove").click()
    expect(on.messages(page)).to_have_count(0)


def test_what_was_sent_in_one_tab_is_not_ready_to_be_sent_again_in_another(page: Page) -> None:
    """The other shows what is typed; who has typed something else there keeps it."""
    other = page.context.new_page()
    other.goto(page.url)
    field = on.field_of(other)
    expect(field).to_be_visible()
    on.field_of(page).press_sequentially("Once")
    expect(field).to_have_value("Once")
    on.field_of(page).press("Enter")
    expect(field).to_have_value("")
    expect(on.messages(other)).to_have_text(["Once"])

    field.fill("From here")
    expect(on.field_of(page)).to_have_value("From here")
    on.write(page, "From there")
    expect(field).to_have_value("")


class TestText:
    """HTML and scripts in names and messages."""

    NAME = "<img src=x onerror=hacked=1> & Co"
    TEXT = "<script>hacked=1</script> <b>bold</b> &amp; {{7*7}} **x** javascript:alert(1)"

    def test_it_is_shown_as_text_everywhere(self, clinic: Clinic, screens: Screens) -> None:
        """On both dashboards and both sides of the thread."""
        doctor = clinic.doctor()
        patient = clinic.patient(doctor, name=self.NAME)
        patient.says(doctor, self.TEXT)

        dashboard = screens.dashboard(doctor)
        expect(on.card(dashboard, patient)).to_contain_text(self.TEXT)
        thread = screens.chat(doctor, patient)
        expect(thread.get_by_role("heading", name=self.NAME)).to_be_visible()
        for page in (thread, screens.chat(patient, doctor)):
            expect(on.messages(page)).to_have_text([self.TEXT])
        for page in (dashboard, thread):
            assert page.evaluate("typeof hacked") == "undefined"
            expect(page.locator("img[src=x], b")).to_have_count(0)

    def test_each_text_runs_in_its_own_direction(self, clinic: Clinic, screens: Screens) -> None:
        """Else a dose between two words of Hebrew is torn apart."""
        doctor = clinic.doctor()
        patient = clinic.patient(doctor, name=HEBREW_NAME)
        patient.says(doctor, HEBREW)
        doctor.says(patient, "Take 5 mg.")
        page = screens.chat(doctor, patient, viewport={"width": 1440, "height": 900})
        bubbles = on.messages(page)
        expect(bubbles.nth(0)).to_have_css("direction", "rtl")
        expect(bubbles.nth(1)).to_have_css("direction", "ltr")
        expect(page.get_by_role("heading", name=HEBREW_NAME)).to_have_css("direction", "rtl")
        on.field_of(page).fill(HEBREW)
        expect(on.field_of(page)).to_have_css("direction", "rtl")
        on.write(page, HEBREW)
        entry = page.get_by_role("navigation", name="Conversations").get_by_role("link")
        expect(entry.locator(".name")).to_have_css("direction", "rtl")
        expect(entry.locator("bdi")).to_have_text(HEBREW)
        expect(entry.locator("bdi")).to_have_css("direction", "rtl")
        expect(entry).to_contain_text(f"You: {HEBREW}")

    def test_long_words_break_inside_their_bubble(self, page: Page) -> None:
        """Nothing scrolls sideways."""
        on.write(page, "x" * 500)
        expect(on.messages(page)).to_have_count(1)
        assert on.log(page).evaluate("log => log.scrollWidth <= log.clientWidth")


def _height(page: Page, lines: int) -> float:
    on.field_of(page).fill("\n".join("x" * lines))
    box = on.field_of(page).bounding_box()
    assert box
    return box["height"]
