"""CareChat and the reference, each with the load client that talks to it, on one MongoDB."""

import contextlib
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
import jwt
import orjson

from carechat.storage import embedded
from tests.bench import machine, product, reference
from tests.bench.figures import Line, against
from tests.bench.outcome import Outcome
from tests.bench.plan import Plan
from tests.bench.product import PROJECT, Product, Token

HOST = "127.0.0.1"
PORT = product.PORT + 1
START_SECONDS = 30.0
STOP_SECONDS = 10.0
POLL = 0.05

Pairs = list[tuple[Token, Token]]


@dataclass(frozen=True)
class Turn:
    """What came of one run, with the processor time (µs) that a message took."""

    outcome: Outcome
    server: float
    mongod: float


@dataclass(frozen=True)
class Client:
    """The load client's process."""

    process: subprocess.Popen[bytes]

    def obey(self, **job: object) -> dict[str, Any]:
        """Have it do one job, and return what it answers."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(orjson.dumps(job) + b"\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, f"the load client ended while it should {job['job']}"
        return orjson.loads(answer)


@dataclass(frozen=True)
class Rival:
    """A server, and the client with the sockets of those who talk there."""

    name: str
    pids: Callable[[], list[int]]
    mongod: Callable[[], list[int]]
    client: Client

    def turn(self, **job: object) -> Turn:
        """Let the pairs talk; fails unless every message is acknowledged and arrives once."""
        server, mongod = machine.busy(self.pids()), machine.busy(self.mongod())
        outcome = Outcome(**self.client.obey(**job))
        assert outcome.is_whole(), f"{self.name}: {outcome}"
        server, mongod = machine.busy(self.pids()) - server, machine.busy(self.mongod()) - mongod
        return Turn(outcome, 1e6 * server / outcome.sent, 1e6 * mongod / outcome.sent)


@dataclass(frozen=True)
class Rounds:
    """The turns of both rivals, round by round."""

    ours: Sequence[Turn]
    theirs: Sequence[Turn]

    def compared(self, figure: Callable[[Turn], float], unit: str) -> str:
        """Return that figure of both and their ratio."""
        ours, theirs = ([figure(turn) for turn in turns] for turns in (self.ours, self.theirs))
        return against(ours, theirs, unit)

    def costs(self) -> list[Line]:
        """Return what a message cost each server, MongoDB and the load client."""
        return [
            Line("… processor time of the server for a message", self.compared(_server, "µs")),
            Line("… that of MongoDB", self.compared(_mongod, "µs")),
            Line("… that of the load client", self.compared(_client, "µs")),
        ]


def _server(turn: Turn) -> float:
    return turn.server


def _mongod(turn: Turn) -> float:
    return turn.mongod


def _client(turn: Turn) -> float:
    return turn.outcome.client


@dataclass(frozen=True)
class Rivals:
    """CareChat and the reference."""

    ours: Rival
    theirs: Rival

    def rounds(self, count: int, **job: object) -> Rounds:
        """Let both do the same in turn, the other one first in every second round."""
        turns: dict[Rival, list[Turn]] = {self.ours: [], self.theirs: []}
        for number in range(count):
            for rival in (self.ours, self.theirs)[:: -1 if number % 2 else 1]:
                turns[rival].append(rival.turn(**job))
        return Rounds(turns[self.ours], turns[self.theirs])


@contextlib.contextmanager
def facing(served: Product, plan: Plan) -> Iterator[Rivals]:
    """Give the product and the reference, with the sockets of the plan's talkers open on each."""
    with contextlib.ExitStack() as started:
        mongodb = started.enter_context(embedded.attach(served.folder / "data"))
        secret = secrets.token_hex(32)
        pid = started.enter_context(_reference(mongodb.uri, secret))
        ours = started.enter_context(client(product.PORT))
        theirs = started.enter_context(client(PORT))
        tokens = product.talkers(plan.talkers)
        ours.obey(job="connect", pairs=tokens)
        theirs.obey(job="connect", pairs=_tokens(tokens, secret))
        mongod = partial(served.processes, mongod=True)
        yield Rivals(
            Rival("CareChat", served.processes, mongod, ours),
            Rival("the reference", lambda: [pid], mongod, theirs),
        )


@contextlib.contextmanager
def client(port: int) -> Iterator[Client]:
    """Give a load client for the server on that port."""
    command = [sys.executable, "-m", "tests.bench.client", HOST, str(port)]
    with _ended(
        subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    ) as process:
        yield Client(process)


@contextlib.contextmanager
def _reference(uri: str, secret: str) -> Iterator[int]:
    environment = os.environ | {reference.MONGODB: uri, reference.SECRET: secret}
    command = [sys.executable, "-m", "tests.bench.reference", str(PORT)]
    with _ended(subprocess.Popen(command, cwd=PROJECT, env=environment)) as process:
        _until_it_answers(process)
        yield process.pid


@contextlib.contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    with process:
        try:
            yield process
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)


def _until_it_answers(process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, "the reference did not start"
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"http://{HOST}:{PORT}/healthz").is_success:
                return
        time.sleep(POLL)
    raise TimeoutError("the reference does not answer")


def _tokens(pairs: Pairs, secret: str) -> Pairs:
    """The same people's tokens for the reference."""

    def token(email: str) -> Token:
        claims = {"sub": email, "exp": int(time.time()) + 24 * 60 * 60}
        return email, jwt.encode(claims, secret, algorithm=reference.ALGORITHM)

    return [(token(writer[0]), token(reader[0])) for writer, reader in pairs]
