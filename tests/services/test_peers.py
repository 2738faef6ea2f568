"""Several processes serve one clinic: what happens in one is seen in all, with Redis and without.

Each test has two backends, as two processes have them, on one MongoDB and one redis-server.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace

import pytest

from carechat.bootstrap import build
from carechat.domain import errors
from carechat.domain.events import FellBehind, MessageSent, PresenceChanged, ReceiptMoved
from carechat.realtime import relay, wire
from carechat.realtime.channel import Channel
from carechat.realtime.presence import Presence
from carechat.realtime.relay import Relay
from carechat.realtime.seal import Seal
from carechat.security.throttle import MAX_FAILURES_FROM_ONE_NETWORK
from carechat.services import accounts, conversations, peers, receipts, watch
from carechat.services.context import Backend, Context
from carechat.settings import Settings
from carechat.storage.changes import HISTORY_LOST
from tests import listening, redis_servers
from tests.conftest import SECRET, Clock
from tests.factories import a_caller, a_conversation, a_pair, says, to
from tests.listening import a_screen
from tests.redis_servers import RedisServer
from tests.scraping import Rise
from tests.unreliable import Unreliable

WITHIN = 2.0
"""How late something may be while Redis is away."""

AFTERWARDS = 1.0
"""How long a process at most goes on reading what others store after it has no doubt any more."""

SECONDS = 10.0

NOT_OURS = "redis: what is said there is not ours; is it of another version?"


@pytest.fixture
def redis() -> Generator[RedisServer]:
    """Give a redis-server."""
    with redis_servers.running() as server:
        yield server


@dataclass
class Process:
    """A backend of a process of its own, and its relay."""

    backend: Backend
    relay: Relay

    async def until(self, is_so: Callable[[], object]) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(SECONDS):
            while not is_so():  # noqa: ASYNC110 many things may make it so
                await asyncio.sleep(0.02)

    async def has(self, ctx: Context) -> Context:
        """Return that person, signed in once more, by way of this process."""
        return await a_caller(self.backend, ctx.user)


Start = Callable[..., AbstractAsyncContextManager[Process]]


@pytest.fixture
def start(settings: Settings, mongodb_uri: str, redis: RedisServer, clock: Clock) -> Start:
    """Return what gives one more process, with another Redis or another secret if told so."""

    @asynccontextmanager
    async def started(url: str = redis.url, secret: str = SECRET) -> AsyncGenerator[Process]:
        own = settings.model_copy(update={"redis_url": url, "jwt_secret": secret})
        built = build(own, mongodb_uri, clock)
        backend = replace(built, seconds=clock.seconds, presence=Presence(grace=0.3))
        assert backend.relay
        await backend.store.open()
        backend.prepared.set()
        await listening.watch(backend)
        peers.start(backend, backend.relay)
        process = Process(backend, backend.relay)
        try:
            yield process
        finally:
            await backend.close()

    return started


@pytest.fixture
async def two(start: Start) -> AsyncGenerator[tuple[Process, Process]]:
    """Give two processes that hear each other."""
    async with start() as one, start() as other:
        for process in (one, other):
            await process.until(lambda process=process: process.relay.is_heard)
        yield one, other


async def test_a_message_and_its_receipts_reach_the_other_process(
    two: tuple[Process, Process],
) -> None:
    here, there = two
    doctor, patient = await a_pair(here.backend)
    async with a_screen(doctor) as ours, a_screen(await there.has(patient)) as theirs:
        sent = await says(doctor, patient, "Hello, är du där? 👋")
        told = await theirs.until(MessageSent)
        assert told.message == sent
        assert told.conversation.emails == (doctor.user.email, patient.user.email)
        moved = await ours.until(ReceiptMoved)
        assert (moved.receipt.email, moved.receipt.delivered_seq) == (patient.user.email, 1)


async def test_everybody_is_told_once(two: tuple[Process, Process]) -> None:
    here, there = two
    doctor, patient = await a_pair(here.backend)
    async with a_screen(doctor) as ours, a_screen(await there.has(patient)) as theirs:
        for number in range(50):
            await says(doctor, patient, str(number))
        for screen in (ours, theirs):
            await screen.until_all(lambda told: len(told.texts) >= 50)
            assert screen.texts == [str(number) for number in range(50)]


async def test_without_redis_messages_and_receipts_are_read_from_the_database(
    two: tuple[Process, Process], redis: RedisServer
) -> None:
    here, there = two
    doctor, patient = await a_pair(here.backend)
    async with a_screen(doctor) as ours, a_screen(await there.has(patient)) as theirs:
        redis.kill()
        for number in range(20):
            await says(doctor, patient, str(number))
            await asyncio.sleep(0.02)
        async with asyncio.timeout(WITHIN):
            await theirs.until_all(lambda told: len(told.texts) >= 20)
            await ours.until_all(
                lambda told: any(e.receipt.delivered_seq == 20 for e in told.of(ReceiptMoved))
            )
        assert theirs.texts == [str(number) for number in range(20)]
        assert theirs.of(FellBehind) == []
        assert not watch.is_heard(here.backend)


async def test_a_redis_that_hangs_is_as_one_that_is_gone(
    two: tuple[Process, Process], redis: RedisServer
) -> None:
    here, there = two
    doctor, patient = await a_pair(here.backend)
    async with a_screen(await there.has(patient)) as theirs:
        with redis.frozen():
            sent = await says(doctor, patient)
            assert (await theirs.until(MessageSent)).message == sent


async def test_redis_that_comes_back_brings_messages_again_and_none_was_lost(
    two: tuple[Process, Process], redis: RedisServer
) -> None:
    here, there = two
    doctor, patient = await a_pair(here.backend)
    texts: list[str] = []

    async def talk(until: Callable[[], object]) -> None:
        while not until():
            texts.append(str(len(texts)))
            await says(doctor, patient, texts[-1])
            await asyncio.sleep(0.01)

    async with a_screen(await there.has(patient)) as theirs:
        for _ in range(2):
            redis.kill()
            await talk(lambda: not here.relay.is_heard and not there.relay.is_heard)
            redis.start()
            await talk(lambda: here.relay.is_heard and there.relay.is_heard)
            await talk(lambda: len(texts) % 50 == 0)
        await theirs.until_all(lambda told: len(told.texts) >= len(texts))
        assert theirs.texts == texts


async def test_a_process_that_alone_cannot_reach_redis_tells_and_hears_all_the_same(
    two: tuple[Process, Process], start: Start
) -> None:
    _, there = two
    async with start("redis://127.0.0.1:1/0") as cut_off:
        doctor, patient = await a_pair(cut_off.backend)
        patient = await there.has(patient)
        async with a_screen(doctor) as ours, a_screen(patient) as theirs:
            sent = await says(doctor, patient)
            assert (await theirs.until(MessageSent)).message == sent
            assert (await ours.until(MessageSent)).message == sent
            answer = await says(patient, doctor)
            assert (await ours.until(MessageSent)).message == answer


async def test_what_was_too_much_to_be_told_is_read_by_the_others(
    two: tuple[Process, Process],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    here, there = two
    dropped = Rise("carechat_relay_total", what="dropped")
    monkeypatch.setattr(relay, "MAX_WAITING", 3)
    doctor, patient = await a_pair(here.backend)
    async with a_screen(await there.has(patient)) as theirs:
        await asyncio.gather(*(says(doctor, patient, f"{number}") for number in range(20)))
        await theirs.until_all(lambda told: len(told.texts) >= 20)
        assert dropped() == here.relay.counts.dropped > 0
        assert (
            "redis: too much waits to be told, others will read it from MongoDB" in caplog.messages
        )


@dataclass
class Stranger:
    """Somebody who listens and speaks at the Redis of the clinic, and may have its secret."""

    seal: Seal
    channel: Channel

    async def says(self, data: bytes) -> None:
        """Say that to all processes."""
        await self.channel.say(data)

    async def hears(self, words: bytes) -> bytes:
        """Return the next that has those words in it."""
        async with asyncio.timeout(SECONDS), self.channel.listen() as said:
            return await anext(data async for data in said if words in data)


@pytest.fixture
async def stranger(redis: RedisServer, settings: Settings) -> AsyncGenerator[Stranger]:
    """Give somebody at the Redis of the clinic."""
    seal = Seal(SECRET, settings.mongodb_database)
    channel = Channel(redis.url, seal.channel)
    yield Stranger(seal, channel)
    await channel.close()


async def test_what_nobody_understands_is_counted_and_what_it_may_have_said_is_read(
    two: tuple[Process, Process], stranger: Stranger, caplog: pytest.LogCaptureFixture
) -> None:
    here, there = two
    garbled = Rise("carechat_relay_total", what="garbled")
    doctor, patient = await a_pair(here.backend)
    async with a_screen(await there.has(patient)) as theirs:
        here.backend.hub.relay = None
        sent = await says(doctor, patient)
        for _ in range(3):
            await stranger.says(stranger.seal.close(b'[99, "of another version", 1, []]'))
        assert (await theirs.until(MessageSent)).message == sent
    await there.until(lambda: there.relay.counts.garbled == here.relay.counts.garbled == 3)
    assert garbled() == 6
    assert caplog.messages.count(NOT_OURS) == 2  # each process says so once


async def test_who_has_not_the_clinics_secret_is_not_listened_to(
    two: tuple[Process, Process], stranger: Stranger
) -> None:
    """Whatever they say, and even if they say what a process could."""
    _, there = two
    doctor, _ = await a_pair(there.backend)
    comes = wire.encode(wire.Batch("a stranger", 1, [wire.Came(doctor.user.email, present=True)]))
    await stranger.says(comes)
    await stranger.says(Seal("another secret", "carechat").close(comes))
    await there.until(lambda: there.relay.counts.garbled == 2)
    assert not there.backend.presence.is_present(doctor.user.email)
    await stranger.says(stranger.seal.close(comes))  # as a process of the clinic would
    await there.until(lambda: there.backend.presence.is_present(doctor.user.email))


async def test_what_a_process_has_said_cannot_be_said_again_by_others(
    two: tuple[Process, Process], start: Start, stranger: Stranger
) -> None:
    """Not even after that process has ended."""
    _, there = two
    async with start() as other:
        await there.until(lambda: other.relay.is_heard)
        doctor, _ = await a_pair(there.backend)
        comes = f'"{doctor.user.email}",true'.encode()
        hearing = asyncio.create_task(stranger.hears(comes))
        while not hearing.done():
            async with a_screen(await other.has(doctor)):
                await asyncio.sleep(0.05)
            await asyncio.sleep(0.4)
    await there.until(lambda: not there.backend.presence.is_present(doctor.user.email))
    before = there.relay.counts.garbled
    await stranger.says(await hearing)
    await there.until(lambda: there.relay.counts.garbled > before)
    assert not there.backend.presence.is_present(doctor.user.email)


async def test_a_clinic_with_another_secret_hears_nothing_at_the_same_redis(
    two: tuple[Process, Process], start: Start
) -> None:
    """As production and a copy of it, whose Redis databases only seem to be apart."""
    here, there = two
    doctor, patient = await a_pair(here.backend)
    async with start(secret="the secret of a copy of the clinic") as copy:
        await copy.until(lambda: copy.relay.is_heard)
        async with a_screen(doctor), a_screen(await there.has(patient)) as theirs:
            await says(doctor, patient)
            await theirs.until(MessageSent)
        told = copy.relay.counts.told
        copy.relay.tell(wire.Hello())
        await copy.until(lambda: copy.relay.counts.told > told)
        assert (copy.relay.counts.heard, copy.relay.counts.garbled) == (0, 0)
    assert here.relay.counts.garbled == there.relay.counts.garbled == 0


@pytest.mark.parametrize("good_bye", [True, False], ids=["ended", "killed"])
async def test_what_a_process_did_not_tell_any_more_is_read_by_the_others(
    two: tuple[Process, Process], good_bye: bool
) -> None:
    here, there = two
    doctor, patient = await a_pair(here.backend)
    async with a_screen(await there.has(patient)) as theirs:
        await there.until(lambda: time.monotonic() > there.relay.doubt.until + AFTERWARDS)
        here.backend.hub.relay = None
        sent = await says(doctor, patient)
        here.relay.is_heard = good_bye  # else it says none
        await here.backend.close()
        assert (await theirs.until(MessageSent)).message == sent


async def test_what_even_the_database_has_forgotten_is_read_anew_by_everybody(
    fragile: Backend, failing: Unreliable
) -> None:
    alone = replace(fragile, relay=Relay("redis://127.0.0.1:1/0", "clinic", SECRET))
    assert alone.relay
    _, patient = await a_pair(alone)
    async with a_screen(patient) as theirs:
        failing.fail(["aggregate"], errorCode=HISTORY_LOST)
        peers.start(alone, alone.relay)
        await theirs.until(FellBehind)


async def test_a_doctor_is_there_whichever_process_the_page_is_on(
    two: tuple[Process, Process],
) -> None:
    here, there = two
    doctor, patient = await a_pair(here.backend)
    conversation = await a_conversation(doctor, patient)
    patient = await there.has(patient)
    async with a_screen(patient) as theirs:
        async with a_screen(doctor):
            assert await theirs.until(PresenceChanged) == PresenceChanged(doctor.user.email, True)
            assert conversations.is_present(patient, conversation)
        assert await theirs.until(PresenceChanged) == PresenceChanged(doctor.user.email, False)
        assert not conversations.is_present(patient, conversation)


async def test_a_process_that_starts_later_knows_who_is_there(
    two: tuple[Process, Process], start: Start
) -> None:
    doctor, patient = await a_pair(two[0].backend)
    conversation = await a_conversation(doctor, patient)
    async with a_screen(doctor), start() as late:
        patient = await late.has(patient)
        await late.until(lambda: conversations.is_present(patient, conversation))


async def test_who_was_with_a_process_that_ended_is_away_after_the_grace(
    two: tuple[Process, Process], start: Start
) -> None:
    _, there = two
    async with start() as doomed:
        doctor, patient = await a_pair(doomed.backend)
        async with a_screen(doctor), a_screen(await there.has(patient)) as theirs:
            await there.until(lambda: there.backend.presence.is_present(doctor.user.email))
            await doomed.backend.close()
            while (await theirs.until(PresenceChanged)).present:
                pass
    assert not there.backend.presence.is_present(doctor.user.email)


async def test_failed_sign_ins_are_counted_together(two: tuple[Process, Process]) -> None:
    here, there = two
    doctor, _ = await a_pair(here.backend)
    for _ in range(MAX_FAILURES_FROM_ONE_NETWORK):
        with pytest.raises(errors.UnauthenticatedError):
            await accounts.sign_in(here.backend, doctor.user.email, "wrong password", "192.0.2.1")

    async def refused() -> None:
        while True:
            await asyncio.sleep(0.02)
            there.backend.logins.attempt(doctor.user.email, "192.0.2.1", there.backend.seconds())

    with pytest.raises(errors.RateLimitedError):
        await asyncio.wait_for(refused(), SECONDS)


async def test_reading_is_told_to_the_other_process(two: tuple[Process, Process]) -> None:
    here, there = two
    doctor, patient = await a_pair(here.backend)
    await says(doctor, patient)
    async with a_screen(doctor) as ours:
        await receipts.read(await there.has(patient), to(doctor))
        moved = await ours.until(ReceiptMoved)
        assert moved.receipt.read_seq == 1
