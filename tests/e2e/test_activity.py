"""What keeps a session awake: a person's keys and pointers, and nothing that a page does alone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from playwright.sync_api import Page, expect
from pymongo.change_stream import CollectionChangeStream
from pymongo.database import Database

from tests.e2e import screens as on
from tests.e2e.clinic import Clinic, Person
from tests.e2e.screens import WAIT_MS, Screens

A_WHILE = timedelta(minutes=5)
"""Less than the idle time, more than the exactness with which acts are kept."""

ACTS: dict[str, Callable[[Page], None]] = {
    "key": lambda page: page.keyboard.press("Shift"),
    "pointer": lambda page: page.mouse.click(2, 2),
    "touch": lambda page: page.touchscreen.tap(2, 2),
}


@pytest.fixture
def page(screens: Screens, doctor: Person) -> Page:
    """Return their dashboard, on which nothing was done yet and whose clock can be moved."""
    page = screens.as_somebody(doctor, has_touch=True)
    page.clock.install()
    page.goto("/dashboard")
    expect(page.get_by_role("heading", name="No patients yet")).to_be_visible()
    return page


@pytest.mark.parametrize("act", ACTS)
def test_a_key_or_pointer_used_on_a_page_keeps_the_session_awake(
    clinic: Clinic, page: Page, act: str
) -> None:
    """The server notes when it was, at the first one at once."""
    _rest(clinic, page)
    with _noted(clinic, page):
        ACTS[act](page)


def test_an_act_soon_after_another_is_noted_as_well(clinic: Clinic, page: Page) -> None:
    """With those of 20 s in one: the last one counts, not only the first."""
    _rest(clinic, page)
    with _noted(clinic, page):
        page.keyboard.press("Shift")
    _rest(clinic, page)
    page.clock.fast_forward(5_000)
    with _noted(clinic, page):
        page.keyboard.press("Shift")
        page.clock.fast_forward(15_000)


def test_the_answer_that_one_is_still_there_is_noted(clinic: Clinic, page: Page) -> None:
    """Else the page would go on in a session that is over."""
    _rest(clinic, page)
    page.clock.fast_forward("14:10")
    with _noted(clinic, page):
        page.get_by_role("button", name="Stay signed in").click()


def test_what_a_page_gets_and_reads_by_itself_does_not_keep_it_awake(
    clinic: Clinic, screens: Screens, doctor: Person
) -> None:
    """Pushes, receipts and the reading of what is on the screen, for ten minutes."""
    patient = clinic.patient(doctor)
    theirs = screens.chat(patient, doctor)
    page = screens.as_somebody(doctor)
    page.clock.install()
    on.open_chat(page, patient)
    rested = _rest(clinic, page)
    for text in ("Good morning!", "Are you there?"):
        on.write(theirs, text)
        expect(on.state(theirs, text)).to_have_text("Read")
        page.clock.fast_forward("05:00")
    on.write(theirs, "Hello?")
    expect(on.state(theirs, "Hello?")).to_have_text("Read")
    assert _active_at(clinic, page) == rested


class TestOffline:
    """The idle end comes while there is no connection."""

    @pytest.fixture
    def page(self, clinic: Clinic, screens: Screens, doctor: Person) -> Page:
        """Return a page in a conversation after more than the idle time without a connection."""
        page = screens.as_somebody(doctor, has_touch=True)
        page.clock.install()
        on.open_chat(page, clinic.patient(doctor))
        on.field_of(page).fill("half a thought")
        page.context.set_offline(True)
        expect(on.connection(page)).to_have_text("Disconnected")
        page.clock.fast_forward("16:00")
        return page

    def test_it_covers_the_page(self, page: Page) -> None:
        """No key and no touch brings back what was there."""
        cover = page.get_by_role("alertdialog", name="You are offline.")
        for act in ACTS.values():
            expect(cover).to_be_visible()
            act(page)
            page.keyboard.press("Escape")
        page.clock.fast_forward("00:30")
        expect(cover).to_contain_text("Sign in again when you are back; your words are kept.")
        assert on.box(cover)["height"] == page.evaluate("innerHeight")

    def test_back_online_it_says_why_one_has_to_sign_in(
        self, clinic: Clinic, page: Page, doctor: Person
    ) -> None:
        """And what was written is there again."""
        with clinic.database() as database:
            database["sessions"].delete_many({"email": doctor.email})
        page.context.set_offline(False)
        page.wait_for_url("**/login?*", timeout=2 * WAIT_MS)
        expect(page.get_by_role("note")).to_contain_text("You were signed out.")
        expect(page.get_by_role("note")).to_contain_text("is kept on this device.")


def test_who_comes_back_to_a_conversation_hears_why_they_have_to_sign_in(
    clinic: Clinic, screens: Screens, doctor: Person
) -> None:
    """As after a night, when not even the cookie is left; who comes to the first page does not."""
    page = screens.open()
    page.goto(f"/chat?email={clinic.patient(doctor).email}")
    expect(page.get_by_role("note")).to_contain_text("You were signed out.")
    page.goto("/")
    page.wait_for_url("**/login?next=*")
    expect(page.get_by_role("note")).to_have_count(0)


def _rest(clinic: Clinic, page: Page) -> datetime:
    """Let the page's session have been left alone for a while; returns since when.

    A server remembers sessions. That somebody was active it is not told, but of any other change
    it is, and then it reads the session anew.
    """
    now = datetime.now(UTC)
    since = (now - A_WHILE).replace(microsecond=0)
    session = {"_id": _session(page)}
    with clinic.database() as database:
        for rests in ({"active_at": since}, {"rested_at": now}):
            assert database["sessions"].update_one(session, {"$set": rests}).modified_count == 1
    clinic.until_heard()
    return since


def _active_at(clinic: Clinic, page: Page) -> datetime:
    with clinic.database() as database:
        [session] = database["sessions"].find({"_id": _session(page)})
    return session["active_at"]


@contextmanager
def _noted(clinic: Clinic, page: Page) -> Iterator[None]:
    """Fail unless what is done in here makes the server note that the page's person is there."""
    began = datetime.now(UTC)
    with clinic.database() as database, _changes(database, _session(page)) as changes:
        yield
        change = changes.try_next()
    assert change, "nothing was noted"
    noted = change["updateDescription"]["updatedFields"]["active_at"]
    assert noted > began - timedelta(seconds=1)


def _changes(
    database: Database[dict[str, Any]], session_id: str
) -> CollectionChangeStream[dict[str, Any]]:
    """What is changed in that session from now on."""
    of_session: list[dict[str, Any]] = [{"$match": {"documentKey._id": session_id}}]
    return database["sessions"].watch(of_session, max_await_time_ms=WAIT_MS)


def _session(page: Page) -> str:
    """Return the id of the session whose cookie the page's browser has."""
    [cookie] = page.context.cookies()
    claims = jwt.decode(cookie.get("value", ""), options={"verify_signature": False})
    return claims["sid"]
