"""A served CareChat for browser tests, and people who can act in it without a browser."""

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import jwt
import pymongo
from pymongo.database import Database

from carechat import worker
from carechat.storage import embedded, mongod
from tests import people, processes
from tests.people import PASSWORD
from tests.processes import PROJECT

PROCESS = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
"""Which of the processes that test side by side this is: each has a port, and pages, of its own."""

PORT = int(os.environ.get("CARECHAT_E2E_PORT", "8123")) + PROCESS
URL = f"http://localhost:{PORT}"
PAGES = f".web-test-{PROCESS}"
GENEROUS = {"CARECHAT_BCRYPT_COST": "4", "CARECHAT_SEND_RATE": "1000/1000"}
HEARD_SECONDS = 10.0
DOCTORS = 500
"""Enough for every test to have one of its own."""


@dataclass
class Person:
    """Somebody with an account and a way to act without a browser."""

    email: str
    name: str
    api: httpx.Client

    def says(self, partner: "Person", *texts: str) -> list[dict[str, Any]]:
        """Send messages to the partner through the API; returns them as they were stored."""
        path = f"/conversations/{self.conversation(partner)}/messages"
        answers = [self.api.post(path, json={"message": text}) for text in texts]
        return [answer.raise_for_status().json() for answer in answers]

    def reads(self, partner: "Person") -> None:
        """Mark everything that the partner wrote as read, through the API."""
        self.api.patch(f"/messages/mark-read/{partner.email}").raise_for_status()

    def conversation(self, partner: "Person") -> str:
        """Return the id of the conversation with the partner."""
        found = self.api.get("/conversations", params={"limit": 200}).raise_for_status().json()
        return next(one["id"] for one in found if one["partner_email"] == partner.email)

    def history(self, partner: "Person") -> list[dict[str, Any]]:
        """Return the newest messages with the partner, oldest first."""
        path = f"/messages/{self.email}/{partner.email}"
        return self.api.get(path, params={"limit": 200}).raise_for_status().json()

    def texts(self, partner: "Person") -> list[str]:
        """Return what was said with the partner, oldest first."""
        return [message["message"] for message in self.history(partner)]


class Clinic:
    """A served CareChat: people are made through its API and its operator's command line."""

    def __init__(self, data_dir: Path, environment: dict[str, str], pid: int) -> None:
        self._pid = pid
        self._data_dir = data_dir
        self._environment = environment
        self._doctors = itertools.count(1)
        self._patients = itertools.count(1)
        self._clients = contextlib.ExitStack()
        self._import(
            people.doctor(f"doctor{number}@example.com", f"Dr. Sarah Chen {number}")
            for number in range(1, DOCTORS + 1)
        )

    def doctor(self) -> Person:
        """Return a doctor whom no other test has."""
        number = next(self._doctors)
        return self.known(f"doctor{number}@example.com", f"Dr. Sarah Chen {number}")

    def patient(self, *doctors: Person, name: str = "Maria Jones") -> Person:
        """Return a new patient of those doctors."""
        email = f"patient{next(self._patients)}@example.com"
        for doctor in doctors:
            self.invite(doctor, email, name)
        return self.known(email, name)

    def pair(self) -> tuple[Person, Person]:
        """Return a doctor and a patient of theirs, whom no other test has."""
        doctor = self.doctor()
        return doctor, self.patient(doctor)

    def invite(self, doctor: Person, email: str, name: str) -> None:
        """Let that doctor have that patient, who joins if they have no account yet."""
        invited = doctor.api.post("/invitations", json={"email": email, "name": name})
        if url := invited.raise_for_status().json().get("url"):
            accepted = {"token": httpx.URL(url).params["token"], "password": PASSWORD}
            doctor.api.post("/invitations/accept", json=accepted).raise_for_status()

    def known(self, email: str, name: str, password: str = PASSWORD) -> Person:
        """Return somebody who has an account."""
        api = self._clients.enter_context(httpx.Client(base_url=URL))
        api.headers.update(people.bearer(people.token(api, email, password)))
        return Person(email, name, api)

    def operator(self, *command: str) -> str:
        """Run a command of the operator beside the server; returns what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "carechat", *command],
            cwd=PROJECT,
            env=self._environment,
            capture_output=True,
            check=True,
            text=True,
        )
        return done.stdout

    @contextlib.contextmanager
    def database(self) -> Iterator[Database[dict[str, Any]]]:
        """Give the database itself, to make what no door of the product lets anybody make."""
        uri = embedded.attach(self._data_dir).uri
        with pymongo.MongoClient[dict[str, Any]](uri, tz_aware=True) as client:
            yield client["carechat"]

    def until_heard(self) -> None:
        """Return when the server has heard of everything that was changed in the database by now.

        It hears in order, so of the end of a session last, which it remembers until then.
        """
        with httpx.Client(base_url=URL, timeout=HEARD_SECONDS) as api, self.database() as database:
            token = people.token(api, f"doctor{DOCTORS}@example.com")
            api.headers.update(people.bearer(token))
            api.get("/conversations").raise_for_status()
            claims = jwt.decode(token, options={"verify_signature": False})
            database["sessions"].delete_one({"_id": claims["sid"]})
            deadline = time.monotonic() + HEARD_SECONDS
            while api.get("/conversations").status_code != httpx.codes.UNAUTHORIZED:
                assert time.monotonic() < deadline

    @contextlib.contextmanager
    def frozen_database(self) -> Iterator[None]:
        """Let MongoDB answer nobody for that long."""
        with _frozen(int(mongod.Files(self._data_dir.resolve()).lock.read_text())):
            yield

    @contextlib.contextmanager
    def frozen_server(self) -> Iterator[None]:
        """Let the server answer nobody for that long, as a network that swallows everything."""
        with _frozen(self._worker()):
            yield

    def kill_server(self) -> None:
        """Kill the process that serves, and what waits to: the next one has to load first."""
        for pid in [*processes.workers(self._pid, worker.SPARE), self._worker()]:
            os.kill(pid, signal.SIGKILL)

    def files(self) -> list[Path]:
        """Return every file of the data directory that is not the database's own."""
        database = mongod.Files(self._data_dir).data
        found = self._data_dir.rglob("*")
        return [path for path in found if path.is_file() and database not in path.parents]

    def close(self) -> None:
        """Let go of what people act with."""
        self._clients.close()

    def add_patients(self, doctor: Person, count: int) -> None:
        """Give that doctor so many patients, who cannot be told from each other."""
        self._import(
            people.patient(f"{number}.of.{doctor.email}", doctor.email, f"Patient {number}")
            for number in range(count)
        )

    def _worker(self) -> int:
        deadline = time.monotonic() + HEARD_SECONDS
        while len(serving := processes.workers(self._pid, worker.SERVES)) != 1:
            assert time.monotonic() < deadline, "nobody serves"
            time.sleep(0.05)
        return serving[0]

    def _import(self, rows: Iterable[str]) -> None:
        path = self._data_dir / "people.csv"
        path.write_text(people.roster(rows))
        self.operator("users", "import", str(path))


@contextlib.contextmanager
def served(data_dir: Path) -> Iterator[Clinic]:
    """Give a served CareChat with the demo and many doctors, and see that it ends as it should."""
    environment = processes.environment(data_dir, PORT, PAGES, **GENEROUS)
    with processes.serving(environment) as server:
        clinic = Clinic(data_dir, environment, server.pid)
        yield clinic
        clinic.close()
    assert server.returncode == 0


@contextlib.contextmanager
def _frozen(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
