"""The demo clinic: what stands in it, when it was said, and that a load can be cut short."""

import asyncio
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from carechat import bootstrap, demo
from carechat.domain import errors
from carechat.domain.conversations import Summary
from carechat.domain.messages import clean_client_id, clean_message
from carechat.services import accounts, conversations, messages, users
from carechat.services.access import Address
from carechat.services.context import Backend, Context
from carechat.settings import Settings
from tests.conftest import START_SECONDS, Clock

SECRET = "x" * 32


class CutShort:
    """A clock with which the database goes away after some looks at it."""

    def __init__(self, clock: demo.Past, looks: int) -> None:
        self._clock = clock
        self._looks = looks

    def __call__(self) -> datetime:
        self._looks -= 1
        if self._looks < 0:
            raise errors.UnavailableError("It is gone.")
        return self._clock()


async def signed_in(backend: Backend, email: str) -> Context:
    """Return that person of the demo."""
    signed_in = await accounts.sign_in(backend, email, demo.PASSWORD, "here")
    return await accounts.resolve(backend, signed_in.token)


async def summaries(ctx: Context) -> dict[str, Summary]:
    """Return the caller's conversations by the partner's name."""
    page = await conversations.page(ctx)
    return {one.conversation.partner(ctx.user.email).name: one for one in page.summaries}


async def assert_complete(backend: Backend, clinic: demo.Clinic) -> None:
    """Everything of the script stands in the database, once, read as far as the script says."""
    known = [(user.email, user.role, user.name) for user in await users.all_users(backend)]
    assert known == sorted((one.email, one.role, one.name) for one in clinic.people)
    for talk in clinic.talks:
        ctx, address = await signed_in(backend, talk.doctor), Address(partner_email=talk.patient)
        found = (await conversations.find(ctx, address)).conversation
        assert {(one.email, one.delivered_seq, one.read_seq) for one in found.members} == set(
            cursors(talk)
        )
        lines = (await messages.history(ctx, address, limit=200)).messages
        assert [(one.sender_email, one.message, one.timestamp) for one in lines] == [
            (line.sender, line.text, line.at) for line in talk.lines
        ]


def cursors(talk: demo.Talk) -> Iterator[tuple[str, int, int]]:
    """How far each of the two has got: the address, what was delivered, what was read."""
    lines = len(talk.lines)
    last = talk.lines[-1].sender if lines else ""
    for email in (talk.doctor, talk.patient):
        mine = email == last
        yield email, lines if mine else lines - talk.sent, lines if mine else lines - talk.unread


@pytest.fixture
def at(settings: Settings, mongodb_uri: str) -> partial[Backend]:
    """Return what makes a backend on the same database that goes by another clock."""
    return partial(bootstrap.build, settings, mongodb_uri)


@pytest.fixture
def clinic(clock: Clock) -> demo.Clinic:
    """Return what the database must hold after a load."""
    return demo.script(clock())


@pytest.fixture
async def loaded(backend: Backend, at: partial[Backend]) -> Backend:
    """Return a backend on the demo clinic."""
    await demo.load(backend, at)
    return backend


async def test_the_doctor_sees_six_patients_of_whom_three_wait(
    loaded: Backend, clock: Clock
) -> None:
    dashboard = await conversations.dashboard(await signed_in(loaded, demo.DOCTOR_EMAIL), 50)
    assert len(dashboard.summaries) == dashboard.total == 6
    waiting = sorted((clock() - one.since, one.count) for one in dashboard.unread.values())
    assert waiting == [
        (timedelta(minutes=12), 2),
        (timedelta(minutes=27), 1),
        (timedelta(minutes=83), 3),
    ]


async def test_each_conversation_is_as_long_as_one_of_a_clinic(loaded: Backend) -> None:
    found = await summaries(await signed_in(loaded, demo.DOCTOR_EMAIL))
    assert found.pop("Yasmin El-Amin").last_message is None
    assert all(4 <= one.last_seq <= 25 for one in found.values())


async def test_the_patient_of_the_demo_has_one_doctor_and_so_one_button(loaded: Backend) -> None:
    found = await summaries(await signed_in(loaded, demo.PATIENT_EMAIL))
    assert list(found) == ["Dr. Sarah Chen"]


async def test_another_patient_has_two_doctors_one_of_whom_wrote_something_new(
    loaded: Backend,
) -> None:
    found = await summaries(await signed_in(loaded, "tomasz.kowalski@example.com"))
    unread = {name: one.unread and one.unread.count for name, one in found.items()}
    assert unread == {"Dr. Sarah Chen": None, "Dr. Amir Haddad": 1}


async def test_a_message_was_sent_another_delivered_a_third_read(loaded: Backend) -> None:
    theirs = await summaries(await signed_in(loaded, demo.DOCTOR_EMAIL))
    theirs |= await summaries(await signed_in(loaded, "amir.haddad@example.com"))
    last = [
        theirs[name].last_message for name in ("José Hernández", "Tomasz Kowalski", "Amara Okafor")
    ]
    assert [one and (one.delivered, one.read) for one in last] == [
        (False, False),
        (True, False),
        (True, True),
    ]


async def test_a_new_doctor_has_nobody_yet(loaded: Backend) -> None:
    assert not await summaries(await signed_in(loaded, "ingrid.larsen@example.com"))


async def test_everybody_signs_in_with_the_one_password(loaded: Backend) -> None:
    for user in await users.all_users(loaded):
        assert (await signed_in(loaded, user.email)).user == user


async def test_everything_of_the_script_is_there(loaded: Backend, clinic: demo.Clinic) -> None:
    await assert_complete(loaded, clinic)


async def test_loading_again_changes_nothing(
    loaded: Backend, at: partial[Backend], clock: Clock, clinic: demo.Clinic
) -> None:
    clock.advance(days=1)
    await demo.load(loaded, at)
    await assert_complete(loaded, clinic)


@pytest.mark.parametrize("looks", [0, 3, 20, 40, 112])
async def test_a_load_that_was_cut_short_is_completed_the_next_time(
    backend: Backend, at: partial[Backend], clinic: demo.Clinic, looks: int
) -> None:
    with pytest.raises(errors.UnavailableError):
        await demo.load(backend, lambda past: at(CutShort(past, looks)))
    await demo.load(backend, at)
    await assert_complete(backend, clinic)


@pytest.mark.parametrize("day", ["2026-01-01", "2026-03-29", "2026-10-25", "2028-02-29"])
def test_everything_was_said_in_the_past_and_in_order(day: str) -> None:
    midnight = datetime.fromisoformat(f"{day}T00:00Z")
    for now in (midnight + timedelta(minutes=minutes) for minutes in range(0, 24 * 60, 45)):
        for talk in demo.script(now).talks:
            times = [line.at for line in talk.lines]
            assert times == sorted(set(times))
            assert all(now - timedelta(days=8) < time < now for time in times)


def test_every_text_can_be_sent_as_it_stands() -> None:
    for line in demo.script(datetime.now(UTC)).lines:
        assert clean_message(line.text) == line.text
        assert clean_client_id(line.client_id)


def test_the_greeting_tells_how_to_sign_in() -> None:
    people = {person.email: person for person in demo.script(datetime.now(UTC)).people}
    for email in (demo.DOCTOR_EMAIL, demo.PATIENT_EMAIL):
        assert f"{email:<20} {people[email].name}" in demo.greeting()
    assert demo.PASSWORD in demo.greeting()


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({}, True),
        ({"demo": False}, False),
        ({"mongodb_uri": "mongodb://db.test", "jwt_secret": SECRET}, False),
        ({"mongodb_uri": "mongodb://db.test", "jwt_secret": SECRET, "demo": True}, True),
    ],
)
async def test_it_comes_with_the_embedded_database_or_when_asked_for(
    settings: Settings, mongodb_uri: str, backend: Backend, changes: dict[str, object], shown: bool
) -> None:
    chosen = Settings.model_validate({**settings.model_dump(), **changes})
    async with bootstrap.running(chosen, mongodb_uri) as running, asyncio.timeout(START_SECONDS):
        await running.prepared.wait()
    assert len(await users.all_users(backend)) == (9 if shown else 0)


async def test_what_was_changed_after_a_cut_load_does_not_stop_the_start(
    settings: Settings,
    mongodb_uri: str,
    backend: Backend,
    at: partial[Backend],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(errors.UnavailableError):
        await demo.load(backend, lambda past: at(CutShort(past, 40)))
    await users.disable(backend, demo.PATIENT_EMAIL)
    with caplog.at_level(logging.WARNING):
        async with bootstrap.running(settings, mongodb_uri):
            for _ in range(50):
                await asyncio.sleep(0.1)
                if caplog.messages:
                    break
    assert caplog.messages == ["demo: it stays incomplete (forbidden)"]
