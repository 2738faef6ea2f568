"""Receipts: how far somebody has got, which only rises and never claims what is missing."""

import asyncio

import pytest

from carechat.domain import errors
from carechat.domain.conversations import Member
from carechat.domain.events import ReceiptMoved
from carechat.services import conversations, messages, receipts, users
from carechat.services.context import Backend, Context
from tests.conftest import Records
from tests.factories import a_conversation, a_doctor, a_pair, days_of_talk, says, to
from tests.listening import a_screen
from tests.unreliable import Unreliable


async def how_far(ctx: Context, partner: Context) -> Member:
    """Return how far that person has got, as is stored."""
    found = (await conversations.find(ctx, to(partner))).conversation
    return found.member(ctx.user.email)


async def test_what_is_read_by_history_counts_as_delivered(backend: Backend) -> None:
    doctor, patient = await a_pair(backend)
    await a_conversation(patient, doctor, ["a", "b"])
    await messages.history(patient, to(doctor))
    member = await how_far(patient, doctor)
    assert (member.delivered_seq, member.read_seq) == (2, 0)


async def test_a_later_part_is_not_delivered_while_an_earlier_one_is_missing(
    backend: Backend,
) -> None:
    doctor, patient = await a_pair(backend)
    await days_of_talk(doctor, patient, 4)
    conversation = (await conversations.find(doctor, to(patient))).conversation
    await receipts.delivered(doctor, conversation, 3, 4)
    assert (await how_far(doctor, patient)).delivered_seq == 0
    await receipts.delivered(doctor, conversation, 1, 2)
    await receipts.delivered(doctor, conversation, 3, 4)
    assert (await how_far(doctor, patient)).delivered_seq == 4


async def test_own_messages_between_are_not_missing(backend: Backend) -> None:
    doctor, patient = await a_pair(backend)
    await says(doctor, patient, "1")
    await says(doctor, patient, "2")
    await says(patient, doctor, "3")
    conversation = (await conversations.find(doctor, to(patient))).conversation
    await receipts.delivered(doctor, conversation, 3, 3)
    assert (await how_far(doctor, patient)).delivered_seq == 3


async def test_delivering_again_or_less_moves_nothing_and_tells_nobody(backend: Backend) -> None:
    doctor, patient = await a_pair(backend)
    await days_of_talk(doctor, patient, 3)
    conversation = (await conversations.find(doctor, to(patient))).conversation
    await receipts.delivered(doctor, conversation, 1, 3)
    async with a_screen(patient) as screen:
        await receipts.delivered(doctor, conversation, 1, 3)
        await receipts.delivered(doctor, conversation, 1, 2)
        await receipts.read(doctor, to(patient), 1)
        assert (await screen.until(ReceiptMoved)).receipt.read_seq == 1
        assert len(screen.of(ReceiptMoved)) == 1
    assert (await how_far(doctor, patient)).delivered_seq == 3


async def test_reading_counts_what_was_unread_until_now(backend: Backend) -> None:
    doctor, patient = await a_pair(backend)
    await days_of_talk(doctor, patient, 3)
    counts = [await receipts.read(doctor, to(patient), seq) for seq in (2, 2, 1, None, None)]
    assert counts == [2, 0, 0, 1, 0]


async def test_reading_moves_both_numbers_and_tells_both_people(backend: Backend) -> None:
    doctor, patient = await a_pair(backend)
    await days_of_talk(doctor, patient, 2)
    async with a_screen(patient) as theirs, a_screen(doctor) as ours:
        await receipts.read(doctor, to(patient))
        for screen in (theirs, ours):
            receipt = (await screen.until(ReceiptMoved)).receipt
            assert (receipt.email, receipt.delivered_seq, receipt.read_seq) == (
                doctor.user.email,
                2,
                2,
            )


async def test_a_number_beyond_the_newest_message_counts_as_the_newest(backend: Backend) -> None:
    doctor, patient = await a_pair(backend)
    await days_of_talk(doctor, patient, 2)
    assert await receipts.read(doctor, to(patient), 10**12) == 2
    assert (await how_far(doctor, patient)).read_seq == 2
    await says(patient, doctor)
    assert await receipts.read(doctor, to(patient)) == 1


async def test_reading_nothing_moves_nothing(backend: Backend) -> None:
    doctor, patient = await a_pair(backend)
    assert await receipts.read(doctor, to(patient)) == 0
    await days_of_talk(doctor, patient, 1)
    assert await receipts.read(doctor, to(patient), 0) == 0
    assert (await how_far(doctor, patient)).read_seq == 0


async def test_own_messages_are_never_unread(backend: Backend, records: Records) -> None:
    doctor, patient = await a_pair(backend)
    await says(doctor, patient)
    assert await receipts.read(doctor, to(patient)) == 0
    assert records["messages"].count_documents({"read": True}) == 0


async def test_reading_marks_the_messages_as_the_seed_does(
    backend: Backend, records: Records
) -> None:
    doctor, patient = await a_pair(backend)
    await days_of_talk(doctor, patient, 3)
    await receipts.read(doctor, to(patient), 2)
    unread = {"receiver_email": doctor.user.email, "read": False}
    assert records["messages"].count_documents(unread) == 1


async def test_the_sender_sees_what_was_delivered_and_read(backend: Backend) -> None:
    doctor, patient = await a_pair(backend)
    await days_of_talk(doctor, patient, 3)
    await messages.history(doctor, to(patient), limit=2, after=0)
    await receipts.read(doctor, to(patient), 1)
    page = await messages.history(patient, to(doctor))
    assert [(one.delivered, one.read) for one in page.messages] == [
        (True, True),
        (True, False),
        (False, False),
    ]


async def test_a_stranger_reads_nothing(backend: Backend) -> None:
    doctor, patient = await a_pair(backend)
    stranger = await a_doctor(backend)
    await days_of_talk(doctor, patient, 1)
    with pytest.raises(errors.NotFoundError):
        await receipts.read(stranger, to(patient))


async def test_both_may_read_on_after_the_assignment_has_ended(backend: Backend) -> None:
    doctor, patient = await a_pair(backend)
    await days_of_talk(doctor, patient, 2)
    await users.unassign(backend, doctor.user.email, patient.user.email)
    assert await receipts.read(doctor, to(patient)) == 2


async def test_what_several_pages_of_one_person_read_at_once_is_noted_once(
    backend: Backend,
) -> None:
    """Each page says so; the count is one page's, and the sender hears of it once."""
    doctor, patient = await a_pair(backend)
    for text in ("one", "two", "three"):
        await says(patient, doctor, text)
    async with a_screen(patient) as screen:
        counts = await asyncio.gather(*(receipts.read(doctor, to(patient), 3) for _ in range(5)))
        await receipts.read(doctor, to(patient), 3)
        await screen.until(ReceiptMoved)
    assert sorted(counts) == [0, 0, 0, 0, 3]
    assert [event.receipt.read_seq for event in screen.of(ReceiptMoved)] == [3]


async def test_what_could_not_be_noted_as_read_can_be_said_again(
    fragile: Backend, failing: Unreliable
) -> None:
    doctor, patient = await a_pair(fragile)
    await says(patient, doctor)
    failing.fail(["update"], errorCode=8000)
    with pytest.raises(errors.UnavailableError):
        await receipts.read(doctor, to(patient), 1)
    failing.heal()
    assert await receipts.read(doctor, to(patient), 1) == 1


async def test_what_was_noted_as_read_without_an_answer_is_told_when_it_is_said_again(
    fragile: Backend, failing: Unreliable
) -> None:
    doctor, patient = await a_pair(fragile)
    async with a_screen(patient) as theirs:
        await says(patient, doctor)
        failing.fail(["findAndModify"], writeConcernError={"code": 64, "errmsg": "timed out"})
        with pytest.raises(errors.UnavailableError):
            await receipts.read(doctor, to(patient), 1)
        failing.heal()
        await receipts.read(doctor, to(patient), 1)
        assert (await theirs.until(ReceiptMoved)).receipt.read_seq == 1
