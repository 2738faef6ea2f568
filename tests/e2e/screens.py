"""Browsers on the served product, and where on its pages things are."""

import re
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    FloatRect,
    Locator,
    Page,
    expect,
)

from tests.e2e.clinic import URL, Person
from tests.people import PASSWORD

PHONE: dict[str, Any] = {
    "viewport": {"width": 320, "height": 568},
    "has_touch": True,
    "is_mobile": True,
}
"""A small one."""

WAIT_MS = 10_000
"""How long what must happen may take."""

BROWSERS_OWN = re.compile(
    r"net::ERR_|WebSocket connection to .* failed|"
    r"Failed to load resource: .* 404 \(Not Found\) .*/nothing-here$"
)
"""The browser's lines about a network that is down or a page that is not there: no page's own."""


TELL_ERRORS = """addEventListener("error", ({ message, error }) => {
  if (!error) console.error(`window: ${message}`);
})"""
"""An error that no code has thrown, such as observers that go in circles, is in no console."""


@dataclass
class Screens:
    """Opens browsers, each with a profile of its own, and hears what their consoles say."""

    browser: Browser
    complaints: list[str] = field(default_factory=list)
    _contexts: list[BrowserContext] = field(default_factory=list)

    def open(self, **options: Any) -> Page:
        """Return a page of a fresh profile that is nobody yet; `options` are Playwright's."""
        context = self.browser.new_context(base_url=URL, **options)
        context.set_default_timeout(WAIT_MS)
        self._contexts.append(context)
        context.add_init_script(TELL_ERRORS)
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        return context.new_page()

    def as_somebody(self, person: Person, **options: Any) -> Page:
        """Return a page of a fresh profile in which that person is signed in already."""
        page = self.open(**options)
        form: dict[str, str | float | bool] = {"email": person.email, "password": PASSWORD}
        answer = page.request.post(
            "/auth/session", form=form, headers={"Origin": URL}, max_redirects=0
        )
        assert answer.status == 303
        return page

    def dashboard(self, person: Person, **options: Any) -> Page:
        """Return a page on the person's dashboard, loaded."""
        page = self.as_somebody(person, **options)
        page.goto("/dashboard")
        expect(connection(page)).to_have_text("Connected")
        expect(page.get_by_role("button", name=f"{person.name} menu")).to_be_visible()
        return page

    def chat(self, person: Person, partner: Person, **options: Any) -> Page:
        """Return a page on the person's conversation with the partner, loaded."""
        page = self.as_somebody(person, **options)
        open_chat(page, partner)
        return page

    def close(self) -> None:
        """Close every browser that was opened."""
        for context in self._contexts:
            context.close()

    def _hear(self, message: ConsoleMessage) -> None:
        words = f"{message.type}: {message.text} {message.location['url']}"
        if message.type in {"warning", "error"} and not BROWSERS_OWN.search(words):
            self.complaints.append(words)


def enlarge(page: Page, size: int = 32) -> None:
    """Let the browser's letters be of that size; 16 is what it comes with."""
    sizes = {"standard": size, "fixed": size}
    page.context.new_cdp_session(page).send("Page.setFontSizes", {"fontSizes": sizes})


def box(place: Locator) -> FloatRect:
    """Where something is on the screen."""
    found = place.bounding_box()
    assert found
    return found


def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    """Fill in and send the sign-in page, which is open."""
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def sign_out(page: Page) -> None:
    """Use the menu to sign out."""
    page.get_by_role("button", name="menu").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/login")


def open_chat(page: Page, partner: Person) -> None:
    """Lead the page to the conversation with the partner and wait until it is there."""
    page.goto(f"/chat?email={partner.email}")
    expect(connection(page)).to_have_text("Connected")
    expect(field_of(page)).to_be_visible()


def log(page: Page, partner: Person | None = None) -> Locator:
    """Where the conversation is."""
    name = (
        re.compile("Conversation with .")
        if partner is None
        else f"Conversation with {partner.name}"
    )
    return page.get_by_role("log", name=name)


def message(page: Page, text: str) -> Locator:
    """The message with that text, in the log."""
    words = page.get_by_text(text, exact=True)
    return log(page).locator("[data-key]").filter(has=words)


def messages(page: Page) -> Locator:
    """Every message's own words, in order."""
    return log(page).locator(".chat-bubble, .chat-emoji")


def state(page: Page, text: str) -> Locator:
    """What became of the own message with that text: a sign and the word for it."""
    return message(page, text).locator("[data-state]")


def scroll_up(page: Page, how_far: int = 400) -> None:
    """Turn the wheel over the log."""
    log(page).hover()
    page.mouse.wheel(0, -how_far)


def field_of(page: Page) -> Locator:
    """Where a message is written."""
    return page.get_by_role("textbox", name="Message", exact=True)


def write(page: Page, *texts: str) -> None:
    """Type each text and press Enter."""
    for text in texts:
        field_of(page).fill(text)
        field_of(page).press("Enter")


def connection(page: Page) -> Locator:
    """The dot and its word."""
    return page.get_by_role("status")


def card(page: Page, person: Person) -> Locator:
    """That person's card or banner on the dashboard."""
    return page.get_by_role("article", name=person.name, exact=True)
