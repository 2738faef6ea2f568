"""The watch: tells the screens what other processes changed, and if the database answers."""

import asyncio
import logging
import time

from carechat import metrics
from carechat.domain import errors
from carechat.domain.conversations import Conversation
from carechat.domain.events import ConversationChanged, Ending
from carechat.realtime.relay import LINGER_SECONDS
from carechat.services.context import Backend
from carechat.storage.changes import Change, NotTold, SessionGone
from carechat.storage.database import failures

logger = logging.getLogger(__name__)

REDIS_AWAY = "Redis does not answer: messages come a little later."
"""Why a process is not ready that can store messages."""

UNKNOWN_SECONDS = 60.0
"""What may be missing after a change that cannot be understood."""

PROVE_SECONDS = 5.0
"""Between two looks whether the database takes writes, while it does and no call to it fails."""

JUMP_SECONDS = 5.0
"""By how much the clock may go otherwise than time between two looks."""

NO_ANSWER, NO_WRITES = "does not answer", "takes no writes"
AGAIN = {NO_ANSWER: "answers again", NO_WRITES: "takes writes again"}

RETRY_SECONDS = 0.5
"""Between two tries to hear of changes again, and between two looks whether the database answers.
"""


async def changes(backend: Backend) -> None:
    """End the listeners of ended sessions and tell of changed conversations, until cancelled.

    Whatever was missed while the database was away is read when it is back. Only a change of
    whether they are heard is logged: one cause, one line.
    """
    heard, since = True, 0.0
    while True:
        try:
            async with backend.store.changes.watch() as stream:
                for session_id in await stream.gone(backend.hub.sessions()):
                    backend.hub.end_session(session_id, Ending.ENDED)
                metrics.reachable("changes", answers=True)
                if not heard:
                    heard = True
                    logger.warning("changes: heard again")
                    _doubt(backend, time.monotonic() - since)
                async for change in stream:
                    _tell(backend, change)
        except errors.UnavailableError as error:
            metrics.reachable("changes", answers=False)
            if heard:
                heard, since = False, time.monotonic()
                logger.warning("changes: not heard (%s), trying again", kind(error))
        except Exception:
            # Whatever it was may have told of something that other processes could not.
            metrics.reachable("changes", answers=False)
            _doubt(backend, UNKNOWN_SECONDS)
            raise
        await asyncio.sleep(RETRY_SECONDS)


async def database(backend: Backend) -> None:
    """Tell every screen when messages cannot be stored and when they can again, until cancelled.

    The metrics have it, too, and how many sessions are listened for. The log also has it when this
    machine's clock jumps.
    """
    looks, clock, condition = _Looks(backend), _Clock(backend), backend.condition
    while True:
        clock.look()
        before, (trouble, why) = condition.trouble, await looks.look()
        condition.trouble = trouble
        metrics.reachable("mongodb", not trouble)
        if backend.relay:
            metrics.reachable("redis", backend.relay.is_heard)
        metrics.sessions(len(backend.hub.sessions()))
        if trouble and not before:
            condition.since = backend.seconds()
            backend.hub.database_changed(reachable=False)
        if trouble and trouble != before:
            logger.warning("database: %s (%s)", trouble, why)
        if before and not trouble:
            seconds = backend.seconds() - condition.since
            logger.warning("database: %s after %.0f s", AGAIN[before], seconds)
            backend.hub.database_changed(reachable=True)
        await asyncio.sleep(RETRY_SECONDS)


class _Clock:
    """Sees when the clock is put forward or back: sessions end and messages are dated by it."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._ahead = self._is_ahead()

    def look(self) -> None:
        """Log by how much it has jumped since the last look, if it has."""
        before, self._ahead = self._ahead, self._is_ahead()
        seconds = self._ahead - before
        if abs(seconds) > JUMP_SECONDS:
            way = "forward" if seconds > 0 else "back"
            logger.warning("clock: went %s by %.0f s", way, abs(seconds))

    def _is_ahead(self) -> float:
        return self._backend.clock().timestamp() - time.monotonic()


class _Looks:
    """Sees whether MongoDB answers and takes writes; the latter now and then, or after a failure.

    One that answers may take no writes: its disk is stuck, somebody's backup holds it, or it has
    lost the others of its set.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._proven_at = -PROVE_SECONDS
        self._failures = failures.number

    async def look(self) -> tuple[str, str]:
        """Return what is the matter and of what kind that is, two times nothing if all is well."""
        number, now = failures.number, time.monotonic()
        try:
            await self._backend.store.ping()
        except errors.UnavailableError as error:
            return NO_ANSWER, kind(error)
        has_failed = number != self._failures
        if has_failed or now - self._proven_at >= PROVE_SECONDS:
            try:
                await self._backend.store.writes.prove(anew=has_failed)
            except errors.UnavailableError as error:
                return NO_WRITES, kind(error)
            self._proven_at, self._failures = now, number
        return "", ""


def kind(error: errors.UnavailableError) -> str:
    """What failed, for the log: the kind of error and MongoDB's number of it, never its text."""
    cause = error.__cause__ or error
    code = getattr(cause, "code", None)
    return f"{type(cause).__name__} {code}" if isinstance(code, int) else type(cause).__name__


async def obstacle(backend: Backend) -> str:
    """Return in a sentence why this process cannot serve right now as it should, "" if it can."""
    if backend.hub.is_closed:
        return "CareChat is stopping."
    if backend.condition.refused:
        return backend.condition.refused
    if not await backend.store.is_reachable():
        return "The database does not answer."
    if backend.condition.trouble == NO_WRITES:
        return "The database takes no writes."
    if not backend.prepared.is_set():
        return "The database is being prepared."
    return "" if is_heard(backend) else REDIS_AWAY


def is_heard(backend: Backend) -> bool:
    """Whether other processes hear at once what happens here; also if there can be none."""
    return backend.relay is None or backend.relay.is_heard


def _tell(backend: Backend, change: Change) -> None:
    match change:
        case SessionGone(session_id):
            backend.hub.end_session(session_id, Ending.ENDED)
        case NotTold(seconds):
            _doubt(backend, seconds)
        case Conversation():
            # Every process hears of it by itself.
            backend.hub.deliver(ConversationChanged(change), change.emails)


def _doubt(backend: Backend, seconds: float) -> None:
    """What other processes told in the last so many seconds may not have been heard."""
    if backend.relay:
        backend.relay.doubt.cast(time.monotonic() - seconds, LINGER_SECONDS)
