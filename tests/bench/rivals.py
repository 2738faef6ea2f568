"""CareChat and the reference, each with the load client that talks to it."""

import contextlib
import itertools
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import httpx
import jwt

from tests.bench import load, machine, product, reference
from tests.bench.figures import Line, against
from tests.bench.outcome import Outcome
from tests.bench.product import PROJECT, Pairs, Product, Token

PORT = product.PORT + 1
START_SECONDS = 30.0
POLL = 0.05
TOKEN_SECONDS = 24 * 60 * 60


@dataclass(frozen=True)
class Turn:
    """What came of one run, with the processor time (µs) that a message took."""

    outcome: Outcome
    server: float
    mongod: float


@dataclass(frozen=True)
class Rival:
    """A server, and the client with the sockets of those who talk there."""

    name: str
    processes: Callable[[], list[int]]
    mongods: Callable[[], list[int]]
    client: load.Client
    people: Sequence[Token]

    def turn(self, **job: object) -> Turn:
        """Let the pairs talk; fails unless every message is acknowledged and arrives once."""
        before = machine.busy(self.processes()), machine.busy(self.mongods())
        outcome = Outcome(**self.client.obey(**job))
        assert outcome.is_whole(), f"{self.name}: {outcome}"
        server = machine.busy(self.processes()) - before[0]
        mongod = machine.busy(self.mongods()) - before[1]
        return Turn(outcome, 1e6 * server / outcome.sent, 1e6 * mongod / outcome.sent)

    def hold(self, count: int, *, like_a_browser: bool) -> None:
        """Let so many more sockets be open that only listen, of all people in turn."""
        people = list(itertools.islice(itertools.cycle(self.people), count))
        self.client.obey(job="hold", people=people, like_a_browser=like_a_browser)

    def memory(self) -> int:
        """Return the bytes that the server has resident."""
        return machine.memory(self.processes())


@dataclass(frozen=True)
class Rounds:
    """The turns of two rivals, round by round."""

    ours: Sequence[Turn]
    theirs: Sequence[Turn]

    def compared(self, figure: Callable[[Turn], float], unit: str) -> str:
        """Return that figure of both and their ratio."""
        ours, theirs = ([figure(turn) for turn in turns] for turns in (self.ours, self.theirs))
        return against(ours, theirs, unit)

    def costs(self) -> list[Line]:
        """Return the processor time that a message took of each server, MongoDB and the client."""
        server = self.compared(lambda turn: turn.server, "µs")
        mongod = self.compared(lambda turn: turn.mongod, "µs")
        client = self.compared(lambda turn: turn.outcome.client, "µs")
        return [
            Line("… processor time of the server for a message", server),
            Line("… that of MongoDB, that of the load client", f"{mongod}; {client}"),
        ]


@dataclass(frozen=True)
class Rivals:
    """CareChat and the reference."""

    ours: Rival
    theirs: Rival

    def __iter__(self) -> Iterator[Rival]:
        return iter((self.ours, self.theirs))

    def rounds(self, count: int, **job: object) -> Rounds:
        """Let both do the same in turn, the other one first in every second round."""
        turns: dict[str, list[Turn]] = {rival.name: [] for rival in self}
        for number in range(count):
            for rival in sorted(self, key=lambda rival: rival.name, reverse=bool(number % 2)):
                turns[rival.name].append(rival.turn(**job))
        return Rounds(turns[self.ours.name], turns[self.theirs.name])


@contextlib.contextmanager
def facing(served: Product, mongodb: str, pairs: int) -> Iterator[Rivals]:
    """Give the product, and the reference on that MongoDB, so many pairs' sockets on each."""
    secret = secrets.token_hex(32)

    def own() -> list[int]:
        return served.processes(mongod=True) or machine.mongods()

    def other() -> list[int]:
        return list({*machine.mongods()} - {*served.processes(mongod=True)})

    with (
        _reference(mongodb, secret) as pid,
        load.client(product.PORT) as ours,
        load.client(PORT) as theirs,
    ):
        people = product.talkers(pairs)
        strangers = _tokens(people, secret)
        yield Rivals(
            Rival("CareChat", served.processes, own, ours, connected(ours, people)),
            Rival("the reference", lambda: [pid], other, theirs, connected(theirs, strangers)),
        )


def connected(client: load.Client, pairs: Pairs) -> list[Token]:
    """Open the sockets of the pairs, and return everybody in them."""
    client.obey(job="connect", pairs=pairs)
    return [person for pair in pairs for person in pair]


@contextlib.contextmanager
def _reference(mongodb: str, secret: str) -> Iterator[int]:
    environment = os.environ | {reference.MONGODB: mongodb, reference.SECRET: secret}
    command = [sys.executable, "-m", "tests.bench.reference", str(PORT)]
    process = subprocess.Popen(command, cwd=PROJECT, env=environment)
    with load.ended(process):
        deadline = time.monotonic() + START_SECONDS
        while not _answers(process.pid):
            assert process.poll() is None, f"the reference ended; is port {PORT} free?"
            assert time.monotonic() < deadline, "the reference does not answer"
            time.sleep(POLL)
        yield process.pid


def _answers(pid: int) -> bool:
    """Whether that process answers there, and not somebody else's reference."""
    try:
        return httpx.get(f"http://{load.HOST}:{PORT}/healthz").json() == {"pid": pid}
    except (httpx.TransportError, ValueError):
        return False


def _tokens(pairs: Pairs, secret: str) -> Pairs:
    """The same people's tokens for the reference."""

    def token(email: str) -> Token:
        claims = {"sub": email, "exp": int(time.time()) + TOKEN_SECONDS}
        return email, jwt.encode(claims, secret, algorithm=reference.ALGORITHM)

    return [(token(writer), token(reader)) for (writer, _), (reader, _) in pairs]
