"""Every page, in the states that look different: on a small phone and wide, light and dark."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e import screens as on
from tests.e2e.clinic import Clinic
from tests.e2e.pages import PAGES, visit
from tests.e2e.screens import PHONE, Screens

FOLDER = Path(__file__).parent
SIZES = {"phone": PHONE["viewport"], "wide": {"width": 1440, "height": 900}}

VIOLATIONS = """
async () => {
  const { violations } = await axe.run();
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) =>
    [id, html, failureSummary].join("\\n")));
}
"""
STICKING_OUT = """
() => [...document.querySelectorAll("main, h1, h2, p, a[href], button, input, textarea")]
  .filter((node) => node.checkVisibility() && !node.closest(".skip"))
  .map((node) => [node.outerHTML.slice(0, 80), node.getBoundingClientRect()])
  .filter(([, { left, right }]) => left < -0.5 || right > innerWidth + 0.5)
  .map(([html]) => html)
"""
BURST = """
() => [...document.querySelectorAll(".avatar, .unread, .button, .reveal, .chat-send, .chat-new")]
  .filter((node) => node.checkVisibility())
  .filter((node) => node.scrollWidth > node.clientWidth + 1
    || node.scrollHeight > node.clientHeight + 1)
  .map((node) => node.outerHTML.slice(0, 80))
"""
SMALL_TARGETS = """
() => [...document.querySelectorAll("a[href], button, input, textarea")]
  .filter((node) => node.checkVisibility() && !node.closest(".skip, [aria-hidden]"))
  .map((node) => [node.textContent || node.name, node.getBoundingClientRect()])
  .filter(([, { width, height }]) => height < 43.5 || width < 43.5)
  .map(([name, { width, height }]) => `${name}: ${width} x ${height}`)
"""


@pytest.fixture(scope="module")
def axe() -> str:
    """Return axe-core's source, installed as its lock says if it is not there."""
    package = FOLDER / "node_modules" / "axe-core"
    wanted = json.loads((FOLDER / "package.json").read_text())["dependencies"]["axe-core"]
    installed = package / "package.json"
    if not installed.exists() or json.loads(installed.read_text())["version"] != wanted:
        npm = [Path(sys.executable).parent / "npm", "ci", "--no-audit", "--no-fund"]
        subprocess.run(npm, cwd=FOLDER, check=True, capture_output=True)
    return (package / "axe.min.js").read_text()


@pytest.fixture(scope="module", params=PAGES)
def page(request: pytest.FixtureRequest, clinic: Clinic, browser: Browser) -> Iterator[Page]:
    """Give each page in turn, on a phone; a console message from warning up fails the test."""
    screens = Screens(browser)
    yield visit(clinic, screens, request.param, **PHONE)
    screens.close()
    assert screens.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing(
    page: Page, axe: str, size: str, scheme: Literal["light", "dark"]
) -> None:
    """No violation of any of its rules."""
    page.set_viewport_size(SIZES[size])
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.evaluate(axe)
    assert page.evaluate(VIOLATIONS) == []


@pytest.mark.parametrize("size", SIZES)
def test_nothing_sticks_out_at_the_side(page: Page, size: str) -> None:
    """Not with long names and words either, and nothing scrolls sideways."""
    page.set_viewport_size(SIZES[size])
    assert page.evaluate("document.scrollingElement.scrollWidth - innerWidth") <= 0
    assert page.evaluate(STICKING_OUT) == []


def test_nothing_sticks_out_with_letters_twice_as_large(page: Page) -> None:
    """On a phone, as its owner may have set them."""
    page.set_viewport_size(SIZES["phone"])
    on.enlarge(page, 32)
    try:
        assert page.evaluate("document.scrollingElement.scrollWidth - innerWidth") <= 0
        assert page.evaluate(STICKING_OUT) == []
        assert page.evaluate(BURST) == []
    finally:
        on.enlarge(page, 16)


def test_everything_can_be_hit_with_a_finger(page: Page) -> None:
    """Targets are 44 px at least."""
    page.set_viewport_size(SIZES["phone"])
    assert page.evaluate(SMALL_TARGETS) == []


def test_it_has_a_title_one_heading_and_one_main_part(page: Page) -> None:
    """So that one knows where one is, whatever one hears or sees of it."""
    expect(page.locator("h1")).to_have_count(1)
    expect(page.get_by_role("main")).to_have_count(1)
    assert "CareChat" in page.title()
