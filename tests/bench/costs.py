"""What one message costs: bytes to a page, round trips to MongoDB, processor time."""

import re
from collections import Counter

from playwright.sync_api import Page, WebSocket

from tests.bench import filling, texts
from tests.bench.figures import Line, short
from tests.bench.plan import Plan
from tests.bench.product import Document, Product
from tests.bench.screens import Screens, chat

THREAD = 200
PAUSE_MS = 1_000
"""After each message, so that everything which follows from it has arrived before the next."""

HEARTBEAT = re.compile(r"[23]")


def measure(product: Product, screens: Screens, plan: Plan) -> list[Line]:
    """Return the bytes for a received message and the round trips for one from page to page."""
    pair = product.pair()
    filling.fill(product, pair, THREAD)
    with screens.profile(pair.doctor) as context, screens.chat(pair.patient, pair.doctor) as other:
        received: list[int] = []
        context.on("page", lambda page: page.on("websocket", lambda one: _count(one, received)))
        page = chat(context, pair.patient)
        _show_all(page)
        received.clear()
        trips = _round_trips(product, other, plan.counted_messages)
        size = sum(received) / plan.counted_messages
    return [
        Line(
            f"Bytes to a page for a received message of {texts.LENGTH} characters, {THREAD} in the "
            "thread, receipts and list included",
            f"{short(size)} B in {short(len(received) / plan.counted_messages)} frames",
            "≤ 600 B (P4)",
        ),
        Line(
            "Round trips to MongoDB for a message from page to page, both open",
            f"{short(trips.total() / plan.counted_messages)}: "
            + _listed(trips, plan.counted_messages),
        ),
    ]


def _count(socket: WebSocket, received: list[int]) -> None:
    def note(payload: str | bytes) -> None:
        data = payload if isinstance(payload, bytes) else payload.encode()
        if not HEARTBEAT.fullmatch(data.decode(errors="replace")):
            received.append(len(data) + _header(len(data)))

    socket.on("framereceived", note)


def _header(length: int) -> int:
    """The bytes before the payload of a frame from a server."""
    return 2 if length < 126 else 4 if length < 65_536 else 10


def _show_all(page: Page) -> None:
    """Let the whole thread be in the page, and its end in view."""
    log = page.get_by_role("log")
    while page.locator("[data-seq]").count() < THREAD:
        log.evaluate("log => { log.scrollTop = 0 }")
        page.wait_for_timeout(PAUSE_MS / 4)
    log.evaluate("log => { log.scrollTop = log.scrollHeight }")
    page.wait_for_timeout(PAUSE_MS)


def _round_trips(product: Product, writer: Page, count: int) -> Counter[str]:
    with product.operations() as operations:
        for _ in range(count):
            writer.get_by_role("textbox", name="Message").fill(texts.marked()[1])
            writer.keyboard.press("Enter")
            writer.wait_for_timeout(PAUSE_MS)
    return Counter(f"{one['ns'].partition('.')[2]} {_kind(one)}" for one in operations)


def _kind(operation: Document) -> str:
    command = operation["command"]
    return next((one for one in ("findAndModify", "aggregate") if one in command), operation["op"])


def _listed(trips: Counter[str], count: int) -> str:
    return ", ".join(f"{short(number / count)} {name}" for name, number in trips.most_common())
