"""Takes the screenshots in docs/screenshots anew, of the demo just after its start."""

import contextlib
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from carechat.demo import DOCTOR_EMAIL, PASSWORD, PATIENT_EMAIL
from tests import chromium, processes
from tests.e2e.clinic import PAGES, PORT, URL
from tests.processes import PROJECT

Theme = Literal["light", "dark"]

FOLDER = PROJECT / "docs" / "screenshots"
THEMES: tuple[Theme, Theme] = ("light", "dark")
MORNING = 10
"""The hour in the pictures, whenever they are taken."""


@contextlib.contextmanager
def served() -> Iterator[None]:
    """Serve the demo, on data of its own, with the pages that the browser tests have built."""
    with tempfile.TemporaryDirectory() as data_dir:
        variables = {"CARECHAT_BCRYPT_COST": "4", "TZ": time_zone()}
        environment = processes.environment(Path(data_dir), PORT, PAGES, **variables)
        with processes.serving(environment):
            yield


def time_zone() -> str:
    """Return a zone in which it is morning now; its name counts hours west of Greenwich."""
    west = (datetime.now(UTC).hour - MORNING + 12) % 24 - 12
    return f"Etc/GMT{west:+d}"


def wide(browser: Browser, theme: Theme) -> BrowserContext:
    """Return a browser on a desk."""
    return browser.new_context(
        base_url=URL,
        color_scheme=theme,
        locale="en-GB",
        timezone_id=time_zone(),
        viewport={"width": 1280, "height": 800},
    )


def phone(browser: Browser, theme: Theme) -> BrowserContext:
    """Return a browser in a hand."""
    return browser.new_context(
        base_url=URL,
        color_scheme=theme,
        locale="en-GB",
        timezone_id=time_zone(),
        viewport={"width": 390, "height": 700},
        device_scale_factor=2,
        is_mobile=True,
        has_touch=True,
    )


def signed_in(context: BrowserContext, email: str) -> Page:
    """Return a page on the dashboard of that person."""
    page = context.new_page()
    page.goto("/login")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/dashboard")
    page.get_by_role("article").first.wait_for()
    return page


def chatting(page: Page, partner: str) -> Page:
    """Return the page, on the conversation with that partner."""
    page.goto(f"/chat?email={partner}")
    page.get_by_role("status").get_by_text("Connected").wait_for(state="attached")
    page.locator("[data-seq]").last.wait_for()
    return page


def proving(page: Page) -> Page:
    """Return the page, with what became of its conversation."""
    page.get_by_role("button", name="Delivery").click()
    page.get_by_text("no gaps").wait_for()
    return page


def save(page: Page, name: str) -> None:
    """Keep what the page shows, once it has come to rest, under that name."""
    page.wait_for_timeout(800)
    path = FOLDER / f"{name}.png"
    page.screenshot(path=path, animations="disabled", caret="hide")
    print(f"{path.relative_to(PROJECT)}  {path.stat().st_size / 1000:.0f} kB")


def take(browser: Browser) -> None:
    """Save every screenshot; the doctor is there all the time, and reads last."""
    entrance = wide(browser, "light").new_page()
    entrance.goto("/login")
    save(entrance, "sign-in")
    doctors: dict[Theme, Page] = {}
    for theme in THEMES:
        doctors[theme] = signed_in(wide(browser, theme), DOCTOR_EMAIL)
        save(doctors[theme], f"doctor-dashboard-{theme}")
    for theme in THEMES:
        page = signed_in(phone(browser, theme), PATIENT_EMAIL)
        page.get_by_text("Your Doctor is Available").wait_for()
        save(page, f"patient-dashboard-{theme}")
        save(chatting(page, DOCTOR_EMAIL), f"patient-chat-{theme}")
    page = proving(chatting(signed_in(phone(browser, "light"), PATIENT_EMAIL), DOCTOR_EMAIL))
    save(page, "patient-delivery")
    save(chatting(doctors["light"], PATIENT_EMAIL), "doctor-chat")


def main() -> None:
    """Serve the demo and take every screenshot of it."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with served(), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.PROGRAM, args=chromium.FLAGS)
        take(browser)
        browser.close()


if __name__ == "__main__":
    main()
