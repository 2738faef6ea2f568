"""The product as it is measured: served from a folder of its own, with people to try it."""

import contextlib
import itertools
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from pymongo import MongoClient
from pymongo.database import Database

from carechat import worker
from carechat.storage import embedded
from tests import people, processes
from tests.bench import machine
from tests.processes import PROJECT

PORT = int(os.environ.get("CARECHAT_BENCH_PORT", "8230"))
"""The reference takes the next one."""

PAGES = ".web-bench"
"""Where they are built once, and again when their sources have changed."""

URL = f"http://localhost:{PORT}"
PAIRS = 60
"""Enough for every measurement to have people of its own."""

AT_ONCE = 8
"""Sign-ins at the same time, fewer than the product lets one network have."""

PROFILE_BYTES = 64_000_000

TALKER = "talking-"

Document = dict[str, Any]
Token = tuple[str, str]
"""An address and what proves that it is one's own."""

Pairs = list[tuple[Token, Token]]
LIMITS = {"CARECHAT_SEND_RATE": "1000/1000", "CARECHAT_SOCKETS_PER_ADDRESS": "10000"}
"""Those that one machine as everybody's client would meet."""

CHEAP_HASH = {"CARECHAT_BCRYPT_COST": "4"}
"""Where nothing is about signing in."""


@dataclass(frozen=True)
class Person:
    """Somebody with an account, who may also write without a browser."""

    email: str
    api: httpx.Client

    def conversation(self) -> str:
        """Return the id of the only conversation of this person."""
        return self.api.get("/conversations").raise_for_status().json()[0]["id"]

    def says(self, conversation: str, text: str) -> None:
        """Send a message through the API."""
        path = f"/conversations/{conversation}/messages"
        self.api.post(path, json={"message": text}).raise_for_status()


@dataclass(frozen=True)
class Pair:
    """A doctor and a patient who talk with each other and nobody else."""

    doctor: Person
    patient: Person

    def __iter__(self) -> Iterator[Person]:
        return iter((self.doctor, self.patient))


@dataclass(frozen=True)
class Product:
    """A served CareChat that said after so many seconds that it is ready."""

    folder: Path
    pid: int
    start_seconds: float
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def pair(self) -> Pair:
        """Return two people whom no other measurement has."""
        number = next(self._numbers)
        return Pair(_signed_in(f"doctor{number}"), _signed_in(f"patient{number}"))

    def processes(self, mongod: bool = False) -> list[int]:
        """Return the processes of the server that have something to do, or those of its MongoDB."""
        return [
            pid
            for pid, name in machine.offspring(self.pid)
            if name.startswith("mongod") == mongod and name != worker.SPARE
        ]

    def memory(self) -> int:
        """Return the bytes that the server has resident, without its MongoDB and what waits."""
        return machine.memory(self.processes())

    def busy(self, mongod: bool = False) -> float:
        """Return the seconds of processor time that the server, or its MongoDB, has used."""
        return machine.busy(self.processes(mongod))

    @contextlib.contextmanager
    def mongodb(self) -> Iterator[str]:
        """Give the address of the MongoDB that the server has started."""
        with embedded.attach(self.folder / "data") as mongodb:
            yield mongodb.uri

    @contextlib.contextmanager
    def database(self) -> Iterator[Database[Document]]:
        """Give the database beside the server, to fill it quickly and to see what is asked."""
        with self.mongodb() as uri, MongoClient[Document](uri, tz_aware=True) as client:
            yield client["carechat"]

    @contextlib.contextmanager
    def operations(self) -> Iterator[list[Document]]:
        """Give a list that holds, once this is left, all that the server asked MongoDB meanwhile.

        They are as MongoDB's profiler describes them; waiting for changes is left out.
        """
        found: list[Document] = []
        with self.database() as database:
            database.drop_collection("system.profile")
            database.create_collection("system.profile", capped=True, size=PROFILE_BYTES)
            database.command("profile", 2)
            yield found
            database.command("profile", 0)
            ours = {"appName": "carechat", "op": {"$ne": "getmore"}}
            found += database["system.profile"].find(ours)


@contextlib.contextmanager
def serve(folder: Path, **variables: str) -> Iterator[Product]:
    """Give the product, served from the pages and the data in that folder."""
    environment = _environment(folder, variables)
    began = time.monotonic()
    with processes.serving(environment) as server:
        start_seconds = time.monotonic() - began
        # Nothing that is measured is to pay for its loading.
        processes.await_spare(server.pid)
        yield Product(folder, server.pid, start_seconds)


def populate(folder: Path, talkers: int, **variables: str) -> None:
    """Let the pairs of people have accounts, and so many pairs more that only talk."""
    folder.mkdir(exist_ok=True)
    roster = folder / "people.csv"
    rows = [*people.pairs(PAIRS), *people.pairs(talkers, TALKER)]
    roster.write_text(people.roster(rows))
    subprocess.run(
        [sys.executable, "-m", "carechat", "users", "import", str(roster)],
        cwd=PROJECT,
        env=_environment(folder, variables),
        stdout=subprocess.DEVNULL,
        check=True,
    )


def _environment(folder: Path, variables: Mapping[str, str]) -> dict[str, str]:
    return processes.environment(folder / "data", PORT, PAGES, **(LIMITS | dict(variables)))


def talkers(count: int) -> Pairs:
    """Return that many pairs that only talk, signed in: a doctor's and a patient's tokens."""
    numbers = range(1, count + 1)
    names = [f"{TALKER}{role}{number}" for number in numbers for role in ("doctor", "patient")]
    with httpx.Client(base_url=URL) as api, ThreadPoolExecutor(AT_ONCE) as several:
        tokens = list(several.map(lambda name: _token(api, name), names))
    return list(zip(tokens[::2], tokens[1::2], strict=True))


def _signed_in(name: str) -> Person:
    api = httpx.Client(base_url=URL)
    email, token = _token(api, name)
    api.headers.update(people.bearer(token))
    return Person(email, api)


def _token(api: httpx.Client, name: str) -> Token:
    email = f"{name}@example.com"
    return email, people.token(api, email)
