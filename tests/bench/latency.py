"""How long a message takes from a pressed Enter to the other person's screen."""

import contextlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from playwright.sync_api import Page

from tests.bench import texts
from tests.bench.figures import Line, spread
from tests.bench.plan import Plan
from tests.bench.product import Pair, Product
from tests.bench.screens import Screens

GOAL = "p95 ≤ 60 ms (P4: p95 ≤ 25, p99 ≤ 60)"
PAUSE_MS = (200, 500)
"""Between two messages, at random, so that nothing periodic is hit always or never."""

WARM_UP = 3
"""Messages of each pair that are not counted."""


@dataclass(frozen=True)
class Journey:
    """One message: when (ms) it passed each stage in the page that wrote and the one that read."""

    writer: dict[str, float]
    reader: dict[str, float]

    def whole(self) -> float:
        """From the pressed key until the text stood in the other page."""
        return self.reader["stood"] - self.writer["pressed"]

    def painted(self) -> float:
        """From the pressed key until the frame with the text was painted."""
        return self.reader["painted"] - self.writer["pressed"]

    def leaving(self) -> float:
        """From the pressed key until the page gave it to its socket."""
        return self.writer["sent"] - self.writer["pressed"]

    def crossing(self) -> float:
        """From one page's socket to the other's: the server and its database."""
        return self.reader["received"] - self.writer["sent"]

    def arriving(self) -> float:
        """From the socket until the text stood in the page."""
        return self.reader["stood"] - self.reader["received"]


def measure(product: Product, screens: Screens, plan: Plan) -> list[Line]:
    """Return the times for one pair alone, with their stages, and for many pairs in turn."""
    alone = _journeys(screens, [product.pair()], plan.messages)
    pairs = [product.pair() for _ in range(plan.pairs)]
    together = _journeys(screens, pairs, plan.messages_of_pairs)
    crowd = f"{plan.pairs} pairs in turn, {2 * plan.pairs} pages open"
    return [
        Line("Enter to text on the other screen, one pair", _times(alone, Journey.whole), GOAL),
        Line("… until that frame was painted", _times(alone, Journey.painted)),
        Line("… of it: Enter to socket", _times(alone, Journey.leaving)),
        Line("… of it: socket to socket (server, MongoDB)", _times(alone, Journey.crossing)),
        Line("… of it: socket to text", _times(alone, Journey.arriving)),
        Line(f"Enter to text on the other screen, {crowd}", _times(together, Journey.whole), GOAL),
        Line("… of it: socket to socket (server, MongoDB)", _times(together, Journey.crossing)),
    ]


def _times(journeys: Sequence[Journey], part: Callable[[Journey], float]) -> str:
    return spread([part(journey) for journey in journeys], 50, 95, 99)


def _journeys(screens: Screens, pairs: Sequence[Pair], messages: int) -> list[Journey]:
    uncounted = WARM_UP * len(pairs)
    with contextlib.ExitStack() as opened:
        pages = [
            (
                opened.enter_context(screens.chat(pair.doctor, pair.patient)),
                opened.enter_context(screens.chat(pair.patient, pair.doctor)),
            )
            for pair in pairs
        ]
        taken = [
            _journey(*random.sample(pages[number % len(pages)], 2))
            for number in range(uncounted + messages)
        ]
    return taken[uncounted:]


def _journey(writer: Page, reader: Page) -> Journey:
    mark, text = texts.marked()
    writer.get_by_role("textbox", name="Message").fill(text)
    writer.wait_for_timeout(random.uniform(*PAUSE_MS))  # noqa: S311
    writer.keyboard.press("Enter")
    there = reader.evaluate("mark => bench.painted(mark)", mark)
    return Journey(writer.evaluate("mark => bench.stamps(mark)", mark), there)
