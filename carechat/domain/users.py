"""People: who has an account, in which role, under which address and name."""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from carechat.domain import errors

MAX_NAME_LENGTH = 100
MAX_EMAIL_LENGTH = 254  # RFC 5321, 4.5.3.1.3

_EMAIL = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)+")


class Role(StrEnum):
    """What an account is for; each has exactly one."""

    DOCTOR = "doctor"
    PATIENT = "patient"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class User:
    """One account. `id` names it in logs and tokens, `email` everywhere a person reads."""

    id: str
    email: str
    name: str
    role: Role
    disabled: bool = False


def clean_email(email: str) -> str:
    """Return the address as it is stored and compared: trimmed and lower-case.

    Raises `InvalidError` unless it is an ASCII address of the form that HTML's e-mail field takes
    (https://html.spec.whatwg.org/#valid-e-mail-address) with a dotted domain.
    """
    # Lower case makes ASCII of some other letters, which then would be somebody else's address.
    lower = email.strip().lower() if email.isascii() else ""
    if len(lower) > MAX_EMAIL_LENGTH or not _EMAIL.fullmatch(lower):
        raise errors.InvalidError("That is not an e-mail address.")
    return lower


def clean_name(name: str) -> str:
    """Return the name with single spaces; raises `InvalidError` if empty, long or unprintable."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= MAX_NAME_LENGTH:
        raise errors.InvalidError(f"A name has 1 to {MAX_NAME_LENGTH} characters.")
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in name):
        raise errors.InvalidError("A name has no control characters.")
    return name


def clean_role(role: str) -> Role:
    """Return the role of that name; raises `InvalidError` if there is none."""
    try:
        return Role(role.strip().lower())
    except ValueError as error:
        raise errors.InvalidError("A role is doctor, patient or admin.") from error
