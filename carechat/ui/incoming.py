"""What a browser sends with an event: anything at all, until it has been looked at."""

from carechat.domain import errors
from carechat.domain.messages import MAX_SEQ

MAX_TEXT = 20_000
"""More than any text that is taken; the rules of each text are the domain's."""


def text(value: object) -> str:
    """Return the value if it is a text; raises `InvalidError` if not."""
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise errors.InvalidError("That is not a text.")
    return value


def number(value: object) -> int:
    """Return the value if it is a number such as messages have; raises `InvalidError` if not."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_SEQ:
        raise errors.InvalidError("That is not a number.")
    return value
