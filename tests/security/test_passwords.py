"""Passwords: which may be chosen, and that hashing tells nothing and blocks nobody."""

from collections.abc import AsyncGenerator

import bcrypt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carechat.domain import errors
from carechat.security.passwords import Passwords, check


@pytest.fixture
def hasher() -> Passwords:
    """Return a hasher that is quick."""
    return Passwords(cost=4)


@pytest.fixture
async def passwords(hasher: Passwords) -> AsyncGenerator[Passwords]:
    """Give that hasher, and end its threads."""
    yield hasher
    hasher.close()


@pytest.mark.parametrize("password", ["x1y2z3w4", "ÄöÜ47", "v" * 71 + "9", "ä" * 36])
def test_eight_to_seventy_two_bytes_are_taken(password: str) -> None:
    assert check(password) == password


@pytest.mark.parametrize(
    "password", ["", "1234567", "ÄöÜ", "v" * 73, "ä" * 37, "1234567\0", "12345678\ud800"]
)
def test_other_lengths_and_what_bcrypt_would_cut_are_refused(password: str) -> None:
    with pytest.raises(errors.InvalidError, match="8 to 72 bytes"):
        check(password)


@pytest.mark.parametrize("password", ["password", "PASSWORD", "iloveyou", "12345678", "qwertyuiop"])
def test_a_common_password_is_refused(password: str) -> None:
    with pytest.raises(errors.InvalidError, match="common"):
        check(password)


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_is_either_taken_as_it_is_or_refused(password: str) -> None:
    try:
        assert check(password) == password
    except errors.InvalidError:
        return
    assert 8 <= len(password.encode()) <= 72


async def test_only_the_right_password_is_verified(passwords: Passwords) -> None:
    hashed = await passwords.hash("correct horse")
    assert await passwords.verify("correct horse", hashed)
    assert not await passwords.verify("Correct horse", hashed)
    assert hashed != await passwords.hash("correct horse")


@pytest.mark.parametrize("more", ["x", "\0", "\ud800", " "])
async def test_a_password_is_never_cut_to_the_right_one(passwords: Passwords, more: str) -> None:
    longest = "v" * 71 + "9"
    assert not await passwords.verify(longest + more, await passwords.hash(longest))


async def test_a_password_that_may_not_be_chosen_is_not_hashed(passwords: Passwords) -> None:
    with pytest.raises(errors.InvalidError):
        await passwords.hash("v" * 73)


@pytest.mark.parametrize("password", ["correct horse", "", "x" * 500, "nul\0", "half \udc00"])
async def test_no_account_costs_the_same_hashing_as_a_wrong_password(
    passwords: Passwords, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    hashed = await passwords.hash("another one")
    costs: list[bytes] = []
    real = bcrypt.checkpw

    def counted(password: bytes, hashed: bytes) -> bool:
        costs.append(hashed[:7])
        return real(password, hashed)

    monkeypatch.setattr(bcrypt, "checkpw", counted)
    assert not await passwords.verify(password, hashed)
    assert not await passwords.verify(password, None)
    assert costs == [b"$2b$04$"] * 2


async def test_the_stand_in_for_no_account_is_nobodys_password(passwords: Passwords) -> None:
    assert not await passwords.verify("nobody has this one", None)
