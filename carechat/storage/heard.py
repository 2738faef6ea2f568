"""Until when this process has heard of every change that any other one made."""

import asyncio
import math

FRESH_SECONDS = 1.0
"""How long after that moment what is remembered still counts."""


class Heard:
    """The moment, on the event loop's clock; `Changes` notes it."""

    def __init__(self) -> None:
        self._until = -math.inf

    def until(self, moment: float) -> None:
        """Note that all changes until then were told."""
        self._until = moment

    def nothing(self) -> None:
        """Note that changes may be missing."""
        self._until = -math.inf

    @property
    def is_current(self) -> bool:
        """Whether what is remembered counts."""
        return asyncio.get_running_loop().time() - self._until < FRESH_SECONDS
