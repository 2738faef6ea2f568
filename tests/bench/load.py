"""The load client's process, as those who measure see it."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from tests.bench.product import PROJECT

HOST = "127.0.0.1"
STOP_SECONDS = 10.0


@dataclass(frozen=True)
class Client:
    """The sockets on one server, held by a process of their own."""

    process: subprocess.Popen[bytes]

    def obey(self, **job: object) -> dict[str, Any]:
        """Have it do one job, see `tests.bench.client`, and return what it answers."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(orjson.dumps(job) + b"\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, f"the load client ended while it should {job['job']}"
        return orjson.loads(answer)


@contextlib.contextmanager
def client(port: int) -> Iterator[Client]:
    """Give a client of the server on that port."""
    command = [sys.executable, "-m", "tests.bench.client", HOST, str(port)]
    process = subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with ended(process):
        yield Client(process)


@contextlib.contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """End the process when this is left."""
    with process:
        try:
            yield
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)
