"""Several real processes serve one clinic: two workers of a server, and two servers.

They share a MongoDB and a redis-server, as on several machines; each is killed here.
"""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus

from carechat.bootstrap import build
from carechat.services import accounts, messages
from carechat.services.context import Backend, Context
from carechat.settings import Settings
from tests import redis_servers, replica_sets, several
from tests.conftest import SECRET
from tests.factories import a_pair, to
from tests.redis_servers import RedisServer
from tests.replica_sets import ReplicaSet
from tests.serving import Server, Socket, a_socket
from tests.several import Instance

COUNT = 150
"""What is said, beyond which nothing can be heard."""

BROKEN = (ConnectionClosed, InvalidMessage, InvalidStatus, OSError, TimeoutError)


@pytest.fixture
def redis() -> Generator[RedisServer]:
    """Give a redis-server."""
    with redis_servers.running() as server:
        yield server


@pytest.fixture
def environment(settings: Settings, mongodb_uri: str, redis: RedisServer) -> dict[str, str]:
    """Return what all processes of the clinic are told."""
    return {
        "MONGODB_URI": mongodb_uri,
        "MONGODB_DATABASE": settings.mongodb_database,
        "REDIS_URL": redis.url,
        "CARECHAT_JWT_SECRET": SECRET,
        "CARECHAT_BCRYPT_COST": "4",
        "CARECHAT_SEND_RATE": "1000/1000",
        "CARECHAT_DATA_DIR": str(settings.data_dir),
        "CARECHAT_PUBLIC_URL": "http://localhost:8000",
    }


@asynccontextmanager
async def at_a_desk(settings: Settings, mongodb_uri: str) -> AsyncGenerator[Backend]:
    """Give a backend that makes accounts and sessions, and whose clock is that of the servers."""
    backend = build(settings, mongodb_uri)
    await backend.store.open()
    yield backend
    await backend.close()


@pytest.fixture
async def desk(settings: Settings, mongodb_uri: str) -> AsyncGenerator[Backend]:
    """Give such a backend on this worker's MongoDB."""
    async with at_a_desk(settings, mongodb_uri) as backend:
        yield backend


@pytest.fixture
def two_workers(environment: dict[str, str]) -> Generator[Instance]:
    """Give a server with two workers."""
    with several.instance(environment, workers=2) as instance:
        yield instance


@asynccontextmanager
async def on_another_process(server: Server, ctx: Context, than: Socket) -> AsyncGenerator[Socket]:
    """Give a socket of that person which another process has than that one."""
    async with AsyncExitStack() as others:
        while True:
            connected = await others.enter_async_context(a_socket(server, ctx))
            if connected.process != than.process:
                yield connected
                return


@dataclass
class Client:
    """Somebody's program: it connects again when cut off, and says again what was not acked."""

    server: Server
    ctx: Context
    conversation: str
    unsent: list[str] = field(default_factory=list[str])
    got: dict[int, str] = field(default_factory=dict[int, str])
    times_connected: int = 0
    process: int = 0

    async def run(self, partner: str) -> None:
        """Send what is unsent and take what comes, until cancelled."""
        while True:
            with suppress(*BROKEN):
                async with a_socket(self.server, self.ctx) as connected:
                    self.times_connected += 1
                    self.process = connected.process
                    await self._talk(connected, partner)
            await asyncio.sleep(0.1)

    async def until_heard(self, count: int) -> None:
        """Wait until so many messages have come."""
        while len(self.got) < count:  # noqa: ASYNC110 what comes is not waited for one by one
            await asyncio.sleep(0.02)

    async def until_connected(self, times: int) -> None:
        """Wait until it has connected so often."""
        while self.times_connected < times:  # noqa: ASYNC110 as above
            await asyncio.sleep(0.02)

    async def _talk(self, connected: Socket, partner: str) -> None:
        await connected.send(type="sync", after={self.conversation: max(self.got, default=0)})
        asked: set[str] = set()
        while True:
            for text in [one for one in self.unsent[:3] if one not in asked]:
                asked.add(text)
                await connected.send(receiver_email=partner, message=text, client_id=text)
            frame = await connected.next()
            if frame["type"] == "message" and frame["sender_email"] == partner:
                assert self.got.setdefault(frame["seq"], frame["message"]) == frame["message"]
            elif frame["type"] == "ack":
                self.unsent.remove(frame["client_id"])
                await asyncio.sleep(0.02)


async def stored(ctx: Context, partner: Context) -> list[str]:
    """Return everything that was said, oldest first."""
    page = await messages.history(ctx, to(partner), messages.MAX_PAGE, after=0)
    assert [one.seq for one in page.messages] == list(range(1, len(page.messages) + 1))
    return [one.message for one in page.messages]


async def test_two_workers_tell_each_other_messages_receipts_and_the_end_of_a_session(
    desk: Backend, two_workers: Instance
) -> None:
    doctor, patient = await a_pair(desk)
    async with (
        a_socket(two_workers.server, doctor) as ours,
        on_another_process(two_workers.server, patient, ours) as theirs,
    ):
        await ours.send(receiver_email=patient.user.email, message="Hello")
        assert (await theirs.until("message"))["message"] == "Hello"
        while (await ours.until("receipt"))["delivered_seq"] != 1:
            pass
        await theirs.send(type="read", receiver_email=doctor.user.email, seq=1)
        while (await ours.until("receipt"))["read_seq"] != 1:
            pass
        await accounts.sign_out(patient)
        assert await theirs.closed() == 4401


async def test_two_servers_serve_one_clinic(desk: Backend, environment: dict[str, str]) -> None:
    doctor, patient = await a_pair(desk)
    with several.instance(environment) as one, several.instance(environment) as other:
        async with a_socket(one.server, doctor) as ours, a_socket(other.server, patient) as theirs:
            for number in range(20):
                await ours.send(receiver_email=patient.user.email, message=str(number))
                assert (await theirs.until("message"))["message"] == str(number)
            await theirs.send(type="read", receiver_email=doctor.user.email, seq=20)
            while (await ours.until("receipt"))["read_seq"] != 20:
                pass


@asynccontextmanager
async def talking(
    desk: Backend, says_to: Server, hears_from: Server
) -> AsyncGenerator[tuple[Client, Client]]:
    """Give two who talk; in the end all was said and heard, once, and the numbers have no gap."""
    doctor, patient = await a_pair(desk)
    conversation = (await messages.history(doctor, to(patient))).conversation.id
    texts = [f"{number:03}" for number in range(COUNT)]
    speaker = Client(says_to, doctor, conversation, list(texts))
    listener = Client(hears_from, patient, conversation)
    running = [
        asyncio.create_task(speaker.run(patient.user.email)),
        asyncio.create_task(listener.run(doctor.user.email)),
    ]
    try:
        async with asyncio.timeout(several.SECONDS):
            await listener.until_heard(10)
            yield speaker, listener
            await listener.until_heard(COUNT)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    assert sorted(await stored(doctor, patient)) == texts
    assert sorted(listener.got.values()) == texts


async def test_a_killed_workers_people_go_on_with_another_and_nothing_is_lost(
    desk: Backend, two_workers: Instance
) -> None:
    async with talking(desk, two_workers.server, two_workers.server) as (speaker, listener):
        for victim in (speaker, listener, speaker):
            heard, times = len(listener.got), victim.times_connected
            os.kill(victim.process, signal.SIGKILL)
            await victim.until_connected(times + 1)
            await listener.until_heard(min(heard + 10, COUNT))


async def test_a_redis_that_is_killed_and_comes_back_loses_nothing(
    desk: Backend, environment: dict[str, str], redis: RedisServer
) -> None:
    with several.instance(environment) as one, several.instance(environment) as other:
        async with talking(desk, one.server, other.server) as (_, listener):
            for _ in range(2):
                redis.kill()
                await listener.until_heard(min(len(listener.got) + 20, COUNT))
                redis.start()
                await listener.until_heard(min(len(listener.got) + 20, COUNT))


@pytest.fixture
def three(tmp_path: Path) -> Generator[ReplicaSet]:
    """Give a replica set of three."""
    with replica_sets.running(tmp_path) as members:
        yield members


@pytest.mark.timeout(300)
async def test_a_primary_and_redis_that_are_killed_together_lose_nothing(
    settings: Settings, environment: dict[str, str], redis: RedisServer, three: ReplicaSet
) -> None:
    on_three = environment | {"MONGODB_URI": three.uri}
    with several.instance(on_three) as one, several.instance(on_three) as other:
        async with (
            at_a_desk(settings, three.uri) as desk,
            talking(desk, one.server, other.server) as (_, listener),
        ):
            primary = await asyncio.to_thread(three.primary)
            redis.kill()
            three.kill(primary)
            await listener.until_heard(min(len(listener.got) + 20, COUNT))
            await asyncio.to_thread(three.start, primary)
            redis.start()
            await listener.until_heard(min(len(listener.got) + 20, COUNT))
