"""What is typed while the browser still looks for what was typed before: nothing is lost."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import screens as on
from tests.e2e.clinic import Clinic, Person
from tests.e2e.screens import Screens
from tests.e2e.test_offline import KEPT

DRAFT = "Take it with food"
WIDE = {"width": 1440, "height": 900}

HELD = """
const held = new Promise((resolve) => { window.answer = resolve; });
const getAll = IDBObjectStore.prototype.getAll;
IDBObjectStore.prototype.getAll = function (...range) {
  if (this.name === "drafts") {
    Object.defineProperty(this.transaction, "oncomplete", {
      set(hear) { this.addEventListener("complete", (event) => held.then(() => hear(event))); },
    });
  }
  return getAll.apply(this, range);
};
window.told = new BroadcastChannel("carechat-drafts");
told.onmessage = ({ data }) => { window.heard = data.text; };
"""
"""The browser's database tells what was typed only after `answer()`; other tabs are `heard`."""


@pytest.fixture
def page(screens: Screens, doctor: Person, patient: Person) -> Page:
    """Return the doctor's page in the conversation, without a draft."""
    return screens.chat(doctor, patient, viewport=WIDE)


@pytest.fixture
def held(page: Page) -> Page:
    """Return that page, come back to a draft that has not been found yet."""
    on.field_of(page).fill(DRAFT)
    _until_kept(page, DRAFT)
    return _reload_held(page)


def test_what_is_typed_before_the_draft_is_found_stands_behind_it(held: Page) -> None:
    """In the field and in the browser's database, and what is typed then as well."""
    held.keyboard.type(", twice")
    expect(on.field_of(held)).to_have_value(", twice")
    held.evaluate("answer()")
    expect(on.field_of(held)).to_have_value(f"{DRAFT}, twice")
    held.keyboard.type(" a day.")
    expect(on.field_of(held)).to_have_value(f"{DRAFT}, twice a day.")
    _until_kept(held, f"{DRAFT}, twice a day.")


def test_enter_before_the_draft_is_found_sends_no_half_of_it(
    held: Page, doctor: Person, patient: Person
) -> None:
    """All of it is in the field, the page says so, and the next Enter sends the whole."""
    held.keyboard.type(", twice")
    held.keyboard.press("Enter")
    held.keyboard.type("a day.")
    held.evaluate("answer()")
    whole = f"{DRAFT}, twice\na day."
    expect(on.field_of(held)).to_have_value(whole)
    expect(held.locator("#chat-since")).to_have_text(
        "This begins with what you had typed before. It is not sent."
    )
    assert doctor.texts(patient) == []
    held.keyboard.press("Enter")
    expect(on.state(held, whole)).to_have_text("Sent")
    assert doctor.texts(patient) == [whole]
    expect(on.field_of(held)).to_have_value("")


def test_enter_before_it_is_known_that_there_is_no_draft_sends(
    page: Page, doctor: Person, patient: Person
) -> None:
    """Once it is known, in order; what is typed after it is the next message."""
    _reload_held(page)
    for text in ("one", "two"):
        page.keyboard.type(text)
        page.keyboard.press("Enter")
    page.keyboard.type("three")
    expect(on.field_of(page)).to_have_value("three")
    assert doctor.texts(patient) == []
    page.evaluate("answer()")
    expect(on.state(page, "two")).to_have_text("Sent")
    expect(on.field_of(page)).to_have_value("three")
    assert doctor.texts(patient) == ["one", "two"]
    _until_kept(page, "three")


def test_a_database_that_never_answers_keeps_nothing_from_being_sent(page: Page) -> None:
    """It is waited for, but not for long."""
    _reload_held(page)
    page.keyboard.type("one")
    page.keyboard.press("Enter")
    expect(on.state(page, "one")).to_have_text("Sent")


def test_whoever_leaves_before_the_draft_is_found_finds_all_of_it(
    held: Page, clinic: Clinic, doctor: Person, patient: Person
) -> None:
    """Another patient's conversation has none of it."""
    other = clinic.patient(doctor, name="Tom")
    beside = held.get_by_role("navigation", name="Conversations")
    held.keyboard.type(", twice")
    beside.get_by_role("link", name=other.name).click()
    expect(on.log(held, other)).to_be_visible()
    expect(on.field_of(held)).to_have_value("")
    held.evaluate("answer()")
    _until_kept(held, f"{DRAFT}, twice")
    expect(on.field_of(held)).to_have_value("")
    beside.get_by_role("link", name=patient.name).click()
    expect(on.field_of(held)).to_have_value(f"{DRAFT}, twice")


def test_what_is_typed_meanwhile_in_another_tab_stands_before_it(held: Page) -> None:
    """The other shows what has been typed here then, too."""
    other = held.context.new_page()
    other.goto(held.url)
    expect(on.field_of(other)).to_have_value(DRAFT)
    held.bring_to_front()
    held.keyboard.type(" Daily.")
    on.field_of(other).press_sequentially(", twice.")
    held.wait_for_function("text => window.heard === text", arg=f"{DRAFT}, twice.")
    expect(on.field_of(held)).to_have_value(" Daily.")
    held.evaluate("answer()")
    expect(on.field_of(held)).to_have_value(f"{DRAFT}, twice. Daily.")
    expect(on.field_of(other)).to_have_value(f"{DRAFT}, twice. Daily.")
    _until_kept(held, f"{DRAFT}, twice. Daily.")


def _reload_held(page: Page) -> Page:
    page.add_init_script(HELD)
    page.reload()
    expect(on.connection(page)).to_have_text("Connected")
    expect(on.field_of(page)).to_be_focused()
    return page


def _until_kept(page: Page, *texts: str) -> None:
    kept = f"(texts) => ({KEPT})().then((kept) => kept.join('|') === texts.join('|'))"
    page.wait_for_function(kept, arg=texts)
