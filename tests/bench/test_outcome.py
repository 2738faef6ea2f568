"""The counts by which a run is judged: whatever is lost, comes twice or leaves a gap is seen."""

import asyncio

from tests.bench import texts
from tests.bench.outcome import Outcome, Record

WINDOW = (0.0, 1.0)


def outcome(record: Record, gaps: int = 0) -> Outcome:
    """What came of the messages that were noted."""
    return record.outcome(WINDOW, gaps, used=0.001)


def a_message(record: Record) -> str:
    """A message that was acknowledged after 10 ms and arrived after 20."""
    client_id = record.begin(0.5)
    record.acked(client_id, 0.51)
    record.arrived(client_id, texts.of(client_id), 0.52)
    return client_id


async def test_a_run_is_whole_if_every_message_was_acknowledged_and_arrived_once() -> None:
    record = Record()
    a_message(record)
    found = outcome(record)
    assert found.is_whole()
    assert (found.sent, found.acked, found.arrived) == (1, 1, 1)
    assert [round(one) for one in (*found.ack, *found.arrival)] == [10, 10, 20, 20]
    assert found.rate == 1


async def test_a_run_is_not_whole_if_an_acknowledgement_is_missing() -> None:
    record = Record()
    client_id = record.begin(0.5)
    record.arrived(client_id, texts.of(client_id), 0.52)
    a_message(record)
    assert not outcome(record).is_whole()


async def test_a_run_is_not_whole_if_a_message_did_not_arrive() -> None:
    record = Record()
    record.acked(record.begin(0.5), 0.51)
    a_message(record)
    assert not outcome(record).is_whole()


async def test_a_run_is_not_whole_if_a_message_arrived_twice() -> None:
    record = Record()
    client_id = a_message(record)
    record.arrived(client_id, texts.of(client_id), 0.53)
    assert not outcome(record).is_whole()


async def test_a_run_is_not_whole_if_something_of_another_run_arrived() -> None:
    record = Record()
    client_id = a_message(Record())
    record.arrived(client_id, texts.of(client_id), 0.53)
    a_message(record)
    assert not outcome(record).is_whole()


async def test_a_run_is_not_whole_if_a_message_arrived_with_the_words_of_another() -> None:
    record = Record()
    client_id = record.begin(0.5)
    record.acked(client_id, 0.51)
    record.arrived(client_id, texts.of(a_message(record)), 0.52)
    assert not outcome(record).is_whole()


async def test_a_run_is_not_whole_if_a_number_is_missing() -> None:
    record = Record()
    a_message(record)
    assert not outcome(record, gaps=1).is_whole()


async def test_a_record_is_complete_while_nothing_is_under_way() -> None:
    record = Record()
    a_message(record)
    async with asyncio.timeout(1):
        await record.complete.wait()
    record.begin(0.6)
    assert not record.complete.is_set()
