"""The composition root: builds what services work with, starts it and stops it in order."""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

from pymongo.errors import ConfigurationError

from carechat import demo
from carechat.domain import errors
from carechat.realtime.hub import Hub
from carechat.realtime.presence import Presence
from carechat.realtime.relay import Relay
from carechat.security.passwords import Passwords
from carechat.security.throttle import LoginThrottle, SendThrottle
from carechat.security.tokens import Tokens
from carechat.services import peers, watch
from carechat.services.context import Backend, Policy
from carechat.services.gathering import Gathering
from carechat.services.progress import Tracker
from carechat.settings import MONGODB_URI_FORM, REDIS_URL_FORM, BadSettingError, Settings
from carechat.storage import embedded
from carechat.storage.store import Store

PAGE_EVENTS_PER_SECOND = 20
PAGE_EVENTS_AT_ONCE = 200
"""Frames of all pages of one person: far more than they can cause."""

PULSE_SECONDS = 1.0
"""Between two signs of life to `serve`."""

T = TypeVar("T")
logger = logging.getLogger(__name__)


def now() -> datetime:
    """The time (UTC)."""
    return datetime.now(UTC)


def build(settings: Settings, mongodb_uri: str, clock: Callable[[], datetime] = now) -> Backend:
    """Return a backend on that deployment; nothing is opened yet.

    Blocks while it reads the secret. Raises `BadSettingError` if the address cannot be understood.
    """
    rate, burst = settings.send_allowance
    store, hub = _store(settings, mongodb_uri, clock), Hub()
    return Backend(
        policy=Policy(
            public_url=settings.origin,
            clinic_name=settings.clinic_name,
            idle=timedelta(minutes=settings.idle_minutes),
            patient_idle=timedelta(minutes=settings.patient_idle_minutes),
        ),
        store=store,
        hub=hub,
        progress=Tracker(store, hub),
        activity=Gathering("activity", store.sessions.touch, max),
        presence=Presence(),
        tokens=Tokens(settings.secret()),
        passwords=Passwords(settings.bcrypt_cost),
        logins=LoginThrottle(),
        sends=SendThrottle(rate, burst),
        page_events=SendThrottle(PAGE_EVENTS_PER_SECOND, PAGE_EVENTS_AT_ONCE, "page_events"),
        clock=clock,
        relay=_relay(settings) if settings.redis_url else None,
    )


@asynccontextmanager
async def serving(settings: Settings) -> AsyncGenerator[Backend]:
    """Give a backend that serves, with a MongoDB of its own if there is none to connect to."""
    # What `serve` tells its workers is no setting: nobody can choose it in `.env`.
    if uri := settings.mongodb_uri or os.environ.get("CARECHAT_EMBEDDED_URI"):
        async with running(settings, uri) as backend:
            yield backend
        return
    mongodb = await asyncio.to_thread(embedded.start, settings.data_dir)
    watching = asyncio.create_task(asyncio.to_thread(mongodb.watch))
    try:
        async with running(settings, mongodb.uri) as backend:
            yield backend
    finally:
        await asyncio.to_thread(mongodb.stop)
        await watching


@asynccontextmanager
async def running(settings: Settings, mongodb_uri: str) -> AsyncGenerator[Backend]:
    """Give a backend that serves: its database is prepared as soon as it answers, and watched."""
    backend = await asyncio.to_thread(build, settings, mongodb_uri)
    try:
        backend.keep("start", partial(_prepare, settings, mongodb_uri, backend))
        backend.keep("changes", partial(watch.changes, backend))
        backend.keep("database", partial(watch.database, backend))
        backend.spawn(_pulse())
        if backend.relay:
            peers.start(backend, backend.relay)
        with _told_before_the_end(backend):
            yield backend
    finally:
        await backend.close()


def check(settings: Settings) -> None:
    """Raise `ConflictError` if MONGODB_URI names a MongoDB with which CareChat cannot work.

    One that does not answer now may do so later.
    """
    if settings.mongodb_uri:
        with suppress(errors.UnavailableError):
            operate(settings, _nothing)


async def _nothing(_backend: Backend) -> None:
    """Let `operate` do only what it always does."""


def operate(settings: Settings, act: Callable[[Backend], Awaitable[T]]) -> T:
    """Do that once and return what came of it, beside a running server or without one.

    Without a MongoDB to connect to, CareChat's own runs at least for the time of it.
    """
    if settings.mongodb_uri:
        return asyncio.run(_operate(build(settings, settings.mongodb_uri), act))
    with embedded.attach(settings.data_dir) as mongodb:
        return asyncio.run(_operate(build(settings, mongodb.uri), act))


def _store(settings: Settings, mongodb_uri: str, clock: Callable[[], datetime]) -> Store:
    try:
        return Store(mongodb_uri, settings.mongodb_database, clock)
    except (ConfigurationError, ValueError):
        # What is wrong with it might be told with a part of the password.
        raise BadSettingError(f"MONGODB_URI: must be {MONGODB_URI_FORM}") from None


def _relay(settings: Settings) -> Relay:
    try:
        return Relay(settings.redis_url, settings.mongodb_database, settings.secret())
    except ValueError:
        raise BadSettingError(f"REDIS_URL: must be {REDIS_URL_FORM}") from None


async def _operate(backend: Backend, act: Callable[[Backend], Awaitable[T]]) -> T:
    try:
        await backend.store.open()
        return await act(backend)
    finally:
        await backend.close()


@contextmanager
def _told_before_the_end(backend: Backend) -> Generator[None]:
    """Let `serve` announce with SIGUSR2 that it will stop this process: sockets close in order."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR2, backend.hub.close)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGUSR2)


async def _pulse() -> None:
    """Let `serve` know each second that this process does not hang, if it is one of its workers."""
    descriptor = os.environ.get("CARECHAT_PULSE")
    while descriptor:
        with suppress(OSError):  # `serve` has much to do, or is ending
            os.write(int(descriptor), str(os.getpid()).encode())
        await asyncio.sleep(PULSE_SECONDS)


async def _prepare(settings: Settings, mongodb_uri: str, backend: Backend) -> None:
    answers = True
    while not backend.prepared.is_set():
        try:
            await backend.store.open()
            if settings.with_demo:
                await _load_demo(settings, mongodb_uri, backend)
        except errors.UnavailableError as error:
            if answers:
                answers = False
                logger.warning(
                    "start: the database does not answer (%s), trying again", watch.kind(error)
                )
            await asyncio.sleep(watch.RETRY_SECONDS)
        except errors.ConflictError as error:
            # `check` has not seen it: there was no answer when the server was started.
            logger.error("start: %s", error.detail)  # noqa: TRY400 a sentence for the operator
            backend.condition.refused = error.detail
            return
        else:
            if not answers:
                logger.warning("start: the database is prepared")
            backend.prepared.set()


async def _load_demo(settings: Settings, mongodb_uri: str, backend: Backend) -> None:
    try:
        await demo.load(backend, partial(build, settings, mongodb_uri))
    except errors.UnavailableError:
        raise
    except errors.CareChatError as error:
        # A load was cut short, and what it made was changed before this start.
        logger.warning("demo: it stays incomplete (%s)", error.code)
