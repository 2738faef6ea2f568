"""What an open page costs the server: memory, and processor time for each message that comes."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.bench import filling, product, screens, texts
from tests.bench.figures import Line, short
from tests.bench.plan import Plan
from tests.bench.product import CHEAP_HASH, Pair, Product
from tests.bench.screens import Screens, chat

READING = 5
"""Pages of one person that read what comes: more of them say more of it than anybody may."""

INATTENTIVE = "document.hasFocus = () => false"
"""Like all but one of the pages that somebody has open; Playwright gives all of them the focus."""

THREAD = 200
"""Messages in each conversation whose page's memory is measured."""

PAUSE_SECONDS = 0.25
SETTLE_SECONDS = 3.0


def measure(folder: Path, plan: Plan) -> Iterator[Line]:
    """Give the memory of a session with its page, and the time per message without and with pages.

    On a server of its own, and the memory first: what a server has had to do leaves room in which
    pages would fit.
    """
    product.populate(folder, 0, **CHEAP_HASH)
    with product.serve(folder, **CHEAP_HASH) as served, screens.launch() as browser:
        yield _session(served, browser, plan.pages)
        yield from _messages(served, browser, plan)


def _session(served: Product, browser: Screens, count: int) -> Line:
    """The memory of each of so many people with a page, beside as many who were there before."""
    pairs = [served.pair() for _ in range(2 * count)]
    for pair in pairs:
        filling.fill(served, pair, THREAD)
    with contextlib.ExitStack() as opened:
        for pair in pairs[:count]:
            opened.enter_context(browser.chat(*pair))
        before = _memory(served)
        for pair in pairs[count:]:
            opened.enter_context(browser.chat(*pair))
        memory = (_memory(served) - before) / count
    what = f"Memory of the server for a session with its open chat page (mean of {count})"
    return Line(what, f"{short(memory / 1_000)} KB", "≤ 250 KB (P4)")


def _messages(served: Product, browser: Screens, plan: Plan) -> Iterator[Line]:
    pair = served.pair()
    conversation = pair.doctor.conversation()
    with browser.profile(pair.doctor) as context:

        def work(further: int) -> Work:
            for _ in range(further):
                chat(context, pair.patient)
            return _work(served, pair, conversation, plan.counted_messages)

        one, reading = work(1), work(READING - 1)
        context.add_init_script(INATTENTIVE)
        all_of_them = work(plan.pages)
    what = "Processor time of the server for a message, per page that shows it, all of one person"
    yield Line(what, f"{short((all_of_them.server - reading.server) / plan.pages)} ms", "≤ 2 ms")
    also_reads = (reading.server - one.server) / (READING - 1)
    yield Line("… per page that also reads it", f"{short(also_reads)} ms", "≤ 2 ms")
    yield Line(
        "… all told for a message by REST four times a second, one page open",
        f"{short(one.server)} ms, MongoDB {short(one.mongod)} ms",
    )


@dataclass(frozen=True)
class Work:
    """Processor time (ms) for one message."""

    server: float
    mongod: float


def _memory(served: Product) -> int:
    time.sleep(SETTLE_SECONDS)
    return served.memory()


def _work(served: Product, pair: Pair, conversation: str, messages: int) -> Work:
    before = served.busy(), served.busy(mongod=True)
    for _ in range(messages):
        pair.patient.says(conversation, texts.marked()[1])
        time.sleep(PAUSE_SECONDS)
    time.sleep(SETTLE_SECONDS)
    server, mongod = served.busy() - before[0], served.busy(mongod=True) - before[1]
    return Work(1_000 * server / messages, 1_000 * mongod / messages)
