"""The ways in which a request can be refused, each with a stable code and a sentence for people."""

from typing import ClassVar


class CareChatError(Exception):
    """A refusal: `code` is for programs, `detail` is one sentence for people."""

    code: ClassVar[str]

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class UnauthenticatedError(CareChatError):
    """Nobody is signed in, or no longer."""

    code = "unauthenticated"


class ForbiddenError(CareChatError):
    """The person is known and may not do this."""

    code = "forbidden"


class NotFoundError(CareChatError):
    """It does not exist, or not for this person: the two must look alike."""

    code = "not_found"


class InvalidError(CareChatError):
    """What was sent breaks a rule of its form."""

    code = "invalid"


class ConflictError(CareChatError):
    """It contradicts what is stored already."""

    code = "conflict"


class RateLimitedError(CareChatError):
    """Too often; `retry_after` is in seconds."""

    code = "rate_limited"

    def __init__(self, detail: str, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class UnavailableError(CareChatError):
    """The outcome is not known: the same request, with the same `client_id`, may be made again."""

    code = "unavailable"
