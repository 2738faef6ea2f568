"""The demo clinic: three doctors, six patients and some days of talk, made through the services."""

import asyncio
import contextlib
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

from carechat.domain import errors
from carechat.domain.users import Role, User
from carechat.services import accounts, messages, receipts, users
from carechat.services.access import Address
from carechat.services.context import Backend, Context
from carechat.services.messages import Outgoing

DOCTOR_EMAIL = "doctor@example.com"
PATIENT_EMAIL = "patient@example.com"
PASSWORD = "carechat-demo"  # noqa: S105 it is printed at the start and on the sign-in page

_SCRIPT = Path(__file__).with_suffix(".toml")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who has an account in the demo."""

    email: str
    role: Role
    name: str


@dataclass(frozen=True, slots=True)
class Line:
    """What somebody wrote at some moment; its `client_id` is the same in every load."""

    at: datetime
    sender: str
    receiver: str
    text: str
    client_id: str


@dataclass(frozen=True, slots=True)
class Talk:
    """What a doctor and a patient wrote to each other, oldest first.

    The other one has not read the last `unread` lines; the last `sent` of these have not reached a
    screen of theirs.
    """

    doctor: str
    patient: str
    unread: int
    sent: int
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Clinic:
    """Everybody and everything of the demo; the last of its people is the last to be made."""

    people: tuple[Person, ...]
    talks: tuple[Talk, ...]

    @property
    def lines(self) -> list[Line]:
        """What everybody wrote, in the order in which they did."""
        return sorted((line for talk in self.talks for line in talk.lines), key=lambda it: it.at)


@dataclass(slots=True)
class Past:
    """A clock that is set to the moment at which the next thing happened."""

    time: datetime

    def __call__(self) -> datetime:
        """Return that moment."""
        return self.time

    def seconds(self) -> float:
        """Return that moment in seconds, for what counts by them."""
        return self.time.timestamp()


def greeting() -> str:
    """Return the lines that tell whoever starts the demo how to sign in."""
    return (
        f"Demo accounts, all with the password {PASSWORD}:\n"
        f"  {DOCTOR_EMAIL:<20} Dr. Sarah Chen\n"
        f"  {PATIENT_EMAIL:<20} Maria Jones"
    )


def script(now: datetime) -> Clinic:
    """Return the demo as it is if it is loaded now."""
    written = tomllib.loads(_SCRIPT.read_text())
    now = now.astimezone()
    return Clinic(
        people=tuple(Person(email, Role(role), name) for email, role, name in written["people"]),
        talks=tuple(_talk(now, talk) for talk in written["talks"]),
    )


async def load(backend: Backend, backend_at: Callable[[Past], Backend]) -> None:
    """Make the demo clinic, or what a load that was cut short left out, unless it is complete.

    `backend_at` gives another backend on the same database that goes by that clock; it may block.
    """
    clinic = await asyncio.to_thread(script, backend.clock())
    known = {user.email for user in await users.all_users(backend)}
    if clinic.people[-1].email in known:
        return
    past = Past(clinic.lines[0].at - timedelta(days=1))
    then = replace(await asyncio.to_thread(backend_at, past), seconds=past.seconds)
    try:
        await _people(then, clinic, known)
        # Sessions must not be over already: the database forgets such ones at any moment.
        past.time = backend.clock()
        callers = await _signed_in(then, clinic)
        await _talks(callers, past, clinic)
        await _receipts(callers, clinic)
        await asyncio.gather(*(accounts.sign_out(caller) for caller in callers.values()))
        await _add(then, clinic.people[-1])
    finally:
        await then.close()


def _talk(now: datetime, written: dict[str, Any]) -> Talk:
    doctor, patient = written["doctor"], written["patient"]
    pair = {"doctor": (doctor, patient), "patient": (patient, doctor)}
    lines = tuple(
        Line(_moment(now, when), *pair[who], text.strip(), f"demo-{number}")
        for number, (when, who, text) in enumerate(written["lines"], 1)
    )
    return Talk(doctor, patient, written.get("unread", 0), written.get("sent", 0), lines)


def _moment(now: datetime, when: str) -> datetime:
    number, unit, *clock = when.split()
    if unit == "min":
        return now - timedelta(minutes=int(number))
    day = now.date() - timedelta(days=int(number))
    return datetime.combine(day, time.fromisoformat(*clock), now.tzinfo)


async def _people(backend: Backend, clinic: Clinic, known: set[str]) -> None:
    missing = [one for one in clinic.people[:-1] if one.email not in known]
    await asyncio.gather(*(_add(backend, person) for person in missing))
    for talk in clinic.talks:
        await users.assign(backend, talk.doctor, talk.patient)


async def _add(backend: Backend, person: Person) -> None:
    # Another machine on the same database may load at the same time.
    with contextlib.suppress(errors.ConflictError):
        await users.add(backend, person.email, person.name, person.role, PASSWORD)


async def _signed_in(backend: Backend, clinic: Clinic) -> dict[str, Context]:
    people = {person.email for person in clinic.people}
    found = [user for user in await users.all_users(backend) if user.email in people]
    return {user.email: await _caller(backend, user) for user in found}


async def _caller(backend: Backend, user: User) -> Context:
    signed_in = await accounts.begin_session(backend, user)
    return await accounts.resolve(backend, signed_in.token)


async def _talks(callers: dict[str, Context], past: Past, clinic: Clinic) -> None:
    for line in clinic.lines:
        past.time = line.at
        outgoing = Outgoing(line.text, line.client_id)
        # A load that was cut short by an update may have stored another text.
        with contextlib.suppress(errors.ConflictError):
            await messages.send(callers[line.sender], _to(line.receiver), outgoing)


async def _receipts(callers: dict[str, Context], clinic: Clinic) -> None:
    for talk in clinic.talks:
        for line in talk.lines[-1:]:
            await receipts.read(callers[line.sender], _to(line.receiver))
            await _receive(callers[line.receiver], _to(line.sender), talk)


async def _receive(ctx: Context, address: Address, talk: Talk) -> None:
    read = len(talk.lines) - talk.unread
    await receipts.read(ctx, address, read)
    if talk.unread > talk.sent:
        await messages.history(ctx, address, limit=talk.unread - talk.sent, after=read)


def _to(email: str) -> Address:
    return Address(partner_email=email)
