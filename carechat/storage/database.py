"""The connection to MongoDB, and what its failures mean to the rest of CareChat."""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

from bson import ObjectId
from bson.errors import InvalidId
from pymongo import AsyncMongoClient, WriteConcern
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.asynchronous.pool import Pool
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern

from carechat import metrics
from carechat.domain import errors

Document = dict[str, Any]
P = ParamSpec("P")
T = TypeVar("T")

OPERATION_TIMEOUT_MS = 5_000
"""No call to MongoDB takes longer, finding the primary included."""

CONNECT_TIMEOUT_MS = 2_000

UNAVAILABLE = "CareChat cannot reach its records right now. Please try again in a moment."


class _Pool(Pool):
    """The driver's connections to one server, all of which are closed when they are to be.

    Whose call fails closes what else is connected. If it is cancelled in the middle of that, the
    driver alone forgets connections that are still open, and they stay so until the process ends.
    """

    async def reset(
        self, service_id: ObjectId | None = None, interrupt_connections: bool = False
    ) -> None:
        """Close all, even if whoever asks for it is cancelled meanwhile."""
        await asyncio.shield(super().reset(service_id, interrupt_connections))


def connect(uri: str) -> AsyncMongoClient[Document]:
    """Return a client for that deployment; it connects with its first use."""
    return AsyncMongoClient(
        uri,
        _pool_class=_Pool,
        appname="carechat",
        connectTimeoutMS=CONNECT_TIMEOUT_MS,
        timeoutMS=OPERATION_TIMEOUT_MS,
        tz_aware=True,
    )


def durable(client: AsyncMongoClient[Document], name: str) -> AsyncDatabase[Document]:
    """Return a database that writes to a journaled majority and reads only what such a one has."""
    return client.get_database(
        name, write_concern=WriteConcern("majority", j=True), read_concern=ReadConcern("majority")
    )


class Failures:
    """How many calls to MongoDB have failed in this process: a sign to look after it."""

    def __init__(self) -> None:
        self.number = 0

    def note(self, error: PyMongoError) -> None:
        """Count one more."""
        self.number += 1
        metrics.database_failed(type(error).__name__)


failures = Failures()


def guarded(method: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Make a coroutine raise domain errors where MongoDB fails it.

    `UnavailableError` says that the outcome is not known, `InvalidError` that a text cannot be kept
    because it has half of a surrogate pair.
    """

    @functools.wraps(method)
    async def call(*args: P.args, **kwargs: P.kwargs) -> T:
        cancellations = _cancellations()
        try:
            return await method(*args, **kwargs)
        except PyMongoError as error:
            failures.note(error)
            raise errors.UnavailableError(UNAVAILABLE) from error
        except UnicodeEncodeError as error:
            raise errors.InvalidError("There is a character that cannot be stored.") from error
        finally:
            # Before Python 3.12 asyncio.wait_for, which the driver uses, may lose one.
            if _cancellations() > cancellations:
                raise asyncio.CancelledError

    return call


def _cancellations() -> int:
    task = asyncio.current_task()
    return task.cancelling() if task else 0


def object_id(identifier: str) -> ObjectId:
    """Return the id; raises `NotFoundError` if no document could have it."""
    try:
        return ObjectId(identifier)
    except InvalidId as error:
        raise errors.NotFoundError("That does not exist.") from error
