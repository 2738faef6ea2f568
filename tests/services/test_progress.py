"""Progress: gathered while a write is under way, never claimed before it is stored, never lost."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pymongo
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carechat.domain import errors
from carechat.domain.events import ReceiptMoved
from carechat.realtime.hub import Hub
from carechat.services import conversations, gathering, messages, progress, users
from carechat.services.access import Address
from carechat.services.context import Backend, Context
from tests import listening
from tests.conftest import Clock, Records
from tests.factories import a_caller, a_conversation, a_pair, a_patient, days_of_talk, says, to
from tests.listening import SECONDS, a_screen
from tests.unreliable import Unreliable


async def delivered(ctx: Context, partner: Context) -> int:
    """Return the number up to which that person has everything, as is stored."""
    found = (await conversations.find(ctx, to(partner))).conversation
    return found.member(ctx.user.email).delivered_seq


async def places(ctx: Context) -> list[str]:
    """Return with whom that person talks, as the list has them."""
    page = await conversations.page(ctx)
    return [one.conversation.partner(ctx.user.email).email for one in page.summaries]


async def test_what_arrives_while_a_write_is_under_way_is_one_further_write(
    backend: Backend, mongo: pymongo.MongoClient[dict[str, object]]
) -> None:
    doctor, patient = await a_pair(backend)
    conversation = await a_conversation(doctor, patient)
    for number in range(1, 51):
        await says(patient, doctor, str(number))
    await backend.progress.settle()
    updates = mongo.admin.command("serverStatus")["opcounters"]["update"]
    for number in range(1, 51):
        backend.progress.arrived(conversation.id, doctor.user.email, 1, number)
        await asyncio.sleep(0)
    await backend.progress.settle()
    assert await delivered(doctor, patient) == 50
    assert mongo.admin.command("serverStatus")["opcounters"]["update"] - updates <= 2


async def test_a_receipt_is_told_when_it_is_stored(backend: Backend) -> None:
    doctor, patient = await a_pair(backend)
    conversation = await a_conversation(doctor, patient, ["1", "2"])
    async with a_screen(patient) as screen:
        await says(patient, doctor, "3")
        backend.progress.arrived(conversation.id, doctor.user.email, 1, 3)
        receipt = (await screen.until(ReceiptMoved)).receipt
        assert receipt.delivered_seq == 3 == await delivered(doctor, patient)


async def test_a_list_has_every_message_of_this_process_in_its_place(backend: Backend) -> None:
    doctor, first = await a_pair(backend)
    second = await a_patient(backend, doctor)
    for writer in (first, second, first):
        await says(writer, doctor)
        assert (await places(doctor))[0] == writer.user.email


async def test_other_processes_see_it_in_its_place_soon(
    backend: Backend, other_process: Backend
) -> None:
    doctor, first = await a_pair(backend)
    await a_patient(backend, doctor)
    elsewhere = await a_caller(other_process, doctor.user)
    await says(first, doctor)
    async with asyncio.timeout(SECONDS):
        while (await places(elsewhere))[0] != first.user.email:  # noqa: ASYNC110 nobody tells it
            await asyncio.sleep(progress.LIST_REST)


async def test_what_waits_at_the_end_is_written(built: Backend, records: Records) -> None:
    await built.store.open()
    doctor, patient = await a_pair(built)
    message = await says(patient, doctor)
    await built.close()
    assert records["conversations"].count_documents({"last_at": message.timestamp}) == 1


async def test_what_cannot_be_written_waits_until_it_can(
    fragile: Backend, failing: Unreliable
) -> None:
    doctor, patient = await a_pair(fragile)
    await days_of_talk(doctor, patient, 3)
    conversation = (await conversations.find(doctor, to(patient))).conversation
    async with a_screen(patient) as screen:
        failing.fail(["update"], errorCode=8000)
        fragile.progress.arrived(conversation.id, doctor.user.email, 1, 1)
        await fragile.progress.settle()
        fragile.progress.arrived(conversation.id, doctor.user.email, 2, 2)
        assert screen.of(ReceiptMoved) == []
        failing.heal()
        await screen.until_all(
            lambda told: [one.receipt.delivered_seq for one in told.of(ReceiptMoved)] == [2]
        )


async def test_closing_does_not_wait_for_a_database_that_is_away(
    built_on_failing: Backend, failing: Unreliable, caplog: pytest.LogCaptureFixture
) -> None:
    await built_on_failing.store.open()
    doctor, patient = await a_pair(built_on_failing)
    failing.fail(["update"], blockConnection=True, blockTimeMS=4_000)
    await says(patient, doctor)
    async with asyncio.timeout(3):
        await built_on_failing.close()
    assert "not noted" in caplog.text


async def test_nothing_is_noted_while_something_before_it_is_missing(backend: Backend) -> None:
    doctor, patient = await a_pair(backend)
    await days_of_talk(doctor, patient, 4)
    conversation = (await conversations.find(doctor, to(patient))).conversation
    backend.progress.arrived(conversation.id, doctor.user.email, 3, 4)
    await backend.progress.settle()
    assert await delivered(doctor, patient) == 0


async def test_own_messages_in_between_are_not_missing(backend: Backend) -> None:
    doctor, patient = await a_pair(backend)
    await says(doctor, patient, "1")
    last = await says(patient, doctor, "2")
    backend.progress.arrived(last.conversation_id, doctor.user.email, 2, 2)
    await backend.progress.settle()
    assert await delivered(doctor, patient) == 2


async def test_progress_of_more_conversations_than_can_wait_is_left_out(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "MAX_WAITING", 1)
    doctor, patient = await a_pair(backend)
    await days_of_talk(doctor, patient, 1)
    conversation = (await conversations.find(doctor, to(patient))).conversation
    await backend.progress.settle()
    backend.progress.arrived(conversation.id, doctor.user.email, 1, 1)
    for number in range(10):
        backend.progress.arrived(f"{number:024}", doctor.user.email, 1, 1)
    await backend.progress.settle()
    assert await delivered(doctor, patient) == 1


async def test_a_device_that_says_what_it_has_got_has_got_it(backend: Backend) -> None:
    """The process that had brought it was killed before that was noted."""
    doctor, patient = await a_pair(backend)
    await days_of_talk(doctor, patient, 3)
    address = Address(partner_email=patient.user.email)
    await messages.missed(doctor, address, after=2)
    await backend.progress.settle()
    assert await delivered(doctor, patient) == 3
    await says(await a_caller(replace(backend, hub=Hub()), patient.user), doctor, "4")
    assert (await messages.missed(doctor, address, after=4)).messages == []
    await backend.progress.settle()
    assert await delivered(doctor, patient) == 4


async def test_a_device_cannot_have_got_what_is_not_there(backend: Backend) -> None:
    doctor, patient = await a_pair(backend)
    await days_of_talk(doctor, patient, 2)
    await messages.missed(doctor, to(patient), after=10**12)
    await backend.progress.settle()
    assert await delivered(doctor, patient) == 2


ranges = st.tuples(st.integers(1, 20), st.integers(0, 10)).map(lambda r: (r[0], r[0] + r[1]))


@given(ranges, ranges)
def test_joined_ranges_claim_nothing_that_neither_has(
    before: tuple[int, int], now: tuple[int, int]
) -> None:
    joined = progress._both(before, now)  # pyright: ignore[reportPrivateUsage]
    parts = {seq for part in (before, now) for seq in range(part[0], part[1] + 1)}
    assert set(range(joined[0], joined[1] + 1)) <= parts
    assert joined == before or joined[0] == min(before[0], now[0])


@pytest.mark.parametrize(
    "end",
    [
        lambda backend, one, two: users.unassign(backend, one.user.email, two.user.email),
        lambda backend, one, two: users.disable(backend, two.user.email),
    ],
    ids=["unassigned", "disabled"],
)
@pytest.mark.parametrize("where", ["here", "elsewhere"])
async def test_who_may_not_write_any_more_is_refused_although_the_conversation_is_known(
    watching: Backend, other_process: Backend, end: Callable[..., object], where: str
) -> None:
    doctor, patient = await a_pair(watching)
    await listening.until_known(doctor, patient)
    ended = end(watching if where == "here" else other_process, doctor, patient)
    assert asyncio.iscoroutine(ended)
    await ended
    with pytest.raises(errors.ForbiddenError):
        await _writes_on_for_a_second(doctor, patient)


async def _writes_on_for_a_second(doctor: Context, patient: Context) -> None:
    for _ in range(100):
        await says(doctor, patient)
        await asyncio.sleep(0.01)


async def test_a_known_conversation_costs_no_question(
    watching: Backend, mongo: pymongo.MongoClient[dict[str, object]]
) -> None:
    doctor, patient = await a_pair(watching)
    await listening.until_known(doctor, patient)
    questions = mongo.admin.command("serverStatus")["opcounters"]["query"]
    for _ in range(20):
        await says(doctor, patient)
    assert mongo.admin.command("serverStatus")["opcounters"]["query"] - questions < 20


async def test_sending_does_not_wait_for_a_note_that_somebody_is_awake(
    fragile: Backend, failing: Unreliable, clock: Clock
) -> None:
    doctor, patient = await a_pair(fragile)
    await fragile.progress.settle()
    clock.advance(seconds=30)
    failing.fail(["update"], blockConnection=True, blockTimeMS=2_000)
    async with asyncio.timeout(1.5):
        await says(doctor, patient)
    failing.heal()
