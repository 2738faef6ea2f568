"""Whether a server that runs still does its work: what it answers, what its workers say."""

import contextlib
import http.client
import os
import socket
import time

from carechat.services import watch
from carechat.settings import Settings

# How long an answer may take, how often the server is asked whether it still gives any, and how
# many in a row it may leave out: one that only has much to do keeps its worker.
ANSWER_WAIT = 5.0
ASK_EVERY = 5.0
MISSES = 3
# For how many seconds one of several workers may say nothing of itself.
SILENCE = 8
ANY = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


class Health:
    """What is known of a server that has answered before: whether it still does."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._misses = 0
        self._due = 0.0

    def is_lost(self) -> bool:
        """Ask it, if it is time to, and say whether it has left out too many answers by now."""
        if time.monotonic() < self._due:
            return False
        hangs = _hangs(self._settings)
        self._misses = self._misses + 1 if hangs else 0
        self._due = time.monotonic() + (0 if hangs else ASK_EVERY)
        if self._misses < MISSES:
            return False
        self._misses = 0
        return True


class Pulses:
    """What workers say of themselves each second: one whose event loop hangs says nothing."""

    def __init__(self) -> None:
        self._heard, self._said = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        for end in (self._heard, self._said):
            end.setblocking(False)
        self._silent_for: dict[int, int] = {}

    @property
    def descriptor(self) -> int:
        """What workers write their process id to."""
        return self._said.fileno()

    def lost(self) -> list[int]:
        """Return the workers that live and have said nothing for too many looks; look each second.

        Looks are counted, not time: whoever stops all processes for a while stops this one too.
        """
        self._silent_for = {pid: looks + 1 for pid, looks in self._silent_for.items()}
        with contextlib.suppress(BlockingIOError):
            while True:
                self._silent_for[int(self._heard.recv(32))] = 0
        silent = [pid for pid, looks in self._silent_for.items() if looks > SILENCE]
        for pid in silent:
            del self._silent_for[pid]
        return [pid for pid in silent if _lives(pid)]

    def close(self) -> None:
        """Hear nothing any more."""
        self._heard.close()
        self._said.close()


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def answers_well(settings: Settings, path: str) -> bool:
    """Whether it says there that all is well."""
    try:
        return _get(settings, path)[0] == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False


def is_ready(settings: Settings) -> bool:
    """Whether people can be served, be it more slowly because Redis is away."""
    try:
        status, body = _get(settings, "/readyz")
    except (OSError, http.client.HTTPException):
        return False
    return status == http.HTTPStatus.OK or watch.REDIS_AWAY.encode() in body


def _hangs(settings: Settings) -> bool:
    """Whether it takes questions and answers none; where a worker only starts, nobody takes any."""
    try:
        _get(settings, "/healthz")
    except TimeoutError:
        return True
    except (OSError, http.client.HTTPException):
        return False
    return False


def _get(settings: Settings, path: str) -> tuple[int, bytes]:
    host = ANY.get(settings.host, settings.host)
    connection = http.client.HTTPConnection(host, settings.port, timeout=ANSWER_WAIT)
    try:
        connection.request("GET", path, headers={"Host": f"localhost:{settings.port}"})
        answer = connection.getresponse()
        return answer.status, answer.read(4096)
    finally:
        connection.close()
