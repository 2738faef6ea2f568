"""Tokens: only one that we signed, for us, that is still good, says who somebody is."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carechat.domain import errors
from carechat.domain.users import Role, User
from carechat.security import tokens
from carechat.security.tokens import Claims, Tokens

SECRET = "a secret that is long enough for the other algorithms too"
NOW = datetime(2099, 1, 15, 14, 30, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
USER = User("u1", "doctor@example.com", "Dr. Sarah Chen", Role.DOCTOR)
OURS = Tokens(SECRET)
GOOD: dict[str, Any] = {
    "sub": "u1",
    "sid": "s1",
    "role": "doctor",
    "iat": NOW,
    "exp": NOW + timedelta(hours=1),
    "iss": "carechat",
    "aud": "carechat",
}


def signed(secret: str = SECRET, algorithm: str = "HS256", **other: object) -> str:
    """Return a token with other claims than a good one; one that is None is left out."""
    claims = {name: value for name, value in (GOOD | other).items() if value is not None}
    return jwt.encode(claims, secret, algorithm)


def part(value: object) -> str:
    """Return a part of a token as it is written."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def refused(token: str, now: datetime = NOW) -> bool:
    """Whether nobody is signed in by the token."""
    with pytest.raises(errors.UnauthenticatedError):
        OURS.verify(token, now)
    return True


def test_a_token_names_its_person_and_session_and_nothing_else() -> None:
    token = OURS.issue(USER, "s1", NOW, NOW + timedelta(hours=12))
    assert OURS.verify(token, NOW) == Claims("u1", "s1", SECONDS + 12 * 3600)
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims == {
        "sub": "u1",
        "sid": "s1",
        "role": "doctor",
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 12 * 3600,
        "iss": "carechat",
        "aud": "carechat",
    }


def test_a_token_signed_as_ours_is_taken() -> None:
    assert OURS.verify(signed(), NOW) == Claims("u1", "s1", SECONDS + 3600)


def test_a_token_that_was_taken_before_is_refused_when_it_has_expired() -> None:
    token = signed()
    assert OURS.verify(token, NOW) == OURS.verify(token, NOW)
    assert refused(token, NOW + timedelta(hours=1))


def test_a_token_is_refused_from_the_second_on_in_which_it_expires() -> None:
    token = signed(exp=NOW)
    assert OURS.verify(token, NOW - timedelta(seconds=1)) == Claims("u1", "s1", SECONDS)
    assert refused(token, NOW)


@pytest.mark.parametrize("claim", ["sub", "sid", "iat", "exp", "iss", "aud"])
def test_a_token_without_one_of_its_claims_is_refused(claim: str) -> None:
    without: dict[str, Any] = {claim: None}
    assert refused(signed(**without))


@pytest.mark.parametrize(
    "other",
    [
        {"aud": "somebody else"},
        {"iss": "somebody else"},
        {"secret": "another secret that is long enough for the other algorithms"},
        {"algorithm": "HS384"},
        {"exp": NOW - timedelta(days=1)},
        {"exp": "soon"},
        {"exp": None},
        {"exp": [1]},
        {"sub": 1},
        {"sub": {"$ne": ""}},
    ],
)
def test_a_token_for_somebody_else_or_of_another_kind_is_refused(other: dict[str, Any]) -> None:
    assert refused(signed(**other))


def test_an_unsigned_token_is_refused() -> None:
    claims = GOOD | {"iat": 1, "exp": int(NOW.timestamp()) + 60}
    for algorithm in ("none", "None", "NONE", "HS256"):
        assert refused(f"{part({'alg': algorithm, 'typ': 'JWT'})}.{part(claims)}.")


@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_tampered_token_is_refused(position: int) -> None:
    parts = signed().split(".")
    changed = "B" if parts[position][5] == "A" else "A"
    parts[position] = parts[position][:5] + changed + parts[position][6:]
    assert refused(".".join(parts))


def test_a_role_that_was_raised_afterwards_is_refused() -> None:
    head, _, signature = signed().split(".")
    claims = GOOD | {"role": "admin", "iat": 1, "exp": int(NOW.timestamp()) + 60}
    assert refused(f"{head}.{part(claims)}.{signature}")


@given(st.text(st.characters(exclude_categories=())))
def test_nothing_made_up_is_a_token(token: str) -> None:
    assert refused(token)


def test_half_of_a_surrogate_pair_is_no_token() -> None:
    assert refused("\ud800")


def test_a_token_nested_as_deep_as_it_goes_is_refused() -> None:
    deep = base64.urlsafe_b64encode(b"[" * 5_000).decode()
    assert refused(f"{deep}.e30.AAAA")


def test_one_time_tokens_differ_and_only_a_digest_is_kept() -> None:
    made = {tokens.one_time() for _ in range(100)}
    assert len(made) == 100
    assert all(len(token) == 43 for token in made)
    digests = {tokens.digest(token) for token in made}
    assert len(digests) == 100
    assert not made & digests


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_has_a_digest(text: str) -> None:
    assert len(tokens.digest(text)) == 64
