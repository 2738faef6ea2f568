"""The watch: what other processes change reaches the open screens of this one within a second."""

import asyncio
import logging
import re
from pathlib import Path
from statistics import median
from urllib.parse import quote_plus

import pytest

from carechat import bootstrap, demo, metrics
from carechat.domain import errors
from carechat.domain.events import (
    ConversationChanged,
    DatabaseChanged,
    Ending,
    MessageSent,
    SessionEnded,
)
from carechat.services import accounts, context, users, watch
from carechat.services.context import Backend
from carechat.settings import Settings
from tests import listening
from tests.conftest import Clock, Records
from tests.factories import PASSWORD, a_caller, a_doctor, a_pair, a_patient, says
from tests.listening import a_screen
from tests.scraping import Rise, here
from tests.unreliable import Unreliable

WITHIN = 5.0
"""How long a test waits for what mostly takes a tenth of a second."""


async def test_a_session_ended_elsewhere_ends_its_screens(
    watching: Backend, other_process: Backend
) -> None:
    doctor, patient = await a_pair(watching)
    async with a_screen(doctor) as one, a_screen(doctor) as two, a_screen(patient) as theirs:
        await other_process.store.sessions.end(doctor.session.id)
        for screen in (one, two):
            assert (await screen.until(SessionEnded, WITHIN)).ending is Ending.ENDED
        assert not theirs.closed


async def test_it_takes_less_than_a_second(watching: Backend, other_process: Backend) -> None:
    """The median: a busy machine may be late now and then."""
    now, took = asyncio.get_running_loop().time, list[float]()
    for _ in range(5):
        doctor = await a_doctor(watching)
        async with a_screen(doctor) as screen:
            began = now()
            await other_process.store.sessions.end(doctor.session.id)
            await screen.until(SessionEnded)
            took.append(now() - began)
    assert median(took) < 1


async def test_disabling_elsewhere_ends_the_screens_and_tells_the_partner(
    watching: Backend, other_process: Backend
) -> None:
    doctor, patient = await a_pair(watching)
    await listening.until_heard(watching)  # that they belong together, which is a change, too
    async with a_screen(doctor) as ours, a_screen(patient) as theirs:
        await users.disable(other_process, patient.user.email)
        await theirs.until(SessionEnded, WITHIN)
        changed = await ours.until(ConversationChanged, WITHIN)
        assert not changed.conversation.writable


async def test_a_new_password_ends_the_other_screens_only(
    watching: Backend, other_process: Backend
) -> None:
    doctor, _ = await a_pair(watching)
    elsewhere = await a_caller(watching, doctor.user)
    async with a_screen(doctor) as here, a_screen(elsewhere) as there:
        own = await accounts.resolve(
            other_process,
            watching.tokens.issue(
                doctor.user, doctor.session.id, doctor.session.active_at, doctor.session.expires_at
            ),
        )
        await accounts.change_password(own, PASSWORD, "another fine password", "")
        await there.until(SessionEnded, WITHIN)
        assert not here.closed


async def test_an_assignment_elsewhere_reaches_both(
    watching: Backend, other_process: Backend
) -> None:
    doctor, patient = await a_doctor(watching), await a_patient(watching)
    async with a_screen(doctor) as ours, a_screen(patient) as theirs:
        await users.assign(other_process, doctor.user.email, patient.user.email)
        for screen in (ours, theirs):
            changed = await screen.until(ConversationChanged, WITHIN)
            assert changed.conversation.writable
        await users.unassign(other_process, doctor.user.email, patient.user.email)
        for screen in (ours, theirs):
            changed = await screen.until(ConversationChanged, WITHIN)
            assert not changed.conversation.writable


async def test_messages_and_receipts_are_no_change_of_a_conversation(watching: Backend) -> None:
    doctor, patient = await a_pair(watching)
    await listening.until_heard(watching)
    async with a_screen(doctor) as screen:
        await says(patient, doctor)
        await screen.until(MessageSent)
        await watching.progress.settle()
        await listening.until_heard(watching)
        assert screen.of(ConversationChanged) == []


async def test_a_session_that_ended_while_nobody_watched_is_noticed(backend: Backend) -> None:
    doctor, _ = await a_pair(backend)
    async with a_screen(doctor) as screen:
        await accounts.sign_out(doctor)
        await asyncio.sleep(0.1)
        assert not screen.closed
        await listening.watch(backend)
        assert (await screen.until(SessionEnded, WITHIN)).ending is Ending.ENDED


async def test_a_session_that_is_just_ending_when_the_watch_begins_is_noticed(
    fragile: Backend, failing: Unreliable
) -> None:
    """No majority has the end of it yet, so neither reading nor listening shows it by itself."""
    doctor, _ = await a_pair(fragile)
    async with a_screen(doctor) as screen:
        with failing.holding_back():
            ending = asyncio.create_task(fragile.store.sessions.end(doctor.session.id))
            await asyncio.to_thread(failing.wait_until_busy_with, "delete")
            fragile.spawn(watch.changes(fragile))
            await asyncio.sleep(0.5)
        await ending
        await screen.until(SessionEnded)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the watch look again soon."""
    monkeypatch.setattr(watch, "RETRY_SECONDS", 0.05)


async def test_every_screen_hears_when_the_database_goes_and_comes_back(
    quick: None, fragile: Backend, failing: Unreliable
) -> None:
    doctor, patient = await a_pair(fragile)
    fragile.spawn(watch.database(fragile))
    async with a_screen(doctor) as ours, a_screen(patient) as theirs:
        failing.fail(["ping"], errorCode=8000)
        for screen in (ours, theirs):
            assert not (await screen.until(DatabaseChanged)).reachable
        assert await watch.obstacle(fragile) == "The database does not answer."
        failing.heal()
        for screen in (ours, theirs):
            assert (await screen.until(DatabaseChanged)).reachable
        assert not await watch.obstacle(fragile)
        assert len(ours.of(DatabaseChanged)) == 2


@pytest.fixture
def often(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the watch write with each look."""
    monkeypatch.setattr(watch, "PROVE_SECONDS", 0.0)


async def test_a_database_that_answers_and_takes_no_writes_is_told_as_one_that_is_away(
    often: None, fragile: Backend, failing: Unreliable, caplog: pytest.LogCaptureFixture
) -> None:
    doctor, _ = await a_pair(fragile)
    fragile.spawn(watch.database(fragile))
    async with a_screen(doctor) as screen:
        with failing.locked():
            assert not (await screen.until(DatabaseChanged)).reachable
            assert here("carechat_up", service="mongodb") == 0
            assert await watch.obstacle(fragile) == "The database takes no writes."
            await fragile.store.ping()
        assert (await screen.until(DatabaseChanged)).reachable
        assert here("carechat_up", service="mongodb") == 1
        assert not await watch.obstacle(fragile)
        failing.fail(["ping"], errorCode=8000)
        await screen.until(DatabaseChanged)
    lines = said(caplog, "database")
    assert lines[0].startswith("database: takes no writes (")
    assert lines[1].startswith("database: takes writes again after ")
    assert lines[2:] == ["database: does not answer (OperationFailure 8000)"]


async def test_a_call_that_fails_lets_the_watch_look_at_once(
    quick: None, fragile: Backend, failing: Unreliable
) -> None:
    """Long before it would write by itself; the alert counts every such call."""
    doctor, patient = await a_pair(fragile)
    metrics.reachable("mongodb", answers=False)
    fragile.spawn(watch.database(fragile))
    async with a_screen(doctor) as screen:
        while not here("carechat_up", service="mongodb"):
            await fragile.store.ping()
        counted = Rise("carechat_database_failures_total", kind="OperationFailure")
        failing.fail(["update", "findAndModify"], errorCode=8000)
        with pytest.raises(errors.UnavailableError):
            await users.disable(fragile, patient.user.email)
        assert not (await screen.until(DatabaseChanged, WITHIN)).reachable
        assert counted()
        failing.heal()
        assert (await screen.until(DatabaseChanged)).reachable


async def test_a_watch_that_is_begun_again_knows_what_it_has_told(
    quick: None, backend: Backend
) -> None:
    doctor, _ = await a_pair(backend)
    backend.condition.trouble = watch.NO_ANSWER
    async with a_screen(doctor) as screen:
        backend.spawn(watch.database(backend))
        assert (await screen.until(DatabaseChanged)).reachable


async def test_the_watch_goes_on_after_the_database_was_away(
    quick: None, fragile: Backend, failing: Unreliable
) -> None:
    failing.fail(["aggregate"], errorCode=8000)
    fragile.spawn(watch.changes(fragile))
    await asyncio.sleep(0.2)
    failing.heal()
    doctor, _ = await a_pair(fragile)
    async with a_screen(doctor) as screen:
        await accounts.sign_out(doctor)
        await screen.until(SessionEnded)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let work that must go on be begun again soon."""
    monkeypatch.setattr(context, "AGAIN_SECONDS", 0.05)


async def test_a_change_that_nobody_understands_does_not_end_the_watch(
    at_once: None, settings: Settings, mongodb_uri: str, records: Records
) -> None:
    """Such as one of a newer version, during an update; what comes after it is heard again."""
    without_demo = settings.model_copy(update={"demo": False})
    failures = Rise("carechat_failures_total")
    async with bootstrap.running(without_demo, mongodb_uri) as backend:
        await backend.prepared.wait()
        doctor, _ = await a_pair(backend)
        async with a_screen(doctor) as screen, asyncio.timeout(20):
            while not failures():
                await asyncio.to_thread(records["notices"].insert_one, {"of": "a newer version"})
            await accounts.sign_out(doctor)
            await screen.until(SessionEnded)
            while here("carechat_up", service="changes") != 1:  # noqa: ASYNC110 as above
                await asyncio.sleep(0.02)


async def test_work_that_must_go_on_is_begun_again_until_it_is_done(
    at_once: None, backend: Backend, caplog: pytest.LogCaptureFixture
) -> None:
    failures, tries = Rise("carechat_failures_total"), list[str]()

    async def work() -> None:
        tries.append("one more")
        if len(tries) < 3:
            {}["my secret pain"]

    await backend.keep("start", work)
    assert (len(tries), failures()) == (3, 2)
    assert re.fullmatch(
        r"start: KeyError at carechat/.+, in services/test_watch\.py:\d+, going on",
        caplog.messages[0],
    )


async def test_a_start_that_fails_in_an_unknown_way_is_tried_again(
    at_once: None, settings: Settings, mongodb_uri: str, records: Records
) -> None:
    failures = Rise("carechat_failures_total")
    await asyncio.to_thread(records["users"].insert_one, {"email": demo.DOCTOR_EMAIL})
    with_demo = settings.model_copy(update={"demo": True})
    async with bootstrap.running(with_demo, mongodb_uri) as backend, asyncio.timeout(20):
        while not failures():  # noqa: ASYNC110 a counter is all that is to be seen of it
            await asyncio.sleep(0.02)
        assert not backend.prepared.is_set()
        await asyncio.to_thread(records["users"].delete_many, {})
        await backend.prepared.wait()


def said(caplog: pytest.LogCaptureFixture, topic: str) -> list[str]:
    """Return the warnings about that, in order."""
    texts = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    return [text for text in texts if text.startswith(f"{topic}:")]


async def until_said(caplog: pytest.LogCaptureFixture, topic: str) -> None:
    """Wait until there is a warning about that."""
    async with asyncio.timeout(20):
        while not said(caplog, topic):  # noqa: ASYNC110 the log is all there is
            await asyncio.sleep(0.02)


async def test_the_log_says_why_the_database_does_not_answer_and_for_how_long(
    quick: None, fragile: Backend, failing: Unreliable, caplog: pytest.LogCaptureFixture
) -> None:
    fragile.spawn(watch.database(fragile))
    doctor, _ = await a_pair(fragile)
    async with a_screen(doctor) as screen:
        failing.fail(["ping"], errorCode=8000)
        await screen.until(DatabaseChanged)
        await asyncio.sleep(0.6)
        failing.heal()
        await screen.until(DatabaseChanged)
        failing.fail(["ping"])
        await screen.until(DatabaseChanged)
    first, second, third = said(caplog, "database")
    assert first == "database: does not answer (OperationFailure 8000)"
    assert re.fullmatch(r"database: answers again after [1-9] s", second)
    assert third == "database: does not answer (AutoReconnect)"


async def test_a_clock_that_jumps_is_told(
    quick: None, backend: Backend, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Sessions end by it and messages are dated by it, so somebody will ask."""
    backend.spawn(watch.database(backend))
    for hours in (1, -2):
        looked = len(said(caplog, "clock"))
        await asyncio.sleep(0)  # the watch has looked at the clock as it is
        clock.advance(hours=hours)
        async with asyncio.timeout(20):
            while len(said(caplog, "clock")) == looked:  # noqa: ASYNC110 the log is all there is
                await asyncio.sleep(0.02)
    forward, back = said(caplog, "clock")
    assert re.fullmatch(r"clock: went forward by 3[56]\d\d s", forward)
    assert re.fullmatch(r"clock: went back by 7[12]\d\d s", back)


async def test_changes_that_are_not_heard_are_told_once(
    quick: None, fragile: Backend, failing: Unreliable, caplog: pytest.LogCaptureFixture
) -> None:
    failing.fail(["aggregate"], errorCode=8000)
    fragile.spawn(watch.changes(fragile))
    await until_said(caplog, "changes")
    await asyncio.sleep(0.5)
    assert said(caplog, "changes") == ["changes: not heard (OperationFailure 8000), trying again"]
    failing.heal()
    doctor, _ = await a_pair(fragile)
    async with a_screen(doctor) as screen:
        await accounts.sign_out(doctor)
        await screen.until(SessionEnded)
    assert said(caplog, "changes")[1:] == ["changes: heard again"]


async def test_a_start_without_a_database_is_told_once(
    quick: None, settings: Settings, failing: Unreliable, caplog: pytest.LogCaptureFixture
) -> None:
    failing.fail(["createIndexes"], errorCode=8000)
    without_demo = settings.model_copy(update={"demo": False})
    async with bootstrap.running(without_demo, failing.uri) as backend:
        await until_said(caplog, "start")
        await asyncio.sleep(0.5)
        failing.heal()
        await backend.prepared.wait()
    assert said(caplog, "start") == [
        "start: the database does not answer (OperationFailure 8000), trying again",
        "start: the database is prepared",
    ]


async def test_who_asks_whether_it_is_ready_hears_what_is_the_matter(
    settings: Settings, mongodb_uri: str
) -> None:
    without_demo = settings.model_copy(update={"demo": False})
    async with bootstrap.running(without_demo, mongodb_uri) as backend:
        while not backend.prepared.is_set():
            assert await watch.obstacle(backend) in {"The database is being prepared.", ""}
        assert await watch.obstacle(backend) == ""
        backend.hub.close()
        assert await watch.obstacle(backend) == "CareChat is stopping."


async def test_a_mongodb_that_cannot_be_worked_with_is_named_as_the_reason(
    settings: Settings, lone_mongod: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One that was away when the server was started, and has turned out to be no replica set."""
    uri = f"mongodb://{quote_plus(str(lone_mongod))}"
    async with bootstrap.running(settings, uri) as backend, asyncio.timeout(20):
        while not said(caplog, "start"):
            await backend.store.ping()
        assert await watch.obstacle(backend) == (
            "MONGODB_URI must name a replica set or a sharded cluster."
        )


async def test_closing_a_backend_stops_its_watches(built: Backend) -> None:
    built.spawn(watch.changes(built))
    built.spawn(watch.database(built))
    await asyncio.sleep(0.05)
    async with asyncio.timeout(5):
        await built.close()
