"""The feed: what an open screen is told, in order, each once, until its session ends."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from carechat.domain import errors
from carechat.domain.events import (
    DatabaseChanged,
    Ending,
    Event,
    FellBehind,
    MessageSent,
    PresenceChanged,
    ReceiptMoved,
    SessionEnded,
)
from carechat.domain.messages import Message
from carechat.realtime import hub
from carechat.realtime.presence import Presence
from carechat.services import accounts, conversations, feed, gathering, messages
from carechat.services.context import Backend, Context
from tests.factories import a_caller, a_doctor, a_pair, a_patient, days_of_talk, says, to
from tests.listening import SECONDS, a_screen
from tests.scraping import Rise
from tests.unreliable import Unreliable


async def test_messages_come_in_order_and_each_once(backend: Backend) -> None:
    doctor, patient = await a_pair(backend)
    async with a_screen(doctor) as screen:
        await days_of_talk(doctor, patient, 50)
        await screen.until_all(lambda told: len(told.texts) >= 50)
        assert screen.texts == [str(number) for number in range(1, 51)]


async def test_every_screen_of_both_is_told(backend: Backend) -> None:
    doctor, patient = await a_pair(backend)
    async with a_screen(doctor) as one, a_screen(doctor) as two, a_screen(patient) as three:
        sent = await says(doctor, patient)
        for screen in (one, two, three):
            assert (await screen.until(MessageSent)).message == sent


async def test_a_stranger_is_told_nothing(backend: Backend) -> None:
    doctor, patient = await a_pair(backend)
    others = await a_pair(backend)
    async with a_screen(others[0]) as screen:
        await says(doctor, patient, "not for others")
        await says(others[1], others[0], "for others")
        await screen.until(MessageSent)
        assert screen.texts == ["for others"]


async def test_a_message_that_was_not_told_is_read_from_storage(backend: Backend) -> None:
    doctor, patient = await a_pair(backend)
    async with a_screen(doctor) as screen:
        first = await says(patient, doctor, "1")
        await screen.until(MessageSent)
        for number in range(2, 5):  # stored by a process that could not tell this one
            silent = replace(backend, hub=hub.Hub())
            await says(await a_caller(silent, patient.user), doctor, str(number))
        await says(patient, doctor, "5")
        await screen.until_all(lambda told: len(told.texts) >= 5)
        assert screen.texts == ["1", "2", "3", "4", "5"]
    assert first.seq == 1


@pytest.mark.parametrize("over", [True, False], ids=["done", "going on"])
async def test_what_is_missing_is_not_read_beside_a_listener_who_reads_it(
    backend: Backend, monkeypatch: pytest.MonkeyPatch, over: bool
) -> None:
    doctor, patient = await a_pair(backend)
    conversation = (await conversations.find(doctor, to(patient))).conversation
    sent = [await says(patient, doctor, str(number)) for number in range(1, 6)]
    told: list[Event] = []
    following = feed.Following(doctor, told.append)
    asked, answer = asyncio.Event(), asyncio.Event()

    async def history(*args: Any, **kwargs: Any) -> list[Message]:
        asked.set()
        await answer.wait()
        return sent[1:4]

    monkeypatch.setattr(backend.store.messages, "history", history)
    following.take(MessageSent(sent[0], conversation))
    following.take(MessageSent(sent[4], conversation))
    await asked.wait()
    with following.syncing(conversation.id) as syncing:
        if over:
            assert syncing.has_all(5)
        else:
            answer.set()
            await until_read(following)
            assert not syncing.has_all(4)
            assert syncing.has_all(5)
    answer.set()
    await until_read(following)
    assert told == [MessageSent(sent[0], conversation)]


async def test_who_has_found_a_conversation_empty_is_told_its_first_message_first(
    backend: Backend,
) -> None:
    """Two write at the same time: of the first message another process tells a little later."""
    doctor, patient = await a_pair(backend)
    conversation = (await conversations.find(doctor, to(patient))).conversation
    told: list[Event] = []
    following = feed.Following(doctor, told.append)
    with following.syncing(conversation.id) as syncing:
        assert syncing.has_all(0)
    sent = [await says(patient, doctor, str(number)) for number in (1, 2)]
    for message in reversed(sent):
        following.take(MessageSent(message, conversation))
        await until_read(following)
    assert told == [MessageSent(message, conversation) for message in sent]


async def until_read(following: feed.Following) -> None:
    """Wait until nothing is read any more that is missing."""
    if reading := following._reading:  # pyright: ignore[reportPrivateUsage] else nothing tells it
        await reading


async def test_a_message_told_twice_or_late_is_shown_once(backend: Backend) -> None:
    doctor, patient = await a_pair(backend)
    conversation = (await conversations.find(doctor, to(patient))).conversation
    async with a_screen(doctor) as screen:
        sent = [await says(patient, doctor, str(number)) for number in (1, 2)]
        for message in (sent[1], sent[0]):
            backend.hub.publish(MessageSent(message, conversation), [doctor.user.email])
        await says(patient, doctor, "3")
        await screen.until_all(lambda told: "3" in told.texts)
        assert screen.texts == ["1", "2", "3"]


async def test_a_message_from_before_the_first_that_was_told_comes_late_and_once(
    backend: Backend,
) -> None:
    """It is stored, but for a while nobody knew that it is."""
    doctor, patient = await a_pair(backend)
    conversation = (await conversations.find(doctor, to(patient))).conversation
    unknown = await says(await a_caller(replace(backend, hub=hub.Hub()), patient.user), doctor, "1")
    async with a_screen(doctor) as screen:
        await says(patient, doctor, "2")
        for _ in range(2):
            backend.hub.publish(MessageSent(unknown, conversation), [doctor.user.email])
        await says(patient, doctor, "3")
        await screen.until_all(lambda told: "3" in told.texts)
        assert screen.texts == ["2", "1", "3"]


async def test_what_was_taken_counts_as_delivered(backend: Backend) -> None:
    doctor, patient = await a_pair(backend)
    async with a_screen(doctor), a_screen(patient) as theirs:
        await says(patient, doctor)
        receipt = (await theirs.until(ReceiptMoved)).receipt
        assert (receipt.email, receipt.delivered_seq, receipt.read_seq) == (
            doctor.user.email,
            1,
            0,
        )


async def test_what_is_pushed_is_not_delivered_while_something_before_is_missing(
    backend: Backend,
) -> None:
    doctor, patient = await a_pair(backend)
    await says(patient, doctor, "while away")
    async with a_screen(doctor) as screen:
        await says(patient, doctor, "2")
        await screen.until(MessageSent)
        await says(patient, doctor, "3")
        await screen.until(MessageSent)
    summary = await conversations.find(doctor, to(patient))
    assert summary.conversation.member(doctor.user.email).delivered_seq == 0


async def test_a_listener_that_does_not_take_its_events_falls_behind(backend: Backend) -> None:
    doctor, patient = await a_pair(backend)
    async with feed.follow(doctor) as events:
        for _ in range(feed.BUFFER):
            backend.hub.database_changed(reachable=True)
        await says(patient, doctor)
        told = [await anext(events) for _ in range(2)]
    assert [type(event) for event in told] == [FellBehind, MessageSent]


async def test_sign_out_ends_a_screen_after_nothing_more(watching: Backend) -> None:
    doctor, _ = await a_pair(watching)
    async with a_screen(doctor) as screen:
        await accounts.sign_out(doctor)
        assert (await screen.until(SessionEnded)).ending is Ending.ENDED
        assert isinstance(screen.events[-1], SessionEnded)


async def test_a_session_that_is_over_cannot_be_followed(backend: Backend) -> None:
    doctor, _ = await a_pair(backend)
    await accounts.sign_out(doctor)
    with pytest.raises(errors.UnauthenticatedError):
        async with feed.follow(doctor):
            pass
    assert not backend.presence.is_present(doctor.user.email)


@pytest.fixture
def built_with_short_sessions(built: Backend) -> Backend:
    """Return a backend whose clock goes on and whose sessions end within a second."""
    policy = replace(built.policy, idle=timedelta(seconds=0.4))
    return replace(built, policy=policy, clock=lambda: datetime.now(UTC))


@pytest.fixture
async def in_a_hurry(backend: Backend, built_with_short_sessions: Backend) -> Backend:
    """Return that backend, with the database prepared."""
    return built_with_short_sessions


async def test_a_screen_is_told_when_its_session_has_been_idle(in_a_hurry: Backend) -> None:
    doctor = await a_doctor(in_a_hurry)
    async with a_screen(doctor) as screen:
        assert (await screen.until(SessionEnded)).ending is Ending.IDLE
    assert await in_a_hurry.store.sessions.find(doctor.session.id) is None


async def test_acting_elsewhere_keeps_a_screen_open(in_a_hurry: Backend) -> None:
    policy = replace(in_a_hurry.policy, idle=timedelta(seconds=2))
    doctor = await a_doctor(replace(in_a_hurry, policy=policy))
    async with a_screen(doctor) as screen:
        for _ in range(5):
            await asyncio.sleep(0.5)
            await in_a_hurry.store.sessions.touch({doctor.session.id: doctor.now()})
        assert not screen.closed
        assert (await screen.until(SessionEnded)).ending is Ending.IDLE


async def test_being_told_things_does_not_keep_a_session_awake(in_a_hurry: Backend) -> None:
    doctor = await a_doctor(in_a_hurry)
    patient = await a_patient(in_a_hurry, doctor)
    async with a_screen(doctor) as screen:
        for _ in range(3):
            await says(patient, doctor)
            await asyncio.sleep(0.1)
        assert (await screen.until(SessionEnded)).ending is Ending.IDLE


async def test_the_absolute_end_is_no_idleness(in_a_hurry: Backend) -> None:
    doctor = await a_doctor(in_a_hurry)
    expires_at = doctor.now() + timedelta(seconds=0.2)
    expiring = Context(in_a_hurry, replace(doctor.session, expires_at=expires_at))
    async with a_screen(expiring) as screen:
        assert (await screen.until(SessionEnded)).ending is Ending.ENDED


async def test_partners_hear_who_comes_and_after_the_grace_who_has_gone(backend: Backend) -> None:
    doctor, patient = await a_pair(backend)
    conversation = (await conversations.find(patient, to(doctor))).conversation
    async with a_screen(patient) as screen:
        async with a_screen(doctor):
            came = await screen.until(PresenceChanged)
            assert (came.email, came.present) == (doctor.user.email, True)
            assert conversations.is_present(patient, conversation)
        assert conversations.is_present(patient, conversation)
        gone = await screen.until(PresenceChanged)
        assert (gone.email, gone.present) == (doctor.user.email, False)
        assert not conversations.is_present(patient, conversation)


async def test_a_reload_or_a_second_page_is_no_coming_and_going(backend: Backend) -> None:
    backend = replace(backend, presence=Presence(grace=1.0))
    doctor, patient = await a_pair(backend)
    async with a_screen(patient) as screen:
        for _ in range(3):
            async with a_screen(doctor), a_screen(doctor):
                pass
        await screen.until_all(lambda told: len(told.of(PresenceChanged)) >= 2)
        await asyncio.sleep(0.3)
        told = [event.present for event in screen.of(PresenceChanged)]
    assert told == [True, False]


async def test_strangers_do_not_hear_who_comes(backend: Backend) -> None:
    doctor, patient = await a_pair(backend)
    stranger = await a_doctor(backend)
    async with a_screen(stranger) as theirs, a_screen(patient) as screen:
        async with a_screen(doctor):
            await screen.until(PresenceChanged)
        assert theirs.of(PresenceChanged) == []


async def test_a_gap_that_cannot_be_read_is_told_as_such(
    fragile: Backend, failing: Unreliable
) -> None:
    doctor, patient = await a_pair(fragile)
    conversation = (await conversations.find(doctor, to(patient))).conversation
    sent = [await says(patient, doctor, str(number)) for number in (1, 2, 3)]
    async with a_screen(doctor) as screen:
        fragile.hub.publish(MessageSent(sent[0], conversation), [doctor.user.email])
        await screen.until(MessageSent)
        await asyncio.sleep(0)
        await fragile.progress.settle()
        failing.fail(["find"], errorCode=8000)
        fragile.hub.publish(MessageSent(sent[2], conversation), [doctor.user.email])
        await screen.until(FellBehind)
        failing.heal()
        fragile.hub.publish(MessageSent(sent[2], conversation), [doctor.user.email])
        await screen.until_all(lambda told: len(told.texts) >= 3)
        assert screen.texts == ["1", "2", "3"]


async def test_a_delivery_that_cannot_be_stored_is_stored_with_the_next(
    fragile: Backend, failing: Unreliable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "RETRY_SECONDS", 2)
    doctor, patient = await a_pair(fragile)
    async with a_screen(doctor) as screen, a_screen(patient) as theirs:
        refused = Rise("carechat_database_failures_total", kind="OperationFailure")
        failing.fail(["update"], errorCode=8000)
        await says(patient, doctor, "1")
        await screen.until(MessageSent)
        async with asyncio.timeout(SECONDS):
            while not refused():  # noqa: ASYNC110 a counter is all that is to be seen of it
                await asyncio.sleep(0.01)
        failing.heal()
        await says(patient, doctor, "2")
        receipt = (await theirs.until(ReceiptMoved)).receipt
        assert receipt.delivered_seq == 2


async def test_a_delivery_that_takes_long_holds_nothing_back(
    fragile: Backend, failing: Unreliable
) -> None:
    doctor, patient = await a_pair(fragile)
    async with a_screen(doctor) as screen:
        failing.fail(["update"], blockConnection=True, blockTimeMS=3_000)
        await says(patient, doctor)
        await asyncio.to_thread(failing.wait_until_busy_with, "update")
        fragile.hub.database_changed(reachable=False)
        await screen.until(DatabaseChanged, 2.0)


async def test_an_idle_session_ends_as_soon_as_the_database_is_back(
    fragile: Backend, failing: Unreliable
) -> None:
    policy = replace(fragile.policy, idle=timedelta(seconds=1.5))
    hurried = replace(fragile, policy=policy, clock=lambda: datetime.now(UTC))
    doctor = await a_doctor(hurried)
    async with a_screen(doctor) as screen:
        failing.fail(["find", "delete"], errorCode=8000)
        await asyncio.sleep(2)
        assert not screen.closed
        failing.heal()
        assert (await screen.until(SessionEnded)).ending is Ending.IDLE


async def test_what_a_screen_shows_after_events_equals_what_is_stored(backend: Backend) -> None:
    doctor, patient = await a_pair(backend)
    async with a_screen(doctor) as screen:
        senders = [(doctor, patient), (patient, doctor)] * 10
        await asyncio.gather(*(says(*pair, str(n)) for n, pair in enumerate(senders)))
        await screen.until_all(lambda told: len(told.texts) >= 20)
        shown = [(event.message.seq, event.message.id) for event in screen.of(MessageSent)]
    stored = (await messages.history(doctor, to(patient), 200)).messages
    assert shown == [(one.seq, one.id) for one in stored]
