"""One channel of Redis: what is said there, every process that listens hears; nothing is kept."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

ANSWER_SECONDS = 1.0
"""How long Redis may take to answer."""

FAILURES = (RedisError, OSError, TimeoutError)
"""What is raised if it does not."""


class Channel:
    """A connection that says, and one that listens; each is made when it is needed."""

    def __init__(self, url: str, name: str) -> None:
        """Raises `ValueError` if the address cannot be understood."""
        self._name = name
        # Its types are incomplete.
        self._redis: Any = Redis.from_url(  # pyright: ignore[reportUnknownMemberType]
            url,
            socket_timeout=ANSWER_SECONDS,
            socket_connect_timeout=ANSWER_SECONDS,
            retry=Retry(NoBackoff(), 0),
            # With each connection it would look into its package which version it is.
            driver_info=None,
        )

    async def say(self, data: bytes) -> None:
        """Let all who listen hear it; raises one of `FAILURES` if that is not sure."""
        await self._redis.publish(self._name, data)

    @asynccontextmanager
    async def listen(self) -> AsyncGenerator[AsyncIterator[bytes]]:
        """Give what is said from now on; raises one of `FAILURES` when it is not heard any more."""
        pubsub = self._redis.pubsub(ignore_subscribe_messages=True)
        try:
            await pubsub.subscribe(self._name)
            yield _said(pubsub)
        finally:
            with suppress(*FAILURES):
                await pubsub.aclose()

    async def close(self) -> None:
        """Let go of the connections."""
        with suppress(*FAILURES):
            await self._redis.aclose()


async def _said(pubsub: Any) -> AsyncIterator[bytes]:
    while True:
        said = await pubsub.get_message(timeout=ANSWER_SECONDS)
        if said is not None:
            yield said["data"]
