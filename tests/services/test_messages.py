"""Sending and reading messages: who may, who may not, what is stored, who is told."""

import asyncio
from dataclasses import replace

import pytest

from carechat.domain import errors
from carechat.domain.events import MessageSent, ReceiptMoved
from carechat.security.throttle import SendThrottle
from carechat.services import messages, receipts, users
from carechat.services.access import Address
from carechat.services.context import Backend
from carechat.services.messages import Outgoing
from tests.conftest import Clock
from tests.factories import a_conversation, a_doctor, a_pair, a_patient, says, to
from tests.listening import a_screen
from tests.unreliable import Unreliable


async def test_a_message_is_stored_and_read_back(backend: Backend) -> None:
    """What one writes stands in the other's history."""
    doctor, patient = await a_pair(backend)
    await says(doctor, patient, "How are you feeling today?")
    page = await messages.history(patient, to(doctor))
    assert [one.message for one in page.messages] == ["How are you feeling today?"]


async def test_what_the_sender_chose_is_stored_and_told(backend: Backend) -> None:
    """Every field of it, to the other's screens and in the history."""
    doctor, patient = await a_pair(backend)
    answered = await says(patient, doctor, "Is it bad?")
    async with a_screen(patient) as screen:
        outgoing = Outgoing("No.", client_id="c1", reply_to=answered.id)
        sent = await messages.send(doctor, to(patient), outgoing)
        told = (await screen.until(MessageSent)).message
    stored = (await messages.history(patient, to(doctor))).messages[-1]
    for message in (sent.message, told, stored):
        chosen = (message.message, message.client_id, message.reply_to)
        assert chosen == ("No.", "c1", answered.id)


async def test_numbers_have_no_gap_when_many_send_at_once(backend: Backend) -> None:
    """Two people who write at the same time get every number once."""
    doctor, patient = await a_pair(backend)
    await asyncio.gather(
        *(says(*pair, "x") for pair in [(doctor, patient), (patient, doctor)] * 25)
    )
    page = await messages.history(patient, to(doctor), limit=200)
    assert [one.seq for one in page.messages] == list(range(1, 51))


async def test_the_same_client_id_is_stored_once(backend: Backend) -> None:
    """Sending again gives the same message and tells nobody again."""
    doctor, patient = await a_pair(backend)
    first = await messages.send(doctor, to(patient), Outgoing("Hello", "c1"))
    again = await messages.send(doctor, to(patient), Outgoing("Hello", "c1"))
    assert (again.message.id, again.created) == (first.message.id, False)
    answered = first.message.id
    for other in (Outgoing("Another", "c1"), Outgoing("Hello", "c1", reply_to=answered)):
        with pytest.raises(errors.ConflictError):
            await messages.send(doctor, to(patient), other)
    again = await messages.send(doctor, to(patient), Outgoing("Hello", "c1"))
    assert (again.message.id, again.created) == (first.message.id, False)


async def test_what_is_stored_already_is_not_called_refused(backend: Backend) -> None:
    """Its acknowledgement was lost, and meanwhile the two may not write any more."""
    doctor, patient = await a_pair(backend)
    first = await says(doctor, patient, "Hello", "c1")
    await users.unassign(backend, doctor.user.email, patient.user.email)
    again = await messages.send(doctor, to(patient), Outgoing("Hello", "c1"))
    assert (again.message.id, again.created) == (first.id, False)
    with pytest.raises(errors.ForbiddenError):
        await messages.send(doctor, to(patient), Outgoing("Hello", "c2"))


async def test_what_is_just_being_stored_is_not_called_refused(
    fragile: Backend, failing: Unreliable
) -> None:
    """It was sent again before its acknowledgement, and meanwhile the two may not write."""
    doctor, patient = await a_pair(fragile)
    failing.fail(["insert"], blockConnection=True, blockTimeMS=2_000)
    sending = asyncio.create_task(says(doctor, patient, "Hello", "c1"))
    await asyncio.to_thread(failing.wait_until_busy_with, "insert")
    await users.unassign(fragile, doctor.user.email, patient.user.email)
    again = await messages.send(doctor, to(patient), Outgoing("Hello", "c1"))
    assert (again.message, again.created) == (await sending, False)


async def test_what_is_stored_already_is_not_called_too_soon(
    backend: Backend, clock: Clock
) -> None:
    """Asking again what became of a message is no sending."""
    _, patient = await a_pair(backend)
    doctor = await a_doctor(replace(backend, sends=SendThrottle(1, 1), seconds=clock.seconds))
    await users.assign(backend, doctor.user.email, patient.user.email)
    first = await says(doctor, patient, "Hello", "c1")
    assert await says(doctor, patient, "Hello", "c1") == first
    with pytest.raises(errors.RateLimitedError):
        await says(doctor, patient, "Hello", "c2")


async def test_a_sender_who_goes_away_meanwhile_is_heard_all_the_same(
    fragile: Backend, failing: Unreliable
) -> None:
    """What is stored is told, though nobody waits for the acknowledgement."""
    doctor, patient = await a_pair(fragile)
    async with a_screen(patient) as screen:
        failing.fail(["insert"], blockConnection=True, blockTimeMS=2_000)
        sending = asyncio.create_task(says(doctor, patient, "Hello"))
        await asyncio.to_thread(failing.wait_until_busy_with, "insert")
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        assert (await screen.until(MessageSent)).message.message == "Hello"


async def test_the_other_hears_of_a_message_and_it_counts_as_delivered(backend: Backend) -> None:
    """A listener is handed the message, and its sender the receipt."""
    doctor, patient = await a_pair(backend)
    async with a_screen(patient) as theirs, a_screen(doctor) as ours:
        sent = await says(doctor, patient, "Hello")
        assert (await theirs.until(MessageSent)).message == sent
        receipt = (await ours.until(ReceiptMoved)).receipt
        assert (receipt.email, receipt.delivered_seq) == (patient.user.email, 1)
    page = await messages.history(doctor, to(patient))
    assert page.messages[0].delivered


async def test_reading_counts_and_tells(backend: Backend) -> None:
    """Mark-read answers how many were unread, then none."""
    doctor, patient = await a_pair(backend)
    await a_conversation(doctor, patient, ["a", "b"])
    assert await receipts.read(doctor, to(patient)) == 2
    assert await receipts.read(doctor, to(patient)) == 0


async def test_a_stranger_is_not_found(backend: Backend) -> None:
    """Nobody can write to somebody who is not theirs, nor where they are no member."""
    doctor, patient = await a_pair(backend)
    stranger = await a_patient(backend, await a_doctor(backend))
    conversation = await a_conversation(doctor, patient)
    with pytest.raises(errors.NotFoundError):
        await says(doctor, stranger)
    for act in (
        messages.send(stranger, Address(conversation_id=conversation.id), Outgoing("Hello")),
        messages.history(stranger, Address(conversation_id=conversation.id)),
        receipts.read(stranger, Address(conversation_id=conversation.id)),
    ):
        with pytest.raises(errors.NotFoundError):
            await act
