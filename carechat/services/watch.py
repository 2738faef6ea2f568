"""The watch: tells the screens what other processes changed, and if the database answers."""

import asyncio
import logging

from carechat.domain import errors
from carechat.domain.conversations import Conversation
from carechat.domain.events import ConversationChanged, Ending
from carechat.services.context import Backend
from carechat.storage.changes import Change, SessionGone

logger = logging.getLogger(__name__)

RETRY_SECONDS = 0.5
"""Between two tries to hear of changes again, and between two looks whether the database answers.
"""


async def changes(backend: Backend) -> None:
    """End the listeners of ended sessions and tell of changed conversations, until cancelled.

    Whatever was missed while the database was away is read when it is back.
    """
    while True:
        try:
            async with backend.store.changes.watch() as stream:
                for session_id in await stream.gone(backend.hub.sessions()):
                    backend.hub.end_session(session_id, Ending.ENDED)
                async for change in stream:
                    _tell(backend, change)
        except errors.UnavailableError:
            logger.warning("changes: the database does not answer, trying again")
        await asyncio.sleep(RETRY_SECONDS)


async def database(backend: Backend) -> None:
    """Tell every screen when the database stops to answer and answers again, until cancelled."""
    reachable = True
    while True:
        if await backend.store.is_reachable() != reachable:
            reachable = not reachable
            logger.warning("database: %s", "answers again" if reachable else "does not answer")
            backend.hub.database_changed(reachable)
        await asyncio.sleep(RETRY_SECONDS)


async def is_ready(backend: Backend) -> bool:
    """Whether messages can be stored right now, and this process is not about to stop."""
    if backend.hub.is_closed or not backend.prepared.is_set():
        return False
    return await backend.store.is_reachable()


def _tell(backend: Backend, change: Change) -> None:
    match change:
        case SessionGone(session_id):
            backend.hub.end_session(session_id, Ending.ENDED)
        case Conversation():
            backend.hub.publish(ConversationChanged(change), change.emails)
