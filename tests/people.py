"""People with accounts in a served product: made by the operator's import, signed in by the API."""

from collections.abc import Iterable

import httpx

PASSWORD = "correct horse battery"
"""Everybody's."""


def doctor(email: str, name: str = "Dr. Sarah Chen") -> str:
    """Return that doctor's row of a roster."""
    return f"{email},{name},doctor,,{PASSWORD}"


def patient(email: str, doctor_email: str, name: str = "Maria Jones") -> str:
    """Return the row of a patient of that doctor."""
    return f"{email},{name},patient,{doctor_email},{PASSWORD}"


def pairs(count: int, prefix: str = "") -> list[str]:
    """Return the rows of so many doctors with one patient each, numbered from 1."""
    rows: list[str] = []
    for number in range(1, count + 1):
        email = f"{prefix}doctor{number}@example.com"
        rows += [doctor(email), patient(f"{prefix}patient{number}@example.com", email)]
    return rows


def roster(rows: Iterable[str]) -> str:
    """Return the file with these rows, as `users import` reads it."""
    return "\n".join(["email,name,role,doctor_emails,password", *rows])


def token(api: httpx.Client, email: str, password: str = PASSWORD) -> str:
    """Sign in; returns what proves it."""
    answer = api.post("/auth/login", json={"email": email, "password": password})
    return answer.raise_for_status().json()["access_token"]


def bearer(token: str) -> dict[str, str]:
    """Return the headers of a request by whose token that is."""
    return {"Authorization": f"Bearer {token}"}
