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

logger = logging.getLogger(__name__)

REDIS_AWAY = "Redis does not answer: messages come a little later."
"""Why a process is not ready that can store messages."""

UNKNOWN_SECONDS = 60.0
"""What may be missing after a change that cannot be understood."""

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
    """Tell every screen when the database stops to answer and answers again, until cancelled.

    The metrics have it, too, and how many sessions are listened for.
    """
    since: float | None = None
    while True:
        failure = await _failure(backend)
        metrics.reachable("mongodb", not failure)
        if backend.relay:
            metrics.reachable("redis", backend.relay.is_heard)
        metrics.sessions(len(backend.hub.sessions()))
        if failure and since is None:
            since = backend.seconds()
            logger.warning("database: does not answer (%s)", failure)
            backend.hub.database_changed(reachable=False)
        elif not failure and since is not None:
            logger.warning("database: answers again after %.0f s", backend.seconds() - since)
            since = None
            backend.hub.database_changed(reachable=True)
        await asyncio.sleep(RETRY_SECONDS)


async def _failure(backend: Backend) -> str:
    """Why the database does not answer, nothing if it does."""
    try:
        await backend.store.ping()
    except errors.UnavailableError as error:
        return kind(error)
    return ""


def kind(error: errors.UnavailableError) -> str:
    """What failed, for the log: the kind of error and MongoDB's number of it, never its text."""
    cause = error.__cause__ or error
    code = getattr(cause, "code", None)
    return f"{type(cause).__name__} {code}" if isinstance(code, int) else type(cause).__name__


async def is_ready(backend: Backend) -> bool:
    """Whether messages can be stored right now, and this process is not about to stop."""
    if backend.hub.is_closed or not backend.prepared.is_set():
        return False
    return await backend.store.is_reachable()


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
