"""A real page while something is broken: what it says of each message, and whether that is true."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from playwright.async_api import Page, async_playwright

from tests import chromium
from tests.faults.ledger import Damage
from tests.faults.people import Pair
from tests.faults.product import Product
from tests.people import PASSWORD

LOOK_SECONDS = 0.1
WRITE_EVERY = 10
"""Looks, between two messages."""

SETTLE_SECONDS = 60.0
UNDER_WAY = "Sending"
STATES = """() => Object.fromEntries([...document.querySelectorAll("[data-key]")].map((row) => {
    const words = (where) => row.querySelector(where)?.textContent;
    return [words(".chat-bubble"), words("[data-state]")];
}))"""


@dataclass
class Screen:
    """A doctor's chat page that writes, and what it was seen to say."""

    product: Product
    pair: Pair
    page: Page
    seen: dict[str, dict[str, datetime]] = field(default_factory=dict[str, dict[str, datetime]])
    untrue: int = 0
    said: list[str] = field(default_factory=list[str])

    async def write_for(self, seconds: float) -> None:
        """Write a message every second for so long, and look at what is said of all of them."""
        over = time.monotonic() + seconds
        looks = 0
        while time.monotonic() < over:
            if looks % WRITE_EVERY == 0:
                await self._write(f"Message {len(self.seen) + 1}")
            looks += 1
            await self._look()
            await asyncio.sleep(LOOK_SECONDS)

    async def settle(self, damage: Damage) -> None:
        """Wait until everything is called sent; note what was not true, and what is not stored."""
        async with asyncio.timeout(SETTLE_SECONDS):
            while any(states.keys() == {UNDER_WAY} for states in self.seen.values()):
                await asyncio.sleep(LOOK_SECONDS)
                await self._look()
        stored = await self.product.stored([self.pair.conversation])
        for text, states in self.seen.items():
            found = [one["timestamp"] for one in stored if one["message"] == text]
            if len(found) != 1:
                damage.note("twice" if found else "lost", f"{text} is stored {len(found)} times")
            elif early := [state for state, when in states.items() if when < found[0]]:
                self.untrue += early != [UNDER_WAY]
        if self.untrue:
            damage.note("lost", "the page called messages sent before they were stored")

    def told(self) -> str:
        """Return in words what it said."""
        waited = sum(UNDER_WAY in states for states in self.seen.values())
        said = ", ".join(f"*{word}*" for word in self.said)
        return (
            f"of {len(self.seen)} messages the page called {waited} *Sending* first, "
            f"{self.untrue} *Sent* untruly; its status: {said}"
        )

    async def _write(self, text: str) -> None:
        self.seen[text] = {}
        box = self.page.get_by_role("textbox", name="Message", exact=True)
        await box.fill(text)
        await box.press("Enter")

    async def _look(self) -> None:
        states: dict[str, str | None] = await self.page.evaluate(STATES)
        now = datetime.now(UTC)
        for text, state in states.items():
            if text in self.seen and state:
                self.seen[text].setdefault(state, now)
        said = (await self.page.get_by_role("status").inner_text()).partition("\n")[0]
        if said not in self.said:
            self.said.append(said)


@asynccontextmanager
async def watched(
    product: Product, pair: Pair, *others: Pair
) -> AsyncGenerator[tuple[Screen, list[Pair]]]:
    """Give a page of the first pair's doctor in their conversation, and the other pairs."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium.PROGRAM, args=chromium.FLAGS
        )
        context = await browser.new_context(base_url=product.url)
        form: dict[str, str | float | bool] = {"email": pair.doctor.email, "password": PASSWORD}
        origin = {"Origin": product.url}
        await context.request.post("/auth/session", form=form, headers=origin)
        page = await context.new_page()
        await page.goto(f"/chat?email={pair.patient.email}")
        await page.get_by_role("textbox", name="Message", exact=True).wait_for()
        await page.get_by_role("status").get_by_text("Connected").wait_for(state="attached")
        yield Screen(product, pair, page), list(others)
        await browser.close()
