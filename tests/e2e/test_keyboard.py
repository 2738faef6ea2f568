"""The whole product with a keyboard alone."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e import screens as on
from tests.e2e.clinic import Clinic
from tests.e2e.screens import Screens
from tests.people import PASSWORD

STEPS = 25
"""More than lie between any two things on a page."""

RING = """
() => {
  const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
  return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
}
"""
FOCUSED = "() => document.activeElement.outerHTML.slice(0, 120)"


def test_sign_in_reach_a_patient_send_go_back_and_sign_out(
    clinic: Clinic, screens: Screens
) -> None:
    """No pointer is used, and nothing has to be known but Tab and Enter."""
    doctor, patient = clinic.pair()
    page = screens.open()
    page.goto("/login")
    _tab_to(page, page.get_by_label("Email"))
    page.keyboard.type(doctor.email)
    _tab_to(page, page.get_by_label("Password", exact=True))
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")

    chat = on.card(page, patient).get_by_role("link", name="Chat")
    expect(chat).to_be_visible()
    _tab_to(page, chat)
    page.keyboard.press("Enter")
    expect(on.log(page, patient)).to_be_visible()
    _tab_to(page, on.field_of(page))
    page.keyboard.type("Hi!")
    page.keyboard.press("Enter")
    expect(on.state(page, "Hi!")).to_have_text("Sent")

    _tab_to(page, page.get_by_role("link", name="Back to the dashboard"), "Shift+Tab")
    page.keyboard.press("Enter")
    expect(on.card(page, patient)).to_be_visible()
    _tab_to(page, page.get_by_role("button", name="menu"))
    page.keyboard.press("Enter")
    _tab_to(page, page.get_by_role("button", name="Sign out"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/login")


def test_the_skip_link_comes_first_and_leads_to_the_content(
    clinic: Clinic, screens: Screens
) -> None:
    """It is seen only while it has the focus."""
    page = screens.dashboard(clinic.doctor())
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).not_to_be_in_viewport()
    page.keyboard.press("Tab")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Invite")).to_be_focused()


def test_escape_closes_the_menu_and_the_dialog(clinic: Clinic, screens: Screens) -> None:
    """The focus returns to the button that opened them."""
    page = screens.dashboard(clinic.doctor())
    menu, invite = (
        page.get_by_role("button", name="menu"),
        page.get_by_role("button", name="Invite"),
    )
    for button, opened in [
        (menu, page.get_by_role("button", name="Sign out")),
        (invite, page.get_by_role("dialog")),
    ]:
        button.focus()
        page.keyboard.press("Enter")
        expect(opened).to_be_visible()
        page.keyboard.press("Escape")
        expect(opened).to_be_hidden()
        expect(button).to_be_focused()


def test_the_log_can_be_scrolled_with_keys(clinic: Clinic, screens: Screens) -> None:
    """It takes the focus itself."""
    doctor, patient = clinic.pair()
    doctor.says(patient, *(f"line {number}" for number in range(40)))
    page = screens.chat(patient, doctor)
    expect(on.message(page, "line 39")).to_be_in_viewport()
    _tab_to(page, on.log(page), "Shift+Tab")
    page.keyboard.press("Home")
    expect(on.message(page, "line 0")).to_be_in_viewport()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/login", "/dashboard", "/account", "/chat"])
def test_the_focus_is_always_seen(clinic: Clinic, screens: Screens, path: str, scheme: str) -> None:
    """Everything that Tab reaches has a ring of 2 px."""
    doctor, patient = clinic.pair()
    page = screens.as_somebody(doctor, color_scheme=scheme)
    page.goto(f"/chat?email={patient.email}" if path == "/chat" else path)
    expect(page.locator("h1")).to_be_visible()
    page.wait_for_load_state("networkidle")
    without = []
    for _ in range(STEPS):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
        if not page.evaluate(RING):
            without.append(page.evaluate(FOCUSED))
    assert without == []


class TestWhereTheFocusGoes:
    """When what had it leaves the page."""

    @pytest.fixture
    def thread(self, clinic: Clinic, screens: Screens) -> Page:
        """Return a page in a conversation."""
        doctor, patient = clinic.pair()
        return screens.chat(doctor, patient)

    def test_after_retry_and_remove_it_is_in_the_field(self, thread: Page) -> None:
        """The buttons are gone."""
        on.write(thread, "not\u0007sent")
        for name in ("Retry", "Remove"):
            thread.get_by_role("button", name=name).focus()
            thread.keyboard.press("Enter")
            expect(on.field_of(thread)).to_be_focused()

    def test_in_a_conversation_it_is_in_the_field_and_stays_there(
        self, clinic: Clinic, screens: Screens
    ) -> None:
        """Also on the way from another page, whose heading would have it otherwise."""
        doctor, patient = clinic.pair()
        page = screens.dashboard(doctor)
        on.card(page, patient).get_by_role("link", name="Chat").click()
        expect(on.field_of(page)).to_be_focused()
        page.wait_for_timeout(500)
        expect(on.field_of(page)).to_be_focused()

    @pytest.mark.parametrize("way", ["pressed", "scrolled"])
    def test_when_new_messages_leaves_it_is_in_the_log(
        self, clinic: Clinic, screens: Screens, way: str
    ) -> None:
        """Whether it was pressed or has done its work."""
        doctor, patient = clinic.pair()
        patient.says(doctor, *("x " * 100 for _ in range(20)))
        page = screens.chat(doctor, patient)
        expect(on.messages(page).last).to_be_in_viewport()
        on.scroll_up(page, 1_500)
        expect(on.messages(page).last).not_to_be_in_viewport()
        patient.says(doctor, "news")
        page.get_by_role("button", name="New messages").focus()
        if way == "pressed":
            page.keyboard.press("Enter")
        else:
            on.log(page).evaluate("log => { log.scrollTop = log.scrollHeight }")
        expect(page.get_by_role("button", name="New messages")).to_be_hidden()
        expect(on.log(page)).to_be_focused()

    def test_after_are_you_still_there_it_is_where_it_was(
        self, clinic: Clinic, screens: Screens
    ) -> None:
        """Whoever answers goes on."""
        page = screens.as_somebody(clinic.doctor())
        page.clock.install()
        page.goto("/dashboard")
        page.get_by_role("button", name="Invite").focus()
        page.clock.fast_forward("14:10")
        expect(page.get_by_role("button", name="Stay signed in")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("alertdialog")).to_be_hidden()
        expect(page.get_by_role("button", name="Invite")).to_be_focused()

    def test_after_stay_it_is_where_sign_out_was_pressed(self, thread: Page) -> None:
        """The menu is open still."""
        on.field_of(thread).fill("half a thought")
        thread.get_by_role("button", name="menu").press("Enter")
        end = thread.get_by_role("button", name="Sign out")
        end.press("Enter")
        thread.get_by_role("button", name="Stay").press("Enter")
        expect(thread.get_by_role("alertdialog")).to_be_hidden()
        expect(end).to_be_focused()

    def test_after_the_cover_of_an_idle_page_it_is_where_it_was(
        self, clinic: Clinic, screens: Screens
    ) -> None:
        """The session went on elsewhere."""
        doctor, patient = clinic.pair()
        page = screens.as_somebody(doctor)
        page.clock.install()
        on.open_chat(page, patient)
        on.field_of(page).focus()
        page.context.set_offline(True)
        expect(on.connection(page)).to_have_text("Disconnected", timeout=on.WAIT_MS)
        page.clock.fast_forward("16:00")
        expect(page.get_by_role("alertdialog")).to_be_visible()
        page.context.set_offline(False)
        expect(page.get_by_role("alertdialog")).to_be_hidden(timeout=2 * on.WAIT_MS)
        expect(on.field_of(page)).to_be_focused()

    @pytest.mark.parametrize("where", ["cards", "conversations"])
    def test_after_show_more_it_is_on_the_first_of_what_came(
        self, clinic: Clinic, screens: Screens, where: str
    ) -> None:
        """The button is gone."""
        doctor, patient = clinic.pair()
        clinic.add_patients(doctor, 60)
        patient.says(doctor, "I feel dizzy.")
        page = screens.as_somebody(doctor)
        page.goto("/dashboard" if where == "cards" else f"/chat?email={patient.email}")
        links = page.locator(f".{where} a")
        expect(links).to_have_count(50)
        page.get_by_role("button", name="Show more").focus()
        expect(links).to_have_count(61)
        expect(links.nth(50)).to_be_focused()

    @pytest.mark.parametrize("what", ["card", "search", "invitation", "list"])
    def test_after_the_server_was_started_again_it_is_where_it_was(
        self, clinic: Clinic, screens: Screens, what: str
    ) -> None:
        """With what was typed there, though the new server has to learn first what to show."""
        doctor, patient = clinic.pair()
        tom = clinic.patient(doctor, name="Tom")
        page = screens.chat(doctor, tom) if what == "list" else screens.dashboard(doctor)
        place = _settle(page, what)
        typed = place.evaluate("node => node.value ?? ''")
        cards = page.get_by_role("article").count()
        clinic.kill_server()
        expect(on.connection(page)).to_have_text("Disconnected", timeout=on.WAIT_MS)
        expect(on.connection(page)).to_have_text("Connected", timeout=3 * on.WAIT_MS)
        patient.says(doctor, "I feel dizzy.")
        expect(page.get_by_text("I feel dizzy.")).to_be_visible(timeout=2 * on.WAIT_MS)
        expect(place).to_be_focused()
        assert place.evaluate("node => node.value ?? ''") == typed
        expect(page.get_by_role("article")).to_have_count(cards)

    def test_after_inviting_it_is_in_the_link(self, clinic: Clinic, screens: Screens) -> None:
        """Which is selected; where there is none it is on the way out."""
        doctor = clinic.doctor()
        page = screens.dashboard(doctor)
        _invite(page, "Nora New", f"nora.of.{doctor.email}")
        link = page.get_by_role("textbox", name="Link")
        expect(link).to_be_focused()
        page.get_by_role("button", name="Done").click()
        _invite(page, "Tom", clinic.patient(clinic.doctor(), name="Tom").email)
        expect(page.get_by_role("button", name="Done")).to_be_focused()

    def test_the_menu_closes_when_it_leaves_it(self, clinic: Clinic, screens: Screens) -> None:
        """It goes on to the content."""
        page = screens.dashboard(clinic.doctor())
        page.get_by_role("button", name="menu").focus()
        page.keyboard.press("Enter")
        end = page.get_by_role("button", name="Sign out")
        _tab_to(page, end)
        page.keyboard.press("Tab")
        expect(end).to_be_hidden()
        assert page.evaluate("document.activeElement.closest('main') !== null")


def _settle(page: Page, where: str) -> Locator:
    """Be there, where something can be typed with something typed; returns it."""
    if where in ("card", "list"):
        among = page.get_by_role("article" if where == "card" else "navigation")
        place = among.get_by_role("link", name="Maria Jones")
        place.focus()
        return place
    if where == "search":
        place = page.get_by_role("searchbox")
    else:
        page.get_by_role("button", name="Invite").click()
        place = page.get_by_role("dialog").get_by_label("Name")
    place.fill("maria")
    expect(page.locator("main article")).to_have_count(1 if where == "search" else 2)
    return place


def _invite(page: Page, name: str, email: str) -> None:
    page.get_by_role("button", name="Invite").click()
    dialog = page.get_by_role("dialog", name="Invite a patient")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("Email").fill(email)
    dialog.get_by_role("button", name="Create invitation").click()


def _tab_to(page: Page, target: Locator, key: str = "Tab") -> None:
    for _ in range(STEPS):
        if target.evaluate("node => node === document.activeElement"):
            return
        page.keyboard.press(key)
    pytest.fail(f"{key} does not lead to {target}")
