"""The roster: many accounts at once, all of them checked before the first is stored."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from carechat.domain import errors
from carechat.domain.users import Role, User, clean_email, clean_name, clean_role
from carechat.security import passwords
from carechat.services.context import Backend


@dataclass(frozen=True, slots=True)
class Row:
    """An account as somebody wrote it down; several doctors are separated by `;`."""

    line: int
    email: str
    name: str
    role: str
    doctor_emails: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why the row in that line cannot be stored."""

    line: int
    detail: str


class BadRosterError(errors.InvalidError):
    """Nothing was stored; `problems` has one entry for each bad row."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("Nothing was stored.")
        self.problems = problems


@dataclass(frozen=True, slots=True)
class _Entry:
    line: int
    email: str
    name: str
    role: Role
    doctors: tuple[str, ...]
    password: str = field(repr=False)


async def add(backend: Backend, rows: Sequence[Row]) -> list[User]:
    """Store all those accounts and give the patients their doctors, who may be among them.

    Raises `BadRosterError`, and stores nothing, if any row is bad. What is slow is done before the
    first is stored; if the database fails after that, the accounts stored until then stay.
    """
    entries = await _checked(backend, rows)
    hashes = await asyncio.gather(*(backend.passwords.hash(one.password) for one in entries))
    added = [
        await backend.store.users.add(one.email, one.name, one.role, password_hash, backend.clock())
        for one, password_hash in zip(entries, hashes, strict=True)
    ]
    known = {user.email: user for user in await backend.store.users.all()}
    for entry in entries:
        for doctor in entry.doctors:
            await backend.store.conversations.assign(known[doctor], known[entry.email])
    return added


async def _checked(backend: Backend, rows: Sequence[Row]) -> list[_Entry]:
    entries: list[_Entry] = []
    problems: list[Problem] = []
    for row in rows:
        try:
            entries.append(_entry(row))
        except errors.InvalidError as error:
            problems.append(Problem(row.line, error.detail))
    stored = {user.email: user.role for user in await backend.store.users.all()}
    problems += _problems(entries, stored)
    if problems:
        raise BadRosterError(sorted(problems, key=lambda problem: problem.line))
    return entries


def _entry(row: Row) -> _Entry:
    role = clean_role(row.role)
    doctors = tuple(clean_email(one) for one in row.doctor_emails.split(";") if one.strip())
    if doctors and role is not Role.PATIENT:
        raise errors.InvalidError("Only a patient has doctors.")
    return _Entry(
        line=row.line,
        email=clean_email(row.email),
        name=clean_name(row.name),
        role=role,
        doctors=doctors,
        password=passwords.check(row.password),
    )


def _problems(entries: list[_Entry], stored: dict[str, Role]) -> Iterator[Problem]:
    lines = {entry.email: entry.line for entry in reversed(entries)}
    roles = {entry.email: entry.role for entry in entries} | stored
    for entry in entries:
        strangers = [one for one in entry.doctors if roles.get(one) is not Role.DOCTOR]
        if entry.email in stored:
            yield Problem(entry.line, "There is an account with that address already.")
        elif entry.line != lines[entry.email]:
            yield Problem(entry.line, f"Line {lines[entry.email]} has that address already.")
        elif strangers:
            yield Problem(entry.line, f"There is no doctor with the address {strangers[0]}.")
