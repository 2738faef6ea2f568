"""What every test may ask for: a real mongod for the run, a database of its own, a backend and its API."""

import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from carechat.api import app as api
from carechat.bootstrap import build
from carechat.services.context import Backend
from carechat.settings import Settings
from carechat.storage import embedded

ORIGIN = "http://localhost:8000"


@dataclass
class Clock:
    """A clock that tests set: it stands still until it is told to go on."""

    time: datetime = field(default=datetime(2026, 1, 15, 14, 30, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.time

    def advance(self, **how_far: float) -> None:
        """Go on by that much, given as for `timedelta`."""
        self.time += timedelta(**how_far)


@pytest.fixture(scope="session")
def mongodb_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of a mongod that lives as long as this worker's tests."""
    with embedded.start(tmp_path_factory.mktemp("db")) as server:
        yield server.uri


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return settings for one test, quick to hash with and generous to senders."""
    return Settings(
        data_dir=tmp_path,
        mongodb_database=f"test-{uuid.uuid4().hex[:12]}",
        bcrypt_cost=4,
        send_rate="100000/100000",
    )


@pytest.fixture
def clock() -> Clock:
    """Return the clock that the backend goes by."""
    return Clock()


@pytest.fixture
async def backend(settings: Settings, mongodb_uri: str, clock: Clock) -> AsyncIterator[Backend]:
    """Give a backend on an empty database of its own, which is dropped afterwards."""
    backend = build(settings, mongodb_uri, clock)
    await backend.store.open()
    yield backend
    await backend.store.drop()
    await backend.close()


@pytest.fixture
def app(backend: Backend) -> FastAPI:
    """Return the API on that backend."""
    app = api.create([ORIGIN])
    app.state.backend = backend
    return app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Give an API client that is nobody yet."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        yield client
