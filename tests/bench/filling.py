"""Conversations of any length, made in no time."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from bson import ObjectId

from tests.bench.product import Pair, Product

BATCH = 5_000


def fill(product: Product, pair: Pair, count: int) -> None:
    """Let the two have exchanged that many messages, all read, a minute apart until now.

    Written into the collection past the services, which only a benchmark may do: through them
    100,000 messages would take minutes, and it is the reading that is measured here.
    """
    conversation = pair.doctor.conversation()
    with product.database() as database:
        documents = _documents(pair, conversation, count)
        while batch := [document for document, _ in zip(documents, range(BATCH), strict=False)]:
            database["messages"].insert_many(batch, ordered=False)
        numbers = {f"members.$[].{name}": count for name in ("delivered_seq", "read_seq")}
        now = {"last_at": datetime.now(UTC)}
        database["conversations"].update_one(
            {"_id": ObjectId(conversation)}, {"$set": numbers | now}
        )


def _documents(pair: Pair, conversation: str, count: int) -> Iterator[dict[str, Any]]:
    writers = (pair.doctor.email, pair.patient.email)
    begin = datetime.now(UTC) - timedelta(minutes=count + 1)
    for seq in range(1, count + 1):
        yield {
            "_id": ObjectId(),
            "conversation_id": conversation,
            "seq": seq,
            "client_id": f"filling-{seq}",
            "sender_email": writers[seq % 2],
            "receiver_email": writers[1 - seq % 2],
            "message": f"Message {seq} of a conversation that is long.",
            "timestamp": begin + timedelta(minutes=seq),
            "reply_to": None,
            "read": True,
        }
