"""What a page does when one of its events fails in a way that it did not expect."""

import logging

import reflex as rx
from reflex.event import EventSpec
from reflex_base.event.context import EventContext

from carechat import logs, metrics
from carechat.domain import errors
from carechat.services import watch
from carechat.ui import routes, session

logger = logging.getLogger(__name__)


def handle(exception: Exception) -> EventSpec | None:
    """Lead to the sign-in page whoever is not signed in any more; nothing else leaves the server.

    What failed is noted without what it said: that might be somebody's words.
    """
    if isinstance(exception, errors.UnauthenticatedError):
        return rx.redirect(routes.login("ended", session.here()))
    if isinstance(exception, errors.UnavailableError):
        logs.begin_request(EventContext.get().txid)
        logger.warning("event unavailable: %s", watch.kind(exception))
    elif isinstance(exception, errors.CareChatError):
        logger.info("event refused: %s", exception.code)
    else:
        metrics.failed()
        logs.begin_request(EventContext.get().txid)
        logger.error("event failed: %s", logs.failure(exception))
    return None
