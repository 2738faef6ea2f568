"""Passwords: which are good enough, and their bcrypt hashes, made off the event loop."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import bcrypt
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from carechat.domain import errors

MIN_BYTES = 8
MAX_BYTES = 72
"""bcrypt reads no more than that: longer passwords are refused, never cut."""

_HASHERS = 2
"""Threads that hash at once; more tries wait, so that they cannot take every core."""


def check(password: str) -> str:
    """Return the password if it may be chosen.

    Raises `InvalidError` unless it has 8 to 72 bytes of UTF-8, no NUL, and is not one of the
    commonest.
    """
    if len(_encoded(password)) < MIN_BYTES:
        raise errors.InvalidError(f"A password has {MIN_BYTES} to {MAX_BYTES} bytes.")
    if password.lower() in _common():
        raise errors.InvalidError("That password is too common. Please choose another.")
    return password


class Passwords:
    """Hashes and verifies with bcrypt at one cost (the logarithm of its rounds)."""

    def __init__(self, cost: int) -> None:
        self._cost = cost
        self._threads = ThreadPoolExecutor(_HASHERS, thread_name_prefix="bcrypt")
        # A hash that no password has, and that takes as long to find out.
        self._nobodys = f"$2b${cost:02}${'.' * 53}"

    async def hash(self, password: str) -> str:
        """Return a salted hash of a checked password."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._hash, check(password))

    async def verify(self, password: str, hashed: str | None) -> bool:
        """Whether the password is the hashed one; takes as long when there is no hash at all."""
        loop = asyncio.get_running_loop()
        matches = await loop.run_in_executor(
            self._threads, _matches, password, hashed or self._nobodys
        )
        return matches and hashed is not None

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _hash(self, password: str) -> str:
        return bcrypt.hashpw(password.encode(), bcrypt.gensalt(self._cost)).decode()


def _matches(password: str, hashed: str) -> bool:
    return bcrypt.checkpw(_encoded(password), hashed.encode())


def _encoded(password: str) -> bytes:
    """The bytes to hash; none, which is nobody's password, if bcrypt would not take all of them."""
    try:
        encoded = password.encode()
    except UnicodeEncodeError:
        return b""
    return encoded if len(encoded) <= MAX_BYTES and b"\0" not in encoded else b""


@cache
def _common() -> frozenset[str]:
    return frozenset(FREQUENCY_LISTS["passwords"])
