"""Whether a server that runs still does its work: what it answers, what its workers say."""

import contextlib
import http.client
import os
import socket

from carechat.services import watch
from carechat.settings import Settings

ANSWER_WAIT = 5.0
"""Seconds."""

LOADED = b" loaded"
"""What a worker says after its process id while it does not serve yet."""

LOADING = 90
SILENCE = 8
"""For how many seconds a worker may say nothing of itself: while it loads, and from then on."""

ANY = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


class Pulses:
    """What workers say of themselves each second: one whose event loop hangs says nothing."""

    def __init__(self) -> None:
        self._heard, self._said = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        for end in (self._heard, self._said):
            end.setblocking(False)
        self._loading: dict[int, int] = {}
        self._told: set[int] = set()
        self._loaded: set[int] = set()
        self._silent_for: dict[int, int] = {}

    @property
    def descriptor(self) -> int:
        """What workers write their process id to, with `LOADED` once they have loaded."""
        return self._said.fileno()

    def expect(self, pid: int) -> None:
        """That worker was told to serve, and will say so once it does."""
        self._told.discard(pid)
        self._loading[pid] = 0

    def has_told(self, pid: int) -> bool:
        """Whether that worker has said that it serves."""
        return pid in self._told

    def has_loaded(self, pid: int) -> bool:
        """Whether that worker has said that it has loaded."""
        return pid in self._loaded

    def lost(self) -> list[int]:
        """Return the workers that live and have said nothing for too many looks; look each second.

        Looks are counted, not time: whoever stops all processes for a while stops this one too.
        """
        for looks in (self._loading, self._silent_for):
            looks.update({pid: number + 1 for pid, number in looks.items()})
        with contextlib.suppress(BlockingIOError):
            while True:
                said = self._heard.recv(32)
                pid = int(said.removesuffix(LOADED))
                if said.endswith(LOADED):
                    self._loaded.add(pid)
                    continue
                self._loading.pop(pid, None)
                self._told.add(pid)
                self._silent_for[pid] = 0
        silent = _more_than(self._loading, LOADING) + _more_than(self._silent_for, SILENCE)
        return [pid for pid in silent if _lives(pid)]

    def close(self) -> None:
        """Hear nothing any more."""
        self._heard.close()
        self._said.close()


def _more_than(looks: dict[int, int], most: int) -> list[int]:
    """Take out those of which that many looks saw nothing."""
    silent = [pid for pid, number in looks.items() if number > most]
    for pid in silent:
        del looks[pid]
    return silent


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


def _get(settings: Settings, path: str) -> tuple[int, bytes]:
    host = ANY.get(settings.host, settings.host)
    connection = http.client.HTTPConnection(host, settings.port, timeout=ANSWER_WAIT)
    try:
        connection.request("GET", path, headers={"Host": f"localhost:{settings.port}"})
        answer = connection.getresponse()
        return answer.status, answer.read(4096)
    finally:
        connection.close()
