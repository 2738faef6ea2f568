"""Messages of 40 characters, each with a mark of its own, by which it is known again."""

import itertools

LENGTH = 40

_numbers = itertools.count(1)


def marked() -> tuple[str, str]:
    """Return a mark that no other message has, and a text with it."""
    mark = f"bench-{next(_numbers):06d}"
    return mark, of(mark)


def of(mark: str) -> str:
    """Return the text with that mark."""
    return f"{mark} How are you feeling today?".ljust(LENGTH, ".")[:LENGTH]
