"""People with accounts in the product that is broken, in pairs who talk with each other."""

from collections.abc import Iterator
from dataclasses import dataclass

import httpx

PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Person:
    """Somebody who is signed in."""

    email: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        """What says who is calling."""
        return {"Authorization": f"Bearer {self.token}"}


@dataclass(frozen=True)
class Pair:
    """A doctor and a patient, and the id of their conversation."""

    conversation: str
    doctor: Person
    patient: Person

    def __iter__(self) -> Iterator[Person]:
        return iter((self.doctor, self.patient))


def roster(pairs: int) -> str:
    """Return the file that `users import` reads, of so many pairs."""
    lines = ["email,name,role,doctor_emails,password"]
    for number in range(1, pairs + 1):
        doctor = f"doctor{number}@example.com"
        lines.append(f"{doctor},Dr. Sarah Chen,doctor,,{PASSWORD}")
        lines.append(f"patient{number}@example.com,Maria Jones,patient,{doctor},{PASSWORD}")
    return "\n".join(lines)


async def pair(url: str, number: int) -> Pair:
    """Return that pair, both signed in."""
    async with httpx.AsyncClient(base_url=url, timeout=30) as api:
        doctor, patient = [
            await _signed_in(api, f"{role}{number}@example.com") for role in ("doctor", "patient")
        ]
        found = await api.get("/conversations", headers=doctor.headers)
        return Pair(found.raise_for_status().json()[0]["id"], doctor, patient)


async def _signed_in(api: httpx.AsyncClient, email: str) -> Person:
    answer = await api.post("/auth/login", json={"email": email, "password": PASSWORD})
    return Person(email, answer.raise_for_status().json()["access_token"])
