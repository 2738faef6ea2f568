"""How long it takes from asking for a chat page to using it, with nothing cached."""

from collections.abc import Mapping
from dataclasses import dataclass

from playwright.sync_api import Page

from tests.bench import filling
from tests.bench.figures import Line, short, spread
from tests.bench.plan import Plan
from tests.bench.product import Pair, Product
from tests.bench.screens import Screens

SCRIPTS = """() => performance.getEntriesByType("resource")
    .filter(({ name }) => new URL(name).pathname.endsWith(".js"))
    .reduce((sum, { encodedBodySize, decodedBodySize }) => ({
        files: sum.files + 1,
        sent: sum.sent + encodedBodySize,
        unpacked: sum.unpacked + decodedBodySize,
    }), { files: 0, sent: 0, unpacked: 0 })"""
"""What the page has loaded, as the browser counts it: without headers."""

SETTLE_MS = 1_000
"""After it can be used, for what it loads later."""

LENGTH = 200


@dataclass(frozen=True)
class Opening:
    """One opening: when (ms since the navigation began) it was usable, and its JavaScript."""

    usable: float
    scripts: Mapping[str, int]


def measure(product: Product, screens: Screens, plan: Plan) -> list[Line]:
    """Return the time to a usable chat page, and the bytes of its JavaScript."""
    pair = product.pair()
    filling.fill(product, pair, LENGTH)
    openings = [cold(screens, pair) for _ in range(plan.openings)]
    times = spread([one.usable for one in openings], 50, 95)
    return [
        Line("Chat page cold: navigation to composer and newest message", times, "≤ 1,000 ms (P8)"),
        Line("JavaScript of that page as sent", _size(openings[0].scripts), "≤ 350 KB (P8)"),
    ]


def cold(screens: Screens, pair: Pair) -> Opening:
    """Open the doctor's chat page in a fresh profile."""
    with screens.profile(pair.doctor) as context:
        page = context.new_page()
        page.goto(f"/chat?email={pair.patient.email}")
        usable = _usable(page)
        page.wait_for_timeout(SETTLE_MS)
        return Opening(usable, page.evaluate(SCRIPTS))


def _usable(page: Page) -> float:
    page.get_by_role("textbox", name="Message").wait_for()
    page.wait_for_function("() => bench.usable")
    return page.evaluate("bench.usable")


def _size(scripts: Mapping[str, int]) -> str:
    sent, unpacked = (scripts[name] / 1_000 for name in ("sent", "unpacked"))
    return f"{short(sent)} KB ({short(unpacked)} KB unpacked) in {scripts['files']} files"
