"""What a list of conversations shows after an event is what it would show after a reload."""

from collections.abc import Awaitable, Callable

import pytest

from carechat.domain import inbox
from carechat.domain.conversations import Summary
from carechat.domain.events import ConversationChanged, Event, MessageSent, ReceiptMoved
from carechat.services import conversations, messages, receipts, users
from carechat.services.context import Backend, Context
from tests.factories import a_pair, says, to
from tests.listening import a_screen, watch

Act = Callable[[Context, Context], Awaitable[object]]


async def the_patient_writes(doctor: Context, patient: Context) -> None:
    await says(patient, doctor, "And another thing")


async def the_doctor_writes(doctor: Context, patient: Context) -> None:
    await says(doctor, patient, "I see")


async def the_doctor_reads(doctor: Context, patient: Context) -> None:
    await receipts.read(doctor, to(patient))


async def the_doctor_reads_all_but_the_newest(doctor: Context, patient: Context) -> None:
    await receipts.read(doctor, to(patient), 1)


async def the_patient_fetches(doctor: Context, patient: Context) -> None:
    await messages.history(patient, to(doctor))


async def the_patient_reads(doctor: Context, patient: Context) -> None:
    await receipts.read(patient, to(doctor))


async def they_part(doctor: Context, patient: Context) -> None:
    await users.unassign(doctor.backend, doctor.user.email, patient.user.email)


async def the_patient_is_disabled(doctor: Context, patient: Context) -> None:
    await users.disable(doctor.backend, patient.user.email)


@pytest.mark.parametrize(
    ("act", "kind"),
    [
        (the_patient_writes, MessageSent),
        (the_doctor_writes, MessageSent),
        (the_doctor_reads, ReceiptMoved),
        (the_doctor_reads_all_but_the_newest, ReceiptMoved),
        (the_patient_fetches, ReceiptMoved),
        (the_patient_reads, ReceiptMoved),
        (they_part, ConversationChanged),
        (the_patient_is_disabled, ConversationChanged),
    ],
)
async def test_what_is_shown_after_an_event_equals_a_reload(
    backend: Backend, act: Act, kind: type[Event]
) -> None:
    """State and event give what storage gives, for each kind of event."""
    doctor, patient = await a_pair(backend)
    await watch(backend)
    await says(patient, doctor, "Still a bit dizzy")
    await says(doctor, patient, "How long has it been?")
    before = await conversations.find(doctor, to(patient))
    async with a_screen(doctor) as screen:
        await act(doctor, patient)
        event = await screen.until(kind)
    assert inbox.after(before, event, doctor.user.email) == await _reloaded(doctor, patient)


async def test_a_missed_message_can_only_be_read_from_storage(backend: Backend) -> None:
    """A message whose number does not follow says nothing about those between."""
    doctor, patient = await a_pair(backend)
    before = await conversations.find(doctor, to(patient))
    await says(patient, doctor, "This one is missed")
    async with a_screen(doctor) as screen:
        await says(patient, doctor, "This one is told")
        event = await screen.until(MessageSent)
    assert inbox.after(before, event, doctor.user.email) is None


async def test_reading_a_part_can_only_be_read_from_storage(backend: Backend) -> None:
    """How many of several are still unread is not in the receipt."""
    doctor, patient = await a_pair(backend)
    for text in ("one", "two", "three"):
        await says(patient, doctor, text)
    before = await conversations.find(doctor, to(patient))
    async with a_screen(doctor) as screen:
        await receipts.read(doctor, to(patient), 1)
        event = await screen.until(ReceiptMoved)
    assert inbox.after(before, event, doctor.user.email) is None


async def test_one_more_came_while_the_others_were_being_read(backend: Backend) -> None:
    """What then waits is known without asking: the newest alone."""
    doctor, patient = await a_pair(backend)
    await watch(backend)
    for text in ("one", "two", "three"):
        await says(patient, doctor, text)
    before = await conversations.find(doctor, to(patient))
    async with a_screen(doctor) as screen:
        await receipts.read(doctor, to(patient), 2)
        event = await screen.until(ReceiptMoved)
    after = inbox.after(before, event, doctor.user.email)
    assert after
    assert after.unread
    assert after.unread.count == 1
    assert after == await _reloaded(doctor, patient)


async def test_an_event_that_is_known_already_changes_nothing(backend: Backend) -> None:
    """The sender's own tab is told of a message that it has from the answer."""
    doctor, patient = await a_pair(backend)
    async with a_screen(doctor) as screen:
        await says(doctor, patient)
        event = await screen.until(MessageSent)
    known = await conversations.find(doctor, to(patient))
    assert inbox.after(known, event, doctor.user.email) == known


async def _reloaded(doctor: Context, patient: Context) -> Summary:
    return await conversations.find(doctor, to(patient))
