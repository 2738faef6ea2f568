"""The product as a user serves it, and what can happen to its processes."""

import asyncio
import os
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import IO, Any

from pymongo import AsyncMongoClient
from pymongo.read_concern import ReadConcern

from carechat import worker
from carechat.storage import embedded, mongod
from tests import people, processes
from tests.bench import machine
from tests.faults.people import Pair, pair
from tests.processes import PROJECT

PAGES = ".web-faults"
"""Where they are built once; whatever is broken here, it is not the pages."""

START_SECONDS = 120.0
STOP_SECONDS = 30.0
POLL_SECONDS = 0.01
SECRET = "a secret for tests that is long enough"
PATIENT = {
    "CARECHAT_JWT_SECRET": SECRET,
    "CARECHAT_DEMO": "0",
    "CARECHAT_BCRYPT_COST": "4",
    "CARECHAT_SEND_RATE": "100000/100000",
    "CARECHAT_SOCKETS_PER_ADDRESS": "10000",
    "CARECHAT_IDLE_MINUTES": "720",
    "CARECHAT_PATIENT_IDLE_MINUTES": "720",
}
"""Nobody waits for limits that one machine as everybody's client would meet."""


def port() -> int:
    """Return where the product listens."""
    return int(os.environ.get("CARECHAT_FAULTS_PORT", "8250"))


class Product:
    """A CareChat that is started, killed and started again, with data in a folder that it makes."""

    def __init__(self, folder: Path, variables: dict[str, str]) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.port = port()
        self.url = f"http://localhost:{self.port}"
        self._environment = processes.environment(
            folder / "data", self.port, PAGES, **(PATIENT | variables)
        )
        self._log: IO[bytes] | None = None
        self._process: Process | None = None

    async def start(self) -> None:
        """It says that it is ready."""
        self._log = self._log or (self.folder / "server.log").open("ab")
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "carechat", "serve"),
            cwd=PROJECT,
            env=self._environment,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=self._log,
        )
        async with asyncio.timeout(START_SECONDS):
            assert self._process.stdout
            async for line in self._process.stdout:
                if b"is ready" in line:
                    return
        raise AssertionError(f"the server did not start, see {self.folder / 'server.log'}")

    async def stop(self) -> None:
        """Stop it in order; raises `TimeoutError` if it has to be killed."""
        try:
            if self._process and self._process.returncode is None:
                self._process.send_signal(signal.SIGINT)
                await asyncio.wait_for(self._process.communicate(), STOP_SECONDS)
        except TimeoutError:
            await self.kill()
            raise
        finally:
            if self._log:
                self._log.close()

    async def admit(self, pairs: int) -> list[Pair]:
        """Return so many pairs of people, who get accounts, signed in."""
        path = self.folder / "people.csv"
        path.write_text(people.roster(people.pairs(pairs)))
        command = (sys.executable, "-m", "carechat", "users", "import", str(path))
        importing = await asyncio.create_subprocess_exec(
            *command, cwd=PROJECT, env=self._environment, stdout=DEVNULL, stderr=self._log
        )
        assert await importing.wait() == 0
        return [await asyncio.to_thread(pair, self.url, number) for number in range(1, pairs + 1)]

    def await_reserve(self) -> None:
        """Wait until another could take the place of what serves; blocks."""
        assert self._process
        processes.await_spare(self._process.pid)

    def kill_worker(self) -> None:
        """Kill what serves; another takes its place."""
        serving = self.workers()
        assert serving, "nothing serves that could be killed"
        for pid in serving:
            os.kill(pid, signal.SIGKILL)

    async def kill(self) -> None:
        """Kill every process of it at once, but MongoDB, which it takes over at the next start."""
        assert self._process
        for pid in [self._process.pid, *processes.workers(self._process.pid)]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        await self._process.communicate()

    def workers(self) -> list[int]:
        """Return the processes that serve."""
        assert self._process
        return processes.workers(self._process.pid, worker.SERVES)

    def memory(self) -> int:
        """Return the bytes that what serves has resident."""
        return machine.memory(self.workers())

    def files(self) -> mongod.Files:
        """Return where the embedded MongoDB keeps everything."""
        return mongod.Files((self.folder / "data").resolve())

    def kill_mongod(self) -> None:
        """Kill the embedded MongoDB and wait until it listens again; blocks."""
        files = self.files()
        killed = files.lock.read_text()
        os.kill(int(killed), signal.SIGKILL)
        deadline = time.monotonic() + START_SECONDS
        while files.lock.read_text() in {"", killed} or not mongod.listens(mongod.address(files)):
            assert time.monotonic() < deadline, "MongoDB was not started again"
            time.sleep(POLL_SECONDS)

    async def stored(self, conversations: list[str]) -> list[dict[str, Any]]:
        """Return the messages of those conversations, as a majority has them."""
        wanted = {"conversation_id": {"$in": conversations}}
        fields = ("conversation_id", "seq", "client_id", "sender_email", "timestamp", "message")
        async with self.database() as client:
            messages = client["carechat"].get_collection(
                "messages", read_concern=ReadConcern("majority")
            )
            return await messages.find(wanted, fields, batch_size=10_000).to_list()

    @asynccontextmanager
    async def database(self) -> AsyncGenerator[AsyncMongoClient[dict[str, Any]]]:
        """Give a client of the database, which knows nothing of CareChat."""
        async with AsyncExitStack() as stack:
            uri = self._environment["MONGODB_URI"]
            if not uri:
                attached = await asyncio.to_thread(embedded.attach, self.folder / "data")
                stack.push_async_callback(asyncio.to_thread, attached.stop)
                uri = attached.uri
            yield await stack.enter_async_context(
                AsyncMongoClient[dict[str, Any]](uri, tz_aware=True)
            )


@asynccontextmanager
async def served(folder: Path, **variables: str) -> AsyncGenerator[Product]:
    """Give a running product with data of its own in that folder, which is made."""
    product = Product(folder, variables)
    try:
        await product.start()
        yield product
    finally:
        await product.stop()
