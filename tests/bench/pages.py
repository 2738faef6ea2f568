"""What an open page costs the server: memory, and processor time for each message that comes."""

import time
from dataclasses import dataclass

from tests.bench import texts
from tests.bench.figures import Line, short
from tests.bench.plan import Plan
from tests.bench.product import Pair, Product
from tests.bench.screens import Screens, chat

WARM_UP = 3
PAUSE_SECONDS = 0.25
SETTLE_SECONDS = 3.0


def measure(product: Product, screens: Screens, plan: Plan) -> list[Line]:
    """Return the memory of an open page, and the time per message without and with pages."""
    pair = product.pair()
    conversation = pair.doctor.conversation()
    with screens.profile(pair.doctor) as context:
        for _ in range(WARM_UP):
            chat(context, pair.patient)
        without = _memory(product)
        few = _work(product, pair, conversation, plan.counted_messages)
        for _ in range(plan.pages):
            chat(context, pair.patient)
        memory = (_memory(product) - without) / plan.pages
        many = _work(product, pair, conversation, plan.counted_messages)
    return [
        Line(
            f"Memory of the server for an open chat page (mean of {plan.pages})",
            f"{short(memory / 1_000)} KB",
            "≤ 250 KB (P4)",
        ),
        Line(
            "Processor time of the server for a message, per page that receives it",
            f"{short((many.server - few.server) / plan.pages)} ms",
        ),
        Line(
            f"… for the message itself, sent by REST, {WARM_UP} pages open",
            f"{short(few.server)} ms, MongoDB {short(few.mongod)} ms",
        ),
    ]


@dataclass(frozen=True)
class Work:
    """Processor time (ms) for one message."""

    server: float
    mongod: float


def _memory(product: Product) -> int:
    time.sleep(SETTLE_SECONDS)
    return product.memory()


def _work(product: Product, pair: Pair, conversation: str, messages: int) -> Work:
    before = product.busy(), product.busy(mongod=True)
    for _ in range(messages):
        pair.patient.says(conversation, texts.marked()[1])
        time.sleep(PAUSE_SECONDS)
    time.sleep(SETTLE_SECONDS)
    server, mongod = product.busy() - before[0], product.busy(mongod=True) - before[1]
    return Work(1_000 * server / messages, 1_000 * mongod / messages)
