"""Metrics: what this process counts and measures; labels are words from here, never a stranger's.

What lies on a message's way costs about a microsecond, so all series are made beforehand.
"""

import functools
import time
from collections.abc import Awaitable, Callable, Coroutine, Generator, Sized
from contextlib import contextmanager
from typing import Any, Literal, ParamSpec, Protocol, TypeVar, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from carechat.domain import errors

Outcome = Literal[
    "stored",
    "repeated",
    "conflict",
    "forbidden",
    "invalid",
    "not_found",
    "rate_limited",
    "unauthenticated",
    "unavailable",
    "failed",
]
"""What a try to send came to: stored, stored before, or the code of the refusal."""

Door = Literal["ws", "page"]
Answer = Literal["right", "wrong", "limited"]
Service = Literal["mongodb", "changes", "redis"]
Resync = Literal["sync", "missed", "reload"]
"""A client asked for what it lacks; a listener lacked a number; a page read all of it anew."""

Failure = Literal[
    "AutoReconnect",
    "BulkWriteError",
    "ExecutionTimeout",
    "NetworkTimeout",
    "NotPrimaryError",
    "OperationFailure",
    "ServerSelectionTimeoutError",
    "WTimeoutError",
    "WaitQueueTimeoutError",
    "WriteConcernError",
    "WriteError",
    "other",
]
"""What the driver calls a failure of MongoDB, as far as it is usual."""

Unheard = Literal["dropped", "garbled"]
"""What others were not told of here, and what of theirs was not understood."""

Limit = Literal[
    "send_rate",
    "page_events",
    "page_updates",
    "sign_in_tries",
    "sign_ins_at_once",
    "sockets_of_user",
    "sockets_of_address",
    "body_bytes",
    "body_seconds",
    "frame_bytes",
    "bad_frames",
    "slow_socket",
    "listener_events",
    "waiting_messages",
]
"""The limits of docs/operations.md."""

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
SIZES = (1, 2, 5, 10, 20, 50, 100, 200)

P = ParamSpec("P")

registry = CollectorRegistry()


class _Sent(Protocol):
    @property
    def created(self) -> bool: ...


S = TypeVar("S", bound=_Sent)


def _counters(name: str, says: str, label: str, words: object) -> dict[str, Counter]:
    counter = Counter(f"carechat_{name}", says, [label], registry=registry)
    return {word: counter.labels(word) for word in get_args(words)}


_sends = _counters("sends", "Tries to send a message.", "outcome", Outcome)
_sign_ins = _counters("sign_ins", "Passwords given to sign in.", "answer", Answer)
_limits = _counters("limits", "How often a limit was met.", "limit", Limit)
_resyncs = _counters("resyncs", "Readings of what was missed.", "reason", Resync)
_database_failures = _counters(
    "database_failures", "Calls to MongoDB that failed.", "kind", Failure
)
_relay = _counters("relay", "What processes did not hear of each other.", "what", Unheard)
_failures = Counter("carechat_failures", "Errors that nobody has thought of.", registry=registry)

_ack = Histogram(
    "carechat_ack_seconds",
    "From a message's arrival until it is stored and told.",
    buckets=SECONDS,
    registry=registry,
)
_batch = Histogram(
    "carechat_batch_messages",
    "Messages stored together.",
    buckets=SIZES,
    registry=registry,
)
_append = Histogram(
    "carechat_append_seconds",
    "How long MongoDB takes to store a batch.",
    buckets=SECONDS,
    registry=registry,
)
_delivery = Histogram(
    "carechat_delivery_seconds",
    "From a message's time until it is handed to a socket or page.",
    ["door"],
    buckets=SECONDS,
    registry=registry,
)
_deliveries = {door: _delivery.labels(door) for door in get_args(Door)}

_waiting = Gauge("carechat_waiting_messages", "Messages that wait to be stored.", registry=registry)
_sockets = Gauge("carechat_sockets", "Open sockets.", ["door"], registry=registry)
_open = {door: _sockets.labels(door) for door in get_args(Door)}
_sessions = Gauge("carechat_sessions", "Sessions with a page or socket open.", registry=registry)
_up = Gauge("carechat_up", "Whether what it needs answers.", ["service"], registry=registry)


def sent(outcome: str, seconds: float = 0.0) -> None:
    """Count a try to send with its `Outcome`; of one that is stored also how long that took."""
    _sends[outcome].inc()
    if outcome == "stored":
        _ack.observe(seconds)


def sending(send: Callable[P, Awaitable[S]]) -> Callable[P, Coroutine[Any, Any, S]]:
    """Count what the coroutine, which sends a message, comes to."""

    @functools.wraps(send)
    async def counted(*args: P.args, **kwargs: P.kwargs) -> S:
        began = time.perf_counter()
        try:
            done = await send(*args, **kwargs)
        except errors.CareChatError as error:
            sent(error.code)
            raise
        except Exception:
            sent("failed")
            raise
        sent("stored" if done.created else "repeated", time.perf_counter() - began)
        return done

    return counted


@contextmanager
def writing(messages: int) -> Generator[None]:
    """Note how many messages are written together, and how long that takes, also if it fails."""
    _batch.observe(messages)
    with _append.time():
        yield


def waiting(messages: Sized) -> None:
    """Tell from now on, whenever the metrics are read, how many messages wait to be stored."""
    _waiting.set_function(lambda: len(messages))


def delivered(door: Door, seconds: float) -> None:
    """Note that a new message was handed over, so long after its time."""
    _deliveries[door].observe(max(seconds, 0.0))


@contextmanager
def socket(door: Door) -> Generator[None]:
    """Count a socket as open until the context is left."""
    _open[door].inc()
    try:
        yield
    finally:
        _open[door].dec()


def sessions(number: int) -> None:
    """Note how many sessions have a page or socket open."""
    _sessions.set(number)


def resynced(reason: Resync) -> None:
    """Count that something was missed and is read."""
    _resyncs[reason].inc()


def signed_in(answer: Answer) -> None:
    """Count a password that was given, and what was answered."""
    _sign_ins[answer].inc()


def reachable(service: Service, answers: bool) -> None:
    """Note whether it answers; one that was never spoken of is in no series."""
    _up.labels(service).set(answers)


def database_failed(kind: str) -> None:
    """Count a call to MongoDB that failed, by what the driver calls that."""
    _database_failures.get(kind, _database_failures["other"]).inc()


def limited(limit: Limit) -> None:
    """Count that somebody met a limit."""
    _limits[limit].inc()


def unheard(what: Unheard, number: int = 1) -> None:
    """Count what one process did not hear of another: things dropped, or garbled batches."""
    _relay[what].inc(number)


def failed() -> None:
    """Count an error that nobody has thought of."""
    _failures.inc()
