"""Everything that is kept, behind one connection."""

from collections.abc import Callable
from datetime import datetime

import pymongo

from carechat.domain import errors
from carechat.storage import database, migrations
from carechat.storage.changes import Changes
from carechat.storage.conversations import Conversations
from carechat.storage.heard import Heard
from carechat.storage.invitations import Invitations
from carechat.storage.messages import Messages
from carechat.storage.sessions import Sessions
from carechat.storage.users import Users
from carechat.storage.writes import Writes

PING_SECONDS = 2


class Store:
    """The collections of one clinic's database."""

    def __init__(self, uri: str, name: str, clock: Callable[[], datetime]) -> None:
        self._client = database.connect(uri)
        self._database = database.durable(self._client, name)
        heard = Heard()
        self.users = Users(self._database["users"])
        self.sessions = Sessions(self._database["sessions"], heard)
        self.invitations = Invitations(self._database["invitations"])
        self.conversations = Conversations(self._database["conversations"], heard, clock)
        self.messages = Messages(self._database["messages"], clock)
        self.writes = Writes(self._database["watch"])
        self.changes = Changes(self._database, self.sessions, self.conversations.recent, heard)

    async def open(self) -> None:
        """Bring the database up to date.

        Raises `UnavailableError` if it cannot be reached, `ConflictError` if it is no replica set:
        a single MongoDB has neither majorities nor a stream of changes.
        """
        await self._check_deployment()
        await migrations.migrate(self._database)

    @database.guarded
    async def _check_deployment(self) -> None:
        hello = await self._client.admin.command("hello")
        if "setName" not in hello and hello.get("msg") != "isdbgrid":
            raise errors.ConflictError("MONGODB_URI must name a replica set or a sharded cluster.")

    async def close(self) -> None:
        """Stop writing and asking, and close the connection."""
        await self.messages.close()
        await self.sessions.close()
        await self.conversations.close()
        await self._client.close()

    async def drop(self) -> None:
        """Delete everything that is kept, for good."""
        await self._client.drop_database(self._database.name)

    async def is_reachable(self) -> bool:
        """Whether the primary answers within two seconds."""
        try:
            await self.ping()
        except errors.UnavailableError:
            return False
        return True

    @database.guarded
    async def ping(self) -> None:
        """Let the primary answer; raises `UnavailableError` if it does not within two seconds."""
        with pymongo.timeout(PING_SECONDS):
            await self._client.admin.command("ping")
