"""Presence: who has a page or a socket open in this process."""

import asyncio
from collections import Counter
from collections.abc import Callable

GRACE_SECONDS = 10.0
"""How long somebody still counts as present after the last page or socket closed."""


class Presence:
    """Counts the open pages and sockets of each person; someone who only reloads never left."""

    def __init__(self, grace: float = GRACE_SECONDS) -> None:
        self._grace = grace
        self._open: Counter[str] = Counter()
        self._leaving: dict[str, asyncio.TimerHandle] = {}

    def is_present(self, email: str) -> bool:
        """Whether that person has something open, or had it within the grace."""
        return email in self._open or email in self._leaving

    def enter(self, email: str) -> bool:
        """Count a page or socket as open; returns whether the person was not present before."""
        news = not self.is_present(email)
        self._open[email] += 1
        if timer := self._leaving.pop(email, None):
            timer.cancel()
        return news

    def leave(self, email: str, gone: Callable[[], object]) -> None:
        """Count one as closed; `gone` is called after the grace if nothing was opened again."""
        self._open[email] -= 1
        if self._open[email] == 0:
            del self._open[email]
            loop = asyncio.get_running_loop()
            self._leaving[email] = loop.call_later(self._grace, self._left, email, gone)

    def close(self) -> None:
        """Forget those who are about to count as gone."""
        for timer in self._leaving.values():
            timer.cancel()
        self._leaving.clear()

    def _left(self, email: str, gone: Callable[[], object]) -> None:
        del self._leaving[email]
        gone()
