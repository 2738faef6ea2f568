"""What every test may ask for: a real mongod, an empty database, a backend, its API, a server."""

import asyncio
import subprocess
import time
import uuid
from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import bcrypt
import httpx
import hypothesis
import pymongo
import pytest
import uvloop
from blockbuster import BlockBusterFunction, blockbuster_ctx
from fastapi import FastAPI
from pymongo.database import Database
from xdist.scheduler import LoadScopeScheduling

from carechat.api import app as api
from carechat.api.guard import Guard
from carechat.bootstrap import build
from carechat.realtime.presence import Presence
from carechat.services.context import Backend
from carechat.settings import Settings
from carechat.storage import embedded, mongod
from tests import listening, serving, unreliable
from tests.serving import Server
from tests.unreliable import Unreliable

ORIGIN = "http://localhost:8000"
SECRET = "a secret for tests that is long enough"

START_SECONDS = 60.0
"""How long a mongod may take to start."""

SERVED = ("tests/bench/", "tests/faults/")
"""Where tests start the product on a port of the folder, which one process at a time can have."""

BROWSED = "tests/e2e/"
"""Where tests use a browser and a product, which each process keeps for all of them."""

hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

Records = Database[dict[str, Any]]


class _ServedTestsTogether(LoadScopeScheduling):
    """Gives each test to whichever process is free, in order; some folders and files as a whole."""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(BROWSED):
            return nodeid.partition("::")[0]
        return next((folder for folder in SERVED if nodeid.startswith(folder)), nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Decide which process runs which test."""
    # Else what has most tests would come first: those with a browser, which have to come last.
    config.option.loadscopereorder = False
    return _ServedTestsTogether(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run what is tested on the loop on which it is served."""
    return {"uvloop": uvloop.new_event_loop}


@dataclass
class Clock:
    """A clock that tests set: it stands still until it is told to go on.

    It is far ahead, so that MongoDB, which has its own, finds nothing expired.
    """

    time: datetime = field(default=datetime(2099, 1, 15, 14, 30, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.time

    def seconds(self) -> float:
        """The time as throttles count it."""
        return self.time.timestamp()

    def advance(self, **how_far: float) -> None:
        """Go on by that much, given as for `timedelta`."""
        self.time += timedelta(**how_far)


@pytest.fixture(autouse=True)
def _nothing_blocks() -> Generator[None]:
    """Fail a test in which CareChat blocks the event loop, by hashing too."""
    with blockbuster_ctx("carechat") as blocking:
        for name in ("hashpw", "checkpw"):
            function = BlockBusterFunction(bcrypt, name, scanned_modules="carechat")
            blocking.functions[f"bcrypt.{name}"] = function.activate()
        # With its first connection the driver looks once whether it runs in a container.
        driver = "pymongo/pool_options.py"
        blocking.functions["os.stat"].can_block_in(driver, "get_container_env_info")
        yield


@pytest.fixture(scope="session")
def mongodb_uri(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """Give the address of a mongod that lives as long as this worker's tests."""
    with embedded.start(tmp_path_factory.mktemp("db")) as server:
        yield server.uri


@pytest.fixture(scope="session")
def mongo(mongodb_uri: str) -> Generator[pymongo.MongoClient[dict[str, Any]]]:
    """Give a client of that mongod that knows nothing of CareChat."""
    with pymongo.MongoClient[dict[str, Any]](
        mongodb_uri, tz_aware=True, w="majority", readConcernLevel="majority"
    ) as client:
        yield client


@pytest.fixture
def records(mongo: pymongo.MongoClient[dict[str, Any]]) -> Records:
    """Return this worker's database, emptied, as somebody with a MongoDB shell sees it."""
    database = mongo["carechat-tests"]
    for name in database.list_collection_names():
        database[name].delete_many({})
    return database


@pytest.fixture
def fresh(mongo: pymongo.MongoClient[dict[str, Any]]) -> Generator[Records]:
    """Give a database in which nothing has ever been."""
    database = mongo[f"fresh-{uuid.uuid4().hex[:12]}"]
    yield database
    mongo.drop_database(database.name)


@pytest.fixture
def settings(tmp_path: Path, records: Records) -> Settings:
    """Return settings for one test, quick to hash with and generous to senders."""
    return Settings(
        data_dir=tmp_path,
        mongodb_database=records.name,
        jwt_secret=SECRET,
        bcrypt_cost=4,
        send_rate="100000/100000",
    )


@pytest.fixture
def clock() -> Clock:
    """Return the clock that the backend goes by."""
    return Clock()


@pytest.fixture
def built(settings: Settings, mongodb_uri: str, clock: Clock) -> Backend:
    """Return a backend on the emptied database; who leaves it is gone after a moment."""
    backend = build(settings, mongodb_uri, clock)
    return replace(backend, seconds=clock.seconds, presence=Presence(grace=0.2))


@pytest.fixture
async def backend(built: Backend) -> AsyncGenerator[Backend]:
    """Give that backend, with the database prepared."""
    await built.store.open()
    built.prepared.set()
    yield built
    await built.close()


@pytest.fixture
def built_elsewhere(settings: Settings, mongodb_uri: str, clock: Clock) -> Backend:
    """Return a second backend on the same database, such as an operator's command has."""
    return build(settings, mongodb_uri, clock)


@pytest.fixture
async def other_process(built_elsewhere: Backend) -> AsyncGenerator[Backend]:
    """Give that backend of another process."""
    yield built_elsewhere
    await built_elsewhere.close()


@pytest.fixture
async def watching(backend: Backend) -> Backend:
    """Return the backend, which hears by now what other processes change."""
    await listening.watch(backend)
    return backend


@pytest.fixture(scope="session")
def one_that_fails(tmp_path_factory: pytest.TempPathFactory) -> Generator[Unreliable]:
    """Give a second mongod, which can be told to fail, for all of this worker's tests."""
    with unreliable.running(tmp_path_factory.mktemp("unreliable")) as server:
        yield server


@pytest.fixture
def failing(one_that_fails: Unreliable) -> Generator[Unreliable]:
    """Give that mongod, which works until it is told otherwise."""
    one_that_fails.drop("carechat-tests")
    yield one_that_fails
    one_that_fails.heal()


@pytest.fixture
def lone_mongod(tmp_path: Path) -> Generator[Path]:
    """Give the place where a mongod listens that is no replica set."""
    place = tmp_path / "mongod.sock"
    options = ["--bind_ip", str(place), "--dbpath", str(tmp_path), "--quiet"]
    options += ["--unixSocketPrefix", str(tmp_path)]
    with subprocess.Popen([mongod.program(), *options], stdout=subprocess.DEVNULL) as process:
        try:
            give_up = time.monotonic() + START_SECONDS
            while not mongod.listens(str(place)):
                assert time.monotonic() < give_up, "mongod does not listen"
                time.sleep(0.05)
            yield place
        finally:
            process.kill()


@pytest.fixture
def built_on_failing(settings: Settings, failing: Unreliable, clock: Clock) -> Backend:
    """Return a backend on the mongod that can be told to fail."""
    return replace(build(settings, failing.uri, clock), presence=Presence(grace=0.2))


@pytest.fixture
async def fragile(built_on_failing: Backend) -> AsyncGenerator[Backend]:
    """Give that backend, with the database prepared."""
    await built_on_failing.store.open()
    built_on_failing.prepared.set()
    yield built_on_failing
    await built_on_failing.close()


@pytest.fixture
def app(backend: Backend) -> FastAPI:
    """Return the API on that backend."""
    app = api.create([ORIGIN])
    app.state.backend = backend
    return app


@pytest.fixture
async def client(app: FastAPI) -> AsyncGenerator[httpx.AsyncClient]:
    """Give an API client that is nobody yet."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        yield client


@pytest.fixture
def guarded(app: FastAPI, tmp_path: Path) -> Guard:
    """Return that API with some pages, behind the guard."""
    return serving.guarded(app, tmp_path / "pages", ORIGIN)


@pytest.fixture
async def server(guarded: Guard) -> AsyncGenerator[Server]:
    """Give a real server for all of that."""
    async with serving.serve(guarded) as server:
        yield server
