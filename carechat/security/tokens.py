"""Tokens: JSON Web Tokens that name a session, and one-time tokens kept only as a digest."""

import functools
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

import jwt
from jwt.types import Options

from carechat.domain import errors, users

ISSUER = AUDIENCE = "carechat"
ALGORITHM = "HS256"

_OPTIONS: Options = {
    "require": ["sub", "sid", "exp", "iat", "iss", "aud"],
    "verify_exp": False,  # PyJWT would go by the machine's clock, not by ours
    "verify_iat": False,
}

MAX_REMEMBERED = 10_000
"""Tokens whose signature needs no second look."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says: whose it is, which session it names, when it is over (s, UTC)."""

    user_id: str
    session_id: str
    expires_at: int


class Tokens:
    """Issues and verifies the tokens of one deployment."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._read = functools.lru_cache(MAX_REMEMBERED)(self._verified)

    def issue(
        self, user: users.User, session_id: str, issued_at: datetime, expires_at: datetime
    ) -> str:
        """Return a signed token (RFC 7519, HS256) for that session of that person."""
        claims = {
            "sub": user.id,
            "sid": session_id,
            "role": user.role.value,
            "iat": issued_at,
            "exp": expires_at,
            "iss": ISSUER,
            "aud": AUDIENCE,
        }
        return jwt.encode(  # pyright: ignore[reportUnknownMemberType] names an optional package
            claims, self._secret, algorithm=ALGORITHM
        )

    def verify(self, token: str, now: datetime) -> Claims:
        """Return what the token says; raises `UnauthenticatedError` unless it is a valid one."""
        try:
            claims = self._read(token)
            if claims.expires_at <= now.timestamp():
                raise jwt.ExpiredSignatureError
        except (jwt.InvalidTokenError, UnicodeEncodeError) as error:
            raise errors.UnauthenticatedError("Please sign in.") from error
        return claims

    def _verified(self, token: str) -> Claims:
        """What a token says that was signed here; what is refused is not remembered."""
        claims = jwt.decode(  # pyright: ignore[reportUnknownMemberType] as above
            token,
            self._secret,
            algorithms=[ALGORITHM],
            issuer=ISSUER,
            audience=AUDIENCE,
            options=_OPTIONS,
        )
        if not isinstance(claims["exp"], int):
            raise jwt.InvalidTokenError
        return Claims(claims["sub"], str(claims["sid"]), claims["exp"])


def one_time() -> str:
    """Return a new token of 256 random bits, safe in a URL."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """Return what is stored of a one-time token: its SHA-256, from which it cannot be had back."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()
