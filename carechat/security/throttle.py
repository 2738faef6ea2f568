"""Throttles: how often something may be tried and how much held at once, counted in memory."""

import math
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from carechat import metrics
from carechat.domain import errors

WINDOW_SECONDS = 15 * 60
MAX_FAILURES_FROM_ONE_NETWORK = 10
MAX_FAILURES_FROM_EVERYWHERE = 100
MAX_AT_ONCE_FROM_ONE_NETWORK = 16
MAX_AT_ONCE = 48
"""Passwords that are being compared or hashed: each waits for all before it."""

MAX_KEYS = 50_000
"""Keys remembered at most; the ones not seen for longest are forgotten first."""


class LoginThrottle:
    """Counts failed sign-ins for an address, known or not, so that guessing takes for ever."""

    def __init__(self) -> None:
        self._failures: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()
        self._under_way: Counter[str] = Counter()
        self.announce: Callable[[str, str, bool], object] | None = None
        """Told of every try of this process, and again if it was right after all."""

    @contextmanager
    def turn(self, network: str) -> Generator[None]:
        """Have a password compared or hashed; raises `RateLimitedError` while too many others are.

        So those who try many addresses, known or not, keep nobody in another network from signing
        in.
        """
        busy = self._under_way
        if busy[network] >= MAX_AT_ONCE_FROM_ONE_NETWORK or busy.total() >= MAX_AT_ONCE:
            metrics.limited("sign_ins_at_once")
            raise errors.RateLimitedError("Many sign in right now. Please try again soon.", 2)
        busy[network] += 1
        try:
            yield
        finally:
            busy[network] -= 1
            if not busy[network]:
                del busy[network]

    def attempt(self, email: str, network: str, now: float) -> None:
        """Count one try, failed until `succeeded` says otherwise, so that tries at once count.

        Raises `RateLimitedError`, and counts nothing, while there were too many; `now` is in
        seconds.
        """
        here, everywhere = (email, network), (email, "")
        wait = max(
            self._wait(here, MAX_FAILURES_FROM_ONE_NETWORK, now),
            self._wait(everywhere, MAX_FAILURES_FROM_EVERYWHERE, now),
        )
        if wait:
            metrics.limited("sign_in_tries")
            raise errors.RateLimitedError(
                "Too many tries. Please wait a while before the next one.", math.ceil(wait)
            )
        self.note(email, network, now)
        if self.announce:
            self.announce(email, network, False)

    def succeeded(self, email: str, network: str) -> None:
        """Forget the failures from the network of somebody who knew the password after all."""
        self.forgive(email, network)
        if self.announce:
            self.announce(email, network, True)

    def note(self, email: str, network: str, now: float) -> None:
        """Count one try that another process let happen."""
        for key in ((email, network), (email, "")):
            self._failures.setdefault(key, deque()).append(now)
            self._failures.move_to_end(key)
        while len(self._failures) > MAX_KEYS:
            self._failures.popitem(last=False)

    def forgive(self, email: str, network: str) -> None:
        """Forget failures as another process did."""
        forgiven = self._failures.pop((email, network), deque())
        everywhere = self._failures.get((email, ""), deque())
        for time in forgiven:
            if time in everywhere:
                everywhere.remove(time)

    def _wait(self, key: tuple[str, str], allowed: int, now: float) -> float:
        times = self._failures.get(key, deque())
        while times and times[0] <= now - WINDOW_SECONDS:
            times.popleft()
        return times[-allowed] + WINDOW_SECONDS - now if len(times) >= allowed else 0


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: float


@dataclass
class SendThrottle:
    """A token bucket for each sender: `rate` messages or events a second, `burst` at once."""

    rate: float
    burst: float
    limit: metrics.Limit = "send_rate"
    _buckets: OrderedDict[str, _Bucket] = field(default_factory=OrderedDict[str, _Bucket])

    def take(self, sender_id: str, now: float) -> None:
        """Count one; raises `RateLimitedError` if too soon. `now` is in seconds."""
        bucket = self._buckets.setdefault(sender_id, _Bucket(self.burst, now))
        self._buckets.move_to_end(sender_id)
        if len(self._buckets) > MAX_KEYS:
            self._buckets.popitem(last=False)
        bucket.tokens = min(self.burst, bucket.tokens + (now - bucket.filled_at) * self.rate)
        bucket.filled_at = now
        if bucket.tokens < 1:
            metrics.limited(self.limit)
            wait = math.ceil((1 - bucket.tokens) / self.rate)
            raise errors.RateLimitedError("That was a lot at once. Please wait a moment.", wait)
        bucket.tokens -= 1


class Seats:
    """Counts what each holder has open in this process: at most so many at once."""

    def __init__(self, most: int, limit: metrics.Limit) -> None:
        self._most = most
        self._limit: metrics.Limit = limit
        self._taken: Counter[str] = Counter()

    @contextmanager
    def seat(self, holder: str) -> Generator[bool]:
        """Give True and count one more until the context is left, or False if there are too many.

        Whoever has the others keeps them: the newest is the one that is refused.
        """
        if self._taken[holder] >= self._most:
            metrics.limited(self._limit)
            yield False
            return
        self._taken[holder] += 1
        try:
            yield True
        finally:
            self._taken[holder] -= 1
            if not self._taken[holder]:
                del self._taken[holder]
