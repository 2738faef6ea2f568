"""What a service works with: the backend of this process and the verified person who asks."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from carechat import logs, metrics
from carechat.domain.users import Role, User
from carechat.realtime.hub import Hub
from carechat.realtime.presence import Presence
from carechat.realtime.relay import Relay
from carechat.security.passwords import Passwords
from carechat.security.throttle import LoginThrottle, Seats, SendThrottle
from carechat.security.tokens import Tokens
from carechat.services.gathering import Gathering
from carechat.services.progress import Tracker
from carechat.storage.sessions import Session
from carechat.storage.store import Store

T = TypeVar("T")
logger = logging.getLogger(__name__)

Reading = dict[tuple[str, str], tuple[int, asyncio.Task[int]]]
"""By conversation and member: up to which number they have read, and what notes it, or has;
`receipts.UNCERTAIN` if nobody knows whether that could be noted."""

MAX_SOCKETS = 20
"""Sockets that one person may have open in each process."""

AGAIN_SECONDS = 1.0
"""Until work that must go on and failed in a way that nobody has thought of is begun again."""

CANCEL_SECONDS = 1.0
"""How soon to cancel again what goes on although it was cancelled."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The operator's choices that services act on."""

    public_url: str
    clinic_name: str
    idle: timedelta
    patient_idle: timedelta

    def idle_for(self, role: Role) -> timedelta:
        """How long somebody in that role may do nothing before they are signed out."""
        return self.patient_idle if role is Role.PATIENT else self.idle


@dataclass(slots=True)
class Condition:
    """What the background work of this process has last found; services only read it."""

    trouble: str = ""
    """What is the matter with the database; empty while nothing is."""
    since: float = 0.0
    """When that began, in seconds as the backend counts them."""
    refused: str = ""
    """Why CareChat cannot work with this database at all, in a sentence."""


@dataclass(frozen=True, slots=True)
class Backend:
    """Everything below the services, built once for each process."""

    policy: Policy
    store: Store
    hub: Hub
    progress: Tracker
    activity: Gathering[datetime]
    presence: Presence
    tokens: Tokens
    passwords: Passwords
    logins: LoginThrottle
    sends: SendThrottle
    page_events: SendThrottle
    clock: Callable[[], datetime]
    relay: Relay | None = None
    seconds: Callable[[], float] = time.monotonic
    sockets: Seats = field(default_factory=lambda: Seats(MAX_SOCKETS, "sockets_of_user"))
    condition: Condition = field(default_factory=Condition)
    prepared: asyncio.Event = field(default_factory=asyncio.Event)
    reading: Reading = field(default_factory=dict[tuple[str, str], tuple[int, asyncio.Task[int]]])
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set[asyncio.Task[Any]])

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Let work go on by itself until it is done or the backend is closed."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def keep(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> asyncio.Task[None]:
        """Let work go on by itself whatever happens: begin it again until it is done.

        Without it screens would miss things and nobody would know. The log says by that name why
        it was begun again.
        """
        return self.spawn(_keep(name, work))

    async def close(self) -> None:
        """Stop what goes on by itself and close the connection to the database."""
        self.presence.close()
        while tasks := list(self._tasks):
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=CANCEL_SECONDS)
        await asyncio.gather(self.progress.close(), self.activity.close())
        self.passwords.close()
        await self.store.close()


async def _keep(name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    while True:
        try:
            await work()
        except Exception as error:
            metrics.failed()
            logger.error("%s: %s, going on", name, logs.failure(error))  # noqa: TRY400 no texts
            await asyncio.sleep(AGAIN_SECONDS)
        else:
            return


@dataclass(frozen=True, slots=True)
class Context:
    """A verified person who asks for something; only `accounts.resolve` and its like make one."""

    backend: Backend
    session: Session

    @property
    def user(self) -> User:
        """Who asks."""
        return self.session.user

    @property
    def store(self) -> Store:
        """What is kept."""
        return self.backend.store

    def now(self) -> datetime:
        """The time (UTC)."""
        return self.backend.clock()
