"""A real redis-server for tests, which can be stopped, killed and started again."""

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

SECONDS = 10.0


class RedisServer:
    """A redis-server of its own on a free port of loopback, which keeps nothing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address, with its password."""
        return f"redis://:a-password@127.0.0.1:{self._port}/0"

    @property
    def pid(self) -> int:
        """Its process, while it runs."""
        assert self._process
        return self._process.pid

    def start(self) -> None:
        """Start it; it answers when this returns. Blocks."""
        options = {
            "--port": self._port,
            "--bind": "127.0.0.1",
            "--requirepass": "a-password",
            "--dir": self._folder,
            "--save": "",
            "--appendonly": "no",
        }
        listed = [str(part) for option in options.items() for part in option]
        self._process = subprocess.Popen(
            ["redis-server", *listed], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + SECONDS
        while not self._answers():
            assert self._process.poll() is None, "redis-server ended at once"
            assert time.monotonic() < deadline, "redis-server does not answer"
            time.sleep(0.01)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    @contextmanager
    def frozen(self) -> Generator[None]:
        """Let it answer nobody for that long, with its connections open."""
        assert self._process
        os.kill(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._process.pid, signal.SIGCONT)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self._port), 1) as asking:
                asking.sendall(b"AUTH a-password\r\nPING\r\n")
                with asking.makefile("rb") as answers:
                    return [answers.readline(), answers.readline()] == [b"+OK\r\n", b"+PONG\r\n"]
        except OSError:
            return False


@contextmanager
def running() -> Generator[RedisServer]:
    """Give a redis-server that runs until the context is left."""
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:
        server = RedisServer(Path(folder))
        try:
            server.start()
            yield server
        finally:
            server.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
