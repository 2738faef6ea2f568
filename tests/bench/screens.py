"""Browsers on the served product, each page of a person in a fresh profile."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests import chromium
from tests.bench.product import URL, Person
from tests.people import PASSWORD

STAMPS = Path(__file__).with_name("stamps.js")


@dataclass(frozen=True)
class Screens:
    """Opens pages; whatever was opened by `profile` is closed when that is left."""

    browser: Browser

    @contextlib.contextmanager
    def profile(self, person: Person) -> Iterator[BrowserContext]:
        """Give a browser profile in which that person is signed in and nothing is cached."""
        context = self.browser.new_context(base_url=URL)
        context.add_init_script(path=STAMPS)
        answer = context.request.post(
            "/auth/session",
            form={"email": person.email, "password": PASSWORD},
            headers={"Origin": URL},
        )
        assert answer.url.rstrip("/").endswith("/dashboard"), answer.url
        yield context
        context.close()

    @contextlib.contextmanager
    def chat(self, person: Person, partner: Person) -> Iterator[Page]:
        """Give the person's page on the conversation with the partner, ready for use."""
        with self.profile(person) as context:
            yield chat(context, partner)


def chat(context: BrowserContext, partner: Person) -> Page:
    """Return one more page on the conversation with the partner, ready for use."""
    page = context.new_page()
    page.goto(f"/chat?email={partner.email}")
    page.get_by_role("textbox", name="Message").wait_for()
    page.get_by_role("status").get_by_text("Connected").wait_for(state="attached")
    return page


@contextlib.contextmanager
def launch() -> Iterator[Screens]:
    """Give Chromium without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.PROGRAM, args=chromium.FLAGS)
        yield Screens(browser)
        browser.close()
