"""A real replica set of three mongods on loopback, whose members tests kill, stop and start."""

import signal
import socket
import subprocess
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pymongo
from pymongo.errors import PyMongoError

from carechat.storage import mongod

T = TypeVar("T")

MEMBERS = 3
ELECTION_MS = 2_000
"""How long the others wait for a primary that says nothing before they elect another."""

SETTINGS = {
    "electionTimeoutMillis": ELECTION_MS,
    "catchUpTimeoutMillis": 1_000,
    "heartbeatIntervalMillis": 500,
}
PARAMETERS = (
    "diagnosticDataCollectionEnabled=false",
    "oplogNetworkTimeoutBufferSeconds=1",
    "oplogFetcherSteadyStateMaxFetcherRestarts=0",
)
"""With MongoDB's own values a primary that says nothing while its connections stay open holds up
the next one for 10 s, and for 12 s the follower that waits for it: so long no majority has anything
new. Whatever has to pass the one that is stopped goes by heartbeat then.
"""

SECONDS = 60.0
"""How long the set may take to become what is waited for."""

POLL_SECONDS = 0.05
WELL = {"PRIMARY", "SECONDARY"}


@dataclass
class Member:
    """One mongod of the set."""

    number: int
    port: int
    folder: Path
    process: subprocess.Popen[bytes] | None = None
    is_stopped: bool = False

    @property
    def place(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.port}"


@dataclass
class ReplicaSet:
    """The members, and what can happen to them; methods block."""

    members: list[Member] = field(default_factory=list[Member])

    @property
    def uri(self) -> str:
        """Where an application connects."""
        places = ",".join(member.place for member in self.members)
        return f"mongodb://{places}/?replicaSet=rs0"

    def primary(self) -> Member:
        """Return the member that takes writes, once there is one."""
        return _until(self._find_primary, "a primary")

    def kill(self, member: Member) -> None:
        """Let it end at once, as when its machine loses power."""
        if member.process:
            member.process.kill()
            member.process.wait()
            member.process = None

    def start(self, member: Member) -> None:
        """Start one that was killed; it joins by itself."""
        options = ["--replSet", "rs0", "--bind_ip", "127.0.0.1", "--port", str(member.port)]
        sizes = ["--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "200", "--quiet"]
        member.folder.mkdir(parents=True, exist_ok=True)
        files = ["--dbpath", str(member.folder), "--logpath", str(member.folder / "log")]
        told = [part for one in PARAMETERS for part in ("--setParameter", one)]
        command = [str(mongod.program()), *options, *sizes, *files, "--nounixsocket", *told]
        member.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def stop(self, member: Member) -> None:
        """Let it say nothing more while its connections stay open."""
        self._signal(member, signal.SIGSTOP)

    def go_on(self, member: Member) -> None:
        """Let one that was stopped go on."""
        self._signal(member, signal.SIGCONT)

    def wait_until_whole(self) -> None:
        """Wait until every member is the primary or follows it."""
        _until(lambda: self._states() <= WELL and self._find_primary(), "a whole set")

    def initiate(self) -> None:
        """Make one set of members that have just been started for the first time."""
        listed = [{"_id": one.number, "host": one.place} for one in self.members]
        config = {"_id": "rs0", "members": listed, "settings": SETTINGS}
        first = self.members[0]
        _until(lambda: all(mongod.listens(one.place) for one in self.members), "three mongods")
        with _client(first) as client:
            client.admin.command("replSetInitiate", config)

    def close(self) -> None:
        """End all of them."""
        for member in self.members:
            self.kill(member)

    def _signal(self, member: Member, number: signal.Signals) -> None:
        assert member.process
        member.process.send_signal(number)
        member.is_stopped = number == signal.SIGSTOP

    def _find_primary(self) -> Member | None:
        return next((one for one in self._alive() if _is_primary(one)), None)

    def _alive(self) -> list[Member]:
        return [one for one in self.members if one.process and not one.is_stopped]

    def _states(self) -> set[str]:
        """What the members are, as one that lives sees them; nothing known counts as unwell."""
        try:
            with _client(self._alive()[0]) as client:
                status = client.admin.command("replSetGetStatus")
        except PyMongoError:
            return {"UNKNOWN"}
        return {one["stateStr"] for one in status["members"]}


@contextmanager
def running(folder: Path) -> Generator[ReplicaSet]:
    """Give such a set, with a primary, on ports of its own."""
    replica_set = ReplicaSet()
    with ExitStack() as stack:
        stack.callback(replica_set.close)
        for number, port in enumerate(_free_ports()):
            member = Member(number, port, folder / f"member{number}")
            replica_set.members.append(member)
            replica_set.start(member)
        replica_set.initiate()
        replica_set.wait_until_whole()
        yield replica_set


def _client(member: Member) -> pymongo.MongoClient[dict[str, Any]]:
    where = f"mongodb://{member.place}/?directConnection=true"
    return pymongo.MongoClient(where, serverSelectionTimeoutMS=1_000, timeoutMS=1_000)


def _is_primary(member: Member) -> bool:
    try:
        with _client(member) as client:
            return bool(client.admin.command("hello").get("isWritablePrimary"))
    except PyMongoError:
        return False


def _until(ask: Callable[[], T | None], what: str) -> T:
    deadline = time.monotonic() + SECONDS
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"there is no {what} after {SECONDS:.0f} s"
        time.sleep(POLL_SECONDS)
    return answer


def _free_ports() -> list[int]:
    with ExitStack() as probes:
        found = [probes.enter_context(socket.socket()) for _ in range(MEMBERS)]
        for probe in found:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in found]
