"""People with accounts in the product that is broken, in pairs who talk with each other."""

from collections.abc import Iterator
from dataclasses import dataclass

import httpx

from tests import people


@dataclass(frozen=True)
class Person:
    """Somebody who is signed in."""

    email: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        """What says who is calling."""
        return people.bearer(self.token)


@dataclass(frozen=True)
class Pair:
    """A doctor and a patient, and the id of their conversation."""

    conversation: str
    doctor: Person
    patient: Person

    def __iter__(self) -> Iterator[Person]:
        return iter((self.doctor, self.patient))


def pair(url: str, number: int) -> Pair:
    """Return that pair, both signed in."""
    with httpx.Client(base_url=url, timeout=30) as api:
        emails = [f"{role}{number}@example.com" for role in ("doctor", "patient")]
        doctor, patient = [Person(email, people.token(api, email)) for email in emails]
        found = api.get("/conversations", headers=doctor.headers).raise_for_status()
        return Pair(found.json()[0]["id"], doctor, patient)
