"""Open screens for tests: each follows its person's events in the background and keeps them."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from carechat.domain.events import Event, MessageSent
from carechat.domain.users import Role, User
from carechat.services import accounts, feed
from carechat.services import watch as watching
from carechat.services.context import Backend, Context
from carechat.storage.recent import pair

E = TypeVar("E", bound=Event)

SECONDS = 5.0
"""How long a test waits for what must happen."""


class Screen:
    """What one open page or socket was told so far, in order."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.closed = False
        self._told = asyncio.Condition()
        self._seen = 0

    async def follow(self, events: AsyncIterator[Event]) -> None:
        """Keep every event until there are no more."""
        async for event in events:
            await self._keep(event)
        self.closed = True

    async def until(self, kind: type[E], seconds: float = SECONDS) -> E:
        """Return the next event of that kind after the one returned last, however long it takes."""
        async with asyncio.timeout(seconds), self._told:
            while True:
                while self._seen < len(self.events):
                    event = self.events[self._seen]
                    self._seen += 1
                    if isinstance(event, kind):
                        return event
                await self._told.wait()

    async def until_all(self, is_enough: Callable[["Screen"], bool]) -> None:
        """Wait until what was told is enough."""
        async with asyncio.timeout(SECONDS), self._told:
            await self._told.wait_for(lambda: is_enough(self))

    @property
    def texts(self) -> list[str]:
        """The messages that it shows."""
        return [event.message.message for event in self.events if isinstance(event, MessageSent)]

    def of(self, kind: type[E]) -> list[E]:
        """Every event of that kind so far."""
        return [event for event in self.events if isinstance(event, kind)]

    async def _keep(self, event: Event) -> None:
        async with self._told:
            self.events.append(event)
            self._told.notify_all()


@asynccontextmanager
async def a_screen(ctx: Context) -> AsyncGenerator[Screen]:
    """Give a screen of that person, open until the context is left."""
    screen = Screen()
    async with feed.follow(ctx) as events:
        task = asyncio.create_task(screen.follow(events))
        try:
            yield screen
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def watch(backend: Backend) -> None:
    """Let the backend hear what other processes change; it does when this returns."""
    backend.spawn(watching.changes(backend))
    await until_heard(backend)


async def until_heard(backend: Backend) -> None:
    """Return when the backend has heard of everything that was changed until now."""
    nobody = User("1" * 24, "probe@example.com", "Probe", Role.ADMIN)
    session = (await accounts.begin_session(backend, nobody)).session
    told = asyncio.Event()
    with backend.hub.listen(nobody.email, session.id, lambda _: told.set()):
        await backend.store.sessions.end(session.id)
        async with asyncio.timeout(4 * SECONDS):  # a MongoDB that has only just started takes time
            await told.wait()


async def until_known(doctor: Context, patient: Context) -> None:
    """Let their conversation be known to their process, which hears of its changes by now."""
    recent = doctor.store.conversations.recent
    async with asyncio.timeout(SECONDS):
        while not recent.find(pair(doctor.user.email, patient.user.email)):
            await doctor.store.conversations.between(doctor.user.email, patient.user.email)
            await asyncio.sleep(0.01)
