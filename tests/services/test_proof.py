"""Proof: what is stored, delivered and read is counted in storage, and a missing number is seen."""

from datetime import timedelta

import pytest
from bson import json_util

from carechat.domain import errors
from carechat.services import messages, proof, receipts
from carechat.services.context import Backend
from carechat.services.proof import Proof, Times, Waiting
from tests.conftest import Clock, Records
from tests.factories import a_conversation, a_doctor, a_pair, a_patient, days_of_talk, says, to


def figures(found: Proof) -> tuple[int, int, int, int]:
    """How many must be there, are stored, delivered and read."""
    return found.numbered, found.stored, found.delivered, found.read


async def test_without_a_message_nothing_is_there_and_nothing_is_missing(backend: Backend) -> None:
    doctor, patient = await a_pair(backend)
    found = await proof.of(doctor, to(patient))
    assert figures(found) == (0, 0, 0, 0)
    assert found.missing == 0


async def test_it_counts_what_is_stored_delivered_and_read_of_both(backend: Backend) -> None:
    doctor, patient = await a_pair(backend)
    await days_of_talk(doctor, patient, 3)
    await messages.history(doctor, to(patient))
    await receipts.read(doctor, to(patient), 2)
    await says(doctor, patient, "4")
    await says(doctor, patient, "5")
    found = await proof.of(doctor, to(patient))
    assert figures(found) == (5, 5, 3, 2)
    assert (found.own, found.others) == (Waiting(2, 2), Waiting(0, 1))


async def test_the_other_sees_the_same_from_the_other_side(backend: Backend) -> None:
    doctor, patient = await a_pair(backend)
    await days_of_talk(doctor, patient, 3)
    await messages.history(doctor, to(patient))
    ours, theirs = await proof.of(doctor, to(patient)), await proof.of(patient, to(doctor))
    assert figures(ours) == figures(theirs) == (3, 3, 3, 0)
    assert (ours.own, ours.others) == (theirs.others, theirs.own)


async def test_a_number_that_is_not_stored_is_missing(backend: Backend, records: Records) -> None:
    doctor, patient = await a_pair(backend)
    await days_of_talk(doctor, patient, 4)
    records["messages"].delete_one({"seq": 2})
    found = await proof.of(doctor, to(patient))
    assert (found.numbered, found.stored, found.missing) == (4, 3, 1)


async def test_the_newest_is_missed_if_anybody_had_it(backend: Backend, records: Records) -> None:
    doctor, patient = await a_pair(backend)
    await days_of_talk(doctor, patient, 4)
    await receipts.read(doctor, to(patient))
    records["messages"].delete_many({"seq": {"$gt": 2}})
    assert (await proof.of(patient, to(doctor))).missing == 2
    assert (await proof.of(patient, to(doctor), seen=5)).missing == 3


async def test_a_long_conversation_is_counted_from_the_end(backend: Backend) -> None:
    doctor, patient = await a_pair(backend)
    await days_of_talk(doctor, patient, 5)
    found = await proof.of(patient, to(doctor), most=3)
    assert (found.first, found.last, found.stored) == (3, 5, 3)
    assert found.own == Waiting(3, 3)


async def test_counting_looks_at_the_index_alone(backend: Backend, records: Records) -> None:
    doctor, patient = await a_pair(backend)
    conversation = await a_conversation(doctor, patient, ["a", "b", "c"])
    numbers = {"conversation_id": conversation.id, "seq": {"$gte": 2, "$lte": 3}}
    count = [{"$match": numbers}, {"$group": {"_id": 1, "n": {"$sum": 1}}}]
    explained = records.command(
        "explain",
        {"aggregate": "messages", "pipeline": count, "cursor": {}},
        verbosity="executionStats",
    )
    assert '"totalDocsExamined": 0' in json_util.dumps(explained)


async def test_a_stranger_is_not_found(backend: Backend) -> None:
    doctor, patient = await a_pair(backend)
    conversation = await a_conversation(doctor, patient, ["a"])
    stranger = await a_patient(backend, await a_doctor(backend))
    with pytest.raises(errors.NotFoundError):
        await proof.of(stranger, proof.Address(conversation_id=conversation.id))


async def test_an_own_message_has_the_times_at_which_it_was_delivered_and_read(
    backend: Backend, clock: Clock
) -> None:
    doctor, patient = await a_pair(backend)
    await days_of_talk(doctor, patient, 2)
    clock.advance(minutes=1)
    await messages.history(doctor, to(patient))
    delivered_at = clock.time
    assert await proof.times(patient, to(doctor), 1) == Times(delivered_at, None)
    clock.advance(minutes=1)
    await receipts.read(doctor, to(patient), 1)
    assert await proof.times(patient, to(doctor), 1) == Times(delivered_at, clock.time)
    assert await proof.times(patient, to(doctor), 2) == Times(delivered_at, None)


async def test_a_message_that_is_under_way_has_no_times(backend: Backend) -> None:
    doctor, patient = await a_pair(backend)
    await says(patient, doctor)
    assert await proof.times(patient, to(doctor), 1) == Times(None, None)


async def test_what_was_read_was_there_by_then(
    backend: Backend, clock: Clock, records: Records
) -> None:
    doctor, patient = await a_pair(backend)
    await says(patient, doctor)
    await receipts.read(doctor, to(patient), 1)
    later = clock.time + timedelta(seconds=1)
    records["conversations"].update_one(
        {}, {"$set": {"members.$[].arrivals.$[one].at": later}}, array_filters=[{"one.seq": 1}]
    )
    assert await proof.times(patient, to(doctor), 1) == Times(clock.time, clock.time)


async def test_times_that_were_not_kept_are_not_known(backend: Backend, records: Records) -> None:
    """As those of what was written before they were kept, or long ago."""
    doctor, patient = await a_pair(backend)
    await days_of_talk(doctor, patient, 2)
    await receipts.read(doctor, to(patient), 1)
    records["messages"].update_many({}, {"$unset": {"read_at": True}})
    records["conversations"].update_many({}, {"$unset": {"members.$[].arrivals": True}})
    await receipts.read(doctor, to(patient), 2)
    assert await proof.times(patient, to(doctor), 1) == Times(None, None)
    found = await proof.times(patient, to(doctor), 2)
    assert found.delivered_at is None
    assert found.read_at


async def test_only_who_wrote_a_message_finds_its_times(backend: Backend) -> None:
    doctor, patient = await a_pair(backend)
    conversation = await a_conversation(doctor, patient, ["a"])
    stranger = await a_patient(backend, await a_doctor(backend))
    address = proof.Address(conversation_id=conversation.id)
    for caller, seq in ((doctor, 1), (stranger, 1), (stranger, 2), (patient, 2), (patient, 0)):
        with pytest.raises(errors.NotFoundError):
            await proof.times(caller, address, seq)
