"""A mongod for tests that fails on request: its answers can be broken off or made uncertain."""

import socket
import subprocess
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pymongo
from pymongo.errors import PyMongoError

from carechat.storage import mongod

SECONDS = 30.0
"""How long it may take to start."""


class Unreliable:
    """A running mongod whose commands fail as they are told to."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self._place = uri.removeprefix("mongodb://").partition("/")[0]
        self._client = pymongo.MongoClient[dict[str, Any]](uri, serverSelectionTimeoutMS=1_000)

    def fail(self, commands: Sequence[str], times: int | None = None, **how: object) -> None:
        """Let those commands fail that often, for ever if it is not said; by a cut connection."""
        mode = "alwaysOn" if times is None else {"times": times}
        how = how or {"closeConnection": True}
        data = {"failCommands": list(commands), "appName": "carechat", **how}
        self._client.admin.command("configureFailPoint", "failCommand", mode=mode, data=data)

    def heal(self) -> None:
        """Let nothing fail any more."""
        self._client.admin.command("configureFailPoint", "failCommand", mode="off")

    @contextmanager
    def holding_back(self) -> Generator[None]:
        """Write, but let no majority have anything of it for that long."""
        point = "pauseJournalFlusherBeforeFlush"
        self._client.admin.command("configureFailPoint", point, mode="alwaysOn")
        try:
            yield
        finally:
            self._client.admin.command("configureFailPoint", point, mode="off")

    @contextmanager
    def locked(self) -> Generator[None]:
        """Answer, but take no writes for that long, as while a backup is made of its files."""
        self._client.admin.command("fsync", lock=True)
        try:
            yield
        finally:
            self._client.admin.command("fsyncUnlock")

    def wait_until_busy_with(self, command: str) -> None:
        """Wait until somebody waits for the answer to such a command."""
        deadline = time.monotonic() + SECONDS
        while not self._is_busy_with(command):
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def drop(self, name: str) -> None:
        """Forget a database."""
        self._client.drop_database(name)

    def wait(self) -> None:
        """Wait until it takes writes."""
        deadline = time.monotonic() + SECONDS
        while not self._is_primary():
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def close(self) -> None:
        """Close the connection that it is told by."""
        self._client.close()

    def _is_busy_with(self, command: str) -> bool:
        under_way = self._client.admin.command("currentOp")["inprog"]
        return any(command in one.get("command", {}) for one in under_way)

    def _is_primary(self) -> bool:
        try:
            if not mongod.listens(self._place):
                return False
            if self._client.admin.command("hello").get("setName") is None:
                self._client.admin.command("replSetInitiate")
            return bool(self._client.admin.command("hello").get("isWritablePrimary"))
        except PyMongoError:
            return False


@contextmanager
def running(folder: Path) -> Generator[Unreliable]:
    """Give such a mongod, on a port of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--replSet", "rs0", "--bind_ip", "127.0.0.1", "--port", str(port), "--nounixsocket"]
    sizes = ["--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "10", "--quiet"]
    files = ["--dbpath", str(folder), "--logpath", str(folder / "log")]
    tests = ["--setParameter", "enableTestCommands=1"]
    command = [str(mongod.program()), *options, *sizes, *files, *tests]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        server = Unreliable(f"mongodb://127.0.0.1:{port}/?directConnection=true")
        try:
            server.wait()
            yield server
        finally:
            server.close()
            process.kill()
