"""A browser that is killed: nothing that was typed is lost, and what was sent goes out once."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import chromium
from tests.e2e import screens as on
from tests.e2e.clinic import URL, Clinic, Person
from tests.e2e.screens import WAIT_MS
from tests.people import PASSWORD


class Profile:
    """A browser whose profile outlives it, as that of a person's own computer."""

    def __init__(self, browser: Browser, folder: Path) -> None:
        self._chromium = browser.browser_type
        self._folder = folder

    def start(self, person: Person) -> Page:
        """Return a page of the browser, started anew, in which that person signs in again."""
        context = self._chromium.launch_persistent_context(
            self._folder, executable_path=chromium.PROGRAM, args=chromium.FLAGS, base_url=URL
        )
        context.set_default_timeout(WAIT_MS)
        page = context.new_page()
        form: dict[str, str | float | bool] = {"email": person.email, "password": PASSWORD}
        page.request.post("/auth/session", form=form, headers={"Origin": URL}, max_redirects=0)
        return page

    def kill(self) -> None:
        """Kill every process of the browser, which can write nothing more."""
        for pid in self._pids():
            os.kill(pid, signal.SIGKILL)

    def _pids(self) -> Iterator[int]:
        for command in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                if f"--user-data-dir={self._folder}\0".encode() in command.read_bytes():
                    yield int(command.parent.name)
            except OSError:
                # It has ended meanwhile.
                continue


SENT_SECONDS = 5.0

IS_KEPT = """
([table, text]) => new Promise((resolve) => {
  const opening = indexedDB.open("carechat");
  opening.onupgradeneeded = () => opening.transaction.abort();
  opening.onerror = () => resolve(false);
  opening.onsuccess = () => {
    const database = opening.result;
    const asked = database.transaction(table).objectStore(table).getAll();
    asked.onsuccess = () => {
      database.close();
      resolve(asked.result.some((one) => one.text === text));
    };
  };
})"""


def type_text(page: Page, text: str) -> None:
    """Type that and wait until the browser has it: nobody can promise the last milliseconds."""
    on.field_of(page).press_sequentially(text)
    page.wait_for_function(IS_KEPT, arg=["drafts", text])


def until_sent(page: Page, text: str) -> None:
    """Wait until the browser has it as sent, or the server has it."""
    deadline = time.monotonic() + SENT_SECONDS
    while not page.evaluate(IS_KEPT, ["outbox", text]):
        if "Sending" not in (on.state(page, text).text_content() or ""):
            return
        assert time.monotonic() < deadline


@pytest.fixture
def profile(browser: Browser, clinic: Clinic, tmp_path: Path) -> Iterator[Profile]:
    """Give a browser with a profile of its own; none of its processes outlives the test."""
    profile = Profile(browser, tmp_path)
    yield profile
    profile.kill()


@pytest.mark.parametrize("online", [True, False])
def test_what_was_sent_when_the_browser_was_killed_goes_out_once(
    clinic: Clinic, profile: Profile, online: bool
) -> None:
    """Right after Enter; several, in the order of writing."""
    doctor, patient = clinic.pair()
    page = profile.start(doctor)
    on.open_chat(page, patient)
    page.context.set_offline(not online)
    on.write(page, "one", "two", "three")
    until_sent(page, "three")
    profile.kill()

    page = profile.start(doctor)
    on.open_chat(page, patient)
    expect(on.messages(page)).to_have_text(["one", "two", "three"])
    expect(on.state(page, "three")).to_have_text("Sent")
    expect(on.field_of(page)).to_have_value("")
    assert doctor.texts(patient) == ["one", "two", "three"]


def test_what_was_typed_when_the_browser_was_killed_is_in_the_field(
    clinic: Clinic, profile: Profile
) -> None:
    """It is not sent, and not lost."""
    doctor, patient = clinic.pair()
    page = profile.start(doctor)
    on.open_chat(page, patient)
    type_text(page, "half a thought")
    profile.kill()

    page = profile.start(doctor)
    on.open_chat(page, patient)
    expect(on.field_of(page)).to_have_value("half a thought")
    assert doctor.texts(patient) == []


def test_killed_again_and_again_nothing_is_lost_or_doubled(
    clinic: Clinic, profile: Profile
) -> None:
    """Each text is sent or still in the field, and none is both."""
    doctor, patient = clinic.pair()
    texts = [f"line {number}" for number in range(4)]
    for text in texts:
        page = profile.start(doctor)
        on.open_chat(page, patient)
        type_text(page, text)
        on.field_of(page).press("Enter", no_wait_after=True)
        profile.kill()
        page = profile.start(doctor)
        on.open_chat(page, patient)
        expect(on.message(page, text).or_(page.get_by_text(text, exact=True)).first).to_be_visible()
        if on.field_of(page).input_value():
            on.field_of(page).press("Enter")
        expect(on.state(page, text)).to_have_text("Sent")
        profile.kill()
    assert doctor.texts(patient) == texts
