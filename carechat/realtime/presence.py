"""Presence: who has a page or a socket open, in this process or in another one of the clinic."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable

GRACE_SECONDS = 10.0
"""How long somebody still counts as present after the last page or socket closed."""


class Presence:
    """Counts the open pages and sockets of each person; someone who only reloads never left.

    Other processes tell who is with them. Somebody is present who is present anywhere.
    """

    def __init__(self, grace: float = GRACE_SECONDS) -> None:
        self._grace = grace
        self._open: Counter[str] = Counter()
        self._leaving: dict[str, asyncio.TimerHandle] = {}
        self._elsewhere: dict[str, set[str]] = {}
        self._missed: dict[str, asyncio.TimerHandle] = {}
        self.announce: Callable[[str, bool], object] | None = None
        """Told of everybody who comes to this process, or has left it."""

    @property
    def here(self) -> tuple[str, ...]:
        """Who is present in this process."""
        return (*self._open, *self._leaving)

    def is_present(self, email: str) -> bool:
        """Whether that person has something open, or had it within the grace."""
        return self._is_here(email) or any(email in them for them in self._elsewhere.values())

    def enter(self, email: str) -> bool:
        """Count a page or socket as open; returns whether the person was not present before."""
        news, comes = not self.is_present(email), not self._is_here(email)
        self._open[email] += 1
        if timer := self._leaving.pop(email, None):
            timer.cancel()
        if comes:
            self._announce(email, present=True)
        return news

    def leave(self, email: str, gone: Callable[[], object]) -> None:
        """Count one as closed; `gone` is called after the grace if nothing was opened again."""
        self._open[email] -= 1
        if self._open[email] == 0:
            del self._open[email]
            loop = asyncio.get_running_loop()
            self._leaving[email] = loop.call_later(self._grace, self._left, email, gone)

    def came_elsewhere(self, origin: str, email: str, present: bool) -> bool:
        """Note who came to another process, or left it; returns whether that is news."""
        before = self.is_present(email)
        them = self._elsewhere.setdefault(origin, set())
        (them.add if present else them.discard)(email)
        return self.is_present(email) != before

    def are_elsewhere(self, origin: str, emails: Iterable[str]) -> dict[str, bool]:
        """Note everybody who is with another process; returns who is present now, or no more."""
        if timer := self._missed.pop(origin, None):
            timer.cancel()
        them = set(emails)
        changed = them ^ self._elsewhere.get(origin, set())
        before = {email: self.is_present(email) for email in changed}
        self._elsewhere[origin] = them
        return {one: now for one in changed if (now := self.is_present(one)) != before[one]}

    def miss(self, origin: str, gone: Callable[[dict[str, bool]], object]) -> None:
        """Take those with that process for gone after the grace, unless it is heard again.

        `gone` is told who is not present any more then.
        """
        if origin in self._elsewhere and origin not in self._missed:
            loop = asyncio.get_running_loop()
            self._missed[origin] = loop.call_later(self._grace, self._lost, origin, gone)

    def close(self) -> None:
        """Forget those who are about to count as gone."""
        for timer in (*self._leaving.values(), *self._missed.values()):
            timer.cancel()
        self._leaving.clear()
        self._missed.clear()

    def _is_here(self, email: str) -> bool:
        return email in self._open or email in self._leaving

    def _left(self, email: str, gone: Callable[[], object]) -> None:
        del self._leaving[email]
        self._announce(email, present=False)
        if not self.is_present(email):
            gone()

    def _lost(self, origin: str, gone: Callable[[dict[str, bool]], object]) -> None:
        changed = self.are_elsewhere(origin, ())
        del self._elsewhere[origin]
        gone(changed)

    def _announce(self, email: str, present: bool) -> None:
        if self.announce:
            self.announce(email, present)
