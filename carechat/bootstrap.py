"""The composition root: builds what services work with from the settings, starts it and stops it in order."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from carechat import demo
from carechat.domain import errors
from carechat.realtime.hub import Hub
from carechat.realtime.presence import Presence
from carechat.security.passwords import Passwords
from carechat.security.throttle import LoginThrottle, SendThrottle
from carechat.security.tokens import Tokens
from carechat.services import watch
from carechat.services.context import Backend, Policy
from carechat.settings import Settings
from carechat.storage import embedded
from carechat.storage.store import Store

logger = logging.getLogger(__name__)


def now() -> datetime:
    """The time (UTC)."""
    return datetime.now(UTC)


def build(
    settings: Settings, mongodb_uri: str, clock: Callable[[], datetime] = now
) -> Backend:
    """Return a backend on that deployment; nothing is opened yet."""
    rate, burst = settings.send_allowance
    return Backend(
        policy=Policy(
            public_url=settings.origin,
            clinic_name=settings.clinic_name,
            idle=timedelta(minutes=settings.idle_minutes),
            patient_idle=timedelta(minutes=settings.patient_idle_minutes),
        ),
        store=Store(mongodb_uri, settings.mongodb_database, clock),
        hub=Hub(),
        presence=Presence(),
        tokens=Tokens(settings.secret()),
        passwords=Passwords(settings.bcrypt_cost),
        logins=LoginThrottle(),
        sends=SendThrottle(rate, burst),
        clock=clock,
    )


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Backend]:
    """Give a backend that serves, with a MongoDB of its own if there is none to connect to."""
    if uri := settings.mongodb_uri or settings.embedded_uri:
        async with running(settings, uri) as backend:
            yield backend
        return
    mongodb = await asyncio.to_thread(embedded.start, settings.data_dir)
    try:
        async with running(settings, mongodb.uri) as backend:
            yield backend
    finally:
        await asyncio.to_thread(mongodb.stop)


@asynccontextmanager
async def running(settings: Settings, mongodb_uri: str) -> AsyncIterator[Backend]:
    """Give a backend that serves: its database is prepared as soon as it answers, and watched."""
    backend = build(settings, mongodb_uri)
    try:
        backend.spawn(_prepare(backend, settings.with_demo))
        backend.spawn(watch.changes(backend))
        backend.spawn(watch.database(backend))
        yield backend
    finally:
        await backend.close()


async def _prepare(backend: Backend, with_demo: bool) -> None:
    while True:
        try:
            await backend.store.open()
            if with_demo:
                await demo.load(backend)
        except errors.UnavailableError:
            logger.warning("start: the database does not answer, trying again")
            await asyncio.sleep(watch.RETRY_SECONDS)
        else:
            return
