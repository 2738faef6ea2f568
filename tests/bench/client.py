"""The load client, a process of its own: `python -m tests.bench.client HOST PORT`.

It takes one job on each line of its input and answers with a line: `connect` opens the sockets of
pairs of people, `hold` further ones that only listen until `let go`, `fast` and `planned` let the
pairs talk.
"""

import asyncio
import gc
import sys
from collections.abc import Awaitable
from dataclasses import asdict
from typing import Any

import orjson
import uvloop

from tests.bench.talk import Pair, Run
from tests.cheap_sockets import Person, Socket, connect

AT_ONCE = 20
"""Sockets that are opened at the same time."""

SECONDS = 20.0
"""How long the opening of one may take."""

PING = b'{"type":"ping"}'

Job = dict[str, Any]


class Client:
    """The sockets on one server."""

    def __init__(self, host: str, port: int) -> None:
        self._place = host, port
        self._pairs: list[Pair] = []
        self._held: list[Socket] = []
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def obey(self, job: Job) -> Job:
        """Do one job and return what came of it."""
        match job:
            case {"job": "connect", "pairs": pairs}:
                self._pairs += await asyncio.gather(*(self._pair(*pair) for pair in pairs))
            case {"job": "hold", "people": people, "like_a_browser": like_a_browser}:
                opening = (self._open(one, like_a_browser=like_a_browser) for one in people)
                self._held += await asyncio.gather(*opening)
            case {"job": "let go"}:
                await self._let_go()
            case {"job": "fast", "seconds": seconds}:
                return asdict(await Run(self._pairs).fast(seconds))
            case {"job": "planned", "rate": rate, "seconds": seconds, "seed": seed}:
                return asdict(await Run(self._pairs).planned(rate, seconds, seed))
            case _:
                raise ValueError(job)
        return {"pairs": len(self._pairs), "held": len(self._held)}

    async def _pair(self, writer: Person, reader: Person) -> Pair:
        return Pair(await self._open(writer), await self._open(reader), reader[0])

    async def _let_go(self) -> None:
        for socket in self._held:
            socket.closed.remove_done_callback(_cut)
            socket.close()
        await asyncio.gather(*(socket.closed for socket in self._held))
        self._held.clear()

    async def _open(self, person: Person, *, like_a_browser: bool = False) -> Socket:
        async with self._turn, asyncio.timeout(SECONDS):
            socket = await connect(self._place, person, like_a_browser=like_a_browser)
            await _listens(socket)
        socket.closed.add_done_callback(_cut)
        return socket


async def _listens(socket: Socket) -> None:
    """Return once the server says anything to a ping, so that it has noted who listens."""
    answered = asyncio.Event()
    socket.heard = lambda _: answered.set()
    socket.say(PING)
    await answered.wait()


def _cut(_: Awaitable[int]) -> None:
    sys.stderr.write("The server cut a socket.\n")


async def _obey_all(host: str, port: int) -> None:
    client = Client(host, port)
    while line := await asyncio.to_thread(sys.stdin.readline):
        sys.stdout.buffer.write(orjson.dumps(await client.obey(orjson.loads(line))) + b"\n")
        sys.stdout.buffer.flush()


def main() -> None:
    """Obey until the input ends."""
    gc.disable()  # there are no cycles here worth a pause
    uvloop.run(_obey_all(sys.argv[1], int(sys.argv[2])))


if __name__ == "__main__":
    main()
