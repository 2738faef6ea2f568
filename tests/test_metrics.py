"""What is counted and measured, and that no label of it can be anybody's."""

import re
from contextlib import suppress
from pathlib import Path
from typing import get_args

import pytest

from carechat import metrics, scrape
from carechat.domain import errors
from tests.scraping import Rise, here, read


class Sent:
    """What a service that sends returns."""

    def __init__(self, created: bool) -> None:
        self.created = created


@metrics.sending
async def send(result: Sent | Exception) -> Sent:
    """Come to that."""
    if isinstance(result, Exception):
        raise result
    return result


@pytest.mark.parametrize(
    ("result", "outcome", "acknowledged"),
    [
        (Sent(created=True), "stored", 1),
        (Sent(created=False), "repeated", 0),
        (errors.ForbiddenError("x"), "forbidden", 0),
        (errors.RateLimitedError("x", 1), "rate_limited", 0),
        (errors.UnavailableError("x"), "unavailable", 0),
        (KeyError("x"), "failed", 0),
    ],
)
async def test_a_try_to_send_is_counted_by_what_it_came_to(
    result: Sent | Exception, outcome: str, acknowledged: int
) -> None:
    counted = Rise("carechat_sends_total", outcome=outcome)
    acks = Rise("carechat_ack_seconds_count")
    if isinstance(result, Exception):
        with pytest.raises(type(result)):
            await send(result)
    else:
        assert await send(result) is result
    assert (counted(), acks()) == (1, acknowledged)


def test_every_refusal_has_a_word() -> None:
    codes = {error.code for error in errors.CareChatError.__subclasses__()}
    assert codes < set(get_args(metrics.Outcome))


def test_a_batch_is_measured_as_one() -> None:
    batches, messages = Rise("carechat_append_seconds_count"), Rise("carechat_batch_messages_sum")
    with metrics.writing(7):
        pass
    with suppress(KeyError), metrics.writing(1):
        raise KeyError
    assert (batches(), messages()) == (2, 8)


def test_what_waits_is_told_as_it_is() -> None:
    messages = ["one", "two"]
    metrics.waiting(messages)
    assert here("carechat_waiting_messages") == 2
    messages.clear()
    assert here("carechat_waiting_messages") == 0


def test_a_message_whose_time_is_ahead_was_delivered_at_once() -> None:
    """Times in one conversation are a millisecond apart, also of messages of the same moment."""
    delivered = Rise("carechat_delivery_seconds_count", door="ws")
    late = Rise("carechat_delivery_seconds_sum", door="ws")
    metrics.delivered("ws", -0.004)
    metrics.delivered("ws", 0.25)
    assert (delivered(), late()) == (2, pytest.approx(0.25))


def test_a_socket_is_open_until_it_is_left() -> None:
    is_open = Rise("carechat_sockets", door="page")
    with metrics.socket("page"):
        assert is_open() == 1
    assert is_open() == 0


def test_a_service_is_up_or_down() -> None:
    metrics.reachable("redis", answers=True)
    assert here("carechat_up", service="redis") == 1
    metrics.reachable("redis", answers=False)
    assert here("carechat_up", service="redis") == 0


def test_every_series_is_there_before_anything_has_happened() -> None:
    """Else an alert on the first failure would have nothing to compare it with."""
    page = scrape.page().decode()
    every = metrics.Outcome, metrics.Answer, metrics.Limit, metrics.Resync, metrics.Door
    for words in (*every, metrics.Unheard):
        for word in get_args(words):
            assert f'="{word}"' in page


def test_labels_are_fixed_words() -> None:
    values = set(re.findall(r'"([^"]*)"', scrape.page().decode()))
    words = {
        word
        for words in vars(metrics).values()
        if getattr(words, "__origin__", None) or get_args(words)
        for word in get_args(words)
    }
    numbers = {value for value in values if re.fullmatch(r"\d+(\.\d+)?|\+Inf", value)}
    assert values - numbers <= words


def test_the_memory_of_the_process_is_told() -> None:
    page = scrape.page().decode()
    assert read(page, "process_resident_memory_bytes") > 1_000_000
    assert read(page, "process_cpu_seconds_total") > 0


def test_the_operators_page_tells_of_every_limit_and_metric() -> None:
    page = (Path(__file__).parent.parent / "docs" / "operations.md").read_text()
    names = {
        sample.name.removeprefix("carechat_")
        for family in metrics.registry.collect()
        for sample in family.samples
        if not sample.name.endswith(("_created", "_bucket", "_count", "_sum"))
    }
    assert len(names) > 5
    words = [*names, "ack_seconds", "append_seconds", "batch_messages", "delivery_seconds"]
    told = {word: f"`{word}" in page for word in [*words, *get_args(metrics.Limit)]}
    assert [word for word, is_told in told.items() if not is_told] == []
