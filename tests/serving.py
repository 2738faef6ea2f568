"""A real server for tests, and sockets that talk to it."""

import asyncio
import json
import mimetypes
import socket
from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin

from carechat import worker
from carechat.api import socket as door
from carechat.api.guard import Guard
from carechat.services.context import Context
from tests.factories import a_token

SECONDS = 5.0
"""How long a test waits for what must happen."""

POLL = 0.01

PAGE = "<!doctype html><title>CareChat</title><script>1</script><script src='/a.js'></script>"

Frame = dict[str, Any]


@dataclass(frozen=True)
class Server:
    """Where a server listens, and who is connected to it."""

    port: int
    connections: Collection[object] = ()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    async def left(self) -> None:
        """Wait until nobody is connected."""
        async with asyncio.timeout(SECONDS):
            while self.connections:  # noqa: ASYNC110 it is the server's, which tells nobody
                await asyncio.sleep(POLL)


@asynccontextmanager
async def serve(app: ASGIApp) -> AsyncGenerator[Server]:
    """Give a server for that app, as workers have it, on a port of its own and on this loop."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = worker.server(app)
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    await server.startup([listening])
    try:
        yield Server(int(listening.getsockname()[1]), server.server_state.connections)
    finally:
        await server.shutdown([listening])


def guarded(api: FastAPI, pages: Path, origin: str) -> Guard:
    """Return the API with pages at the root, as Reflex mounts them, behind the guard."""
    for name in ("", "dashboard", "login", "deep/folder"):
        (pages / name).mkdir(parents=True, exist_ok=True)
        (pages / name / "index.html").write_text(PAGE)
    mimetypes.init()  # reads a file of the system, else with the first file that is served
    (pages / "assets").mkdir(exist_ok=True)
    (pages / "assets" / "app.js").write_text("1")
    api.mount("", StaticFiles(directory=pages, html=True))
    return Guard(door.beside(api, api), [origin], pages)


class Socket:
    """A connected client: the frames that came, by kind, and those still to come."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self.frames: list[Frame] = []

    @property
    def process(self) -> int:
        """Which process has the other end, of those that say so first (`several.app`)."""
        return int(self.frames[0]["id"])

    async def send(self, **frame: object) -> None:
        """Send a frame."""
        await self._connection.send(json.dumps(frame))

    async def send_raw(self, frame: str | bytes) -> None:
        """Send something that need not be a frame."""
        await self._connection.send(frame)

    async def next(self) -> Frame:
        """Return the next frame."""
        async with asyncio.timeout(SECONDS):
            frame: Frame = json.loads(await self._connection.recv())
        self.frames.append(frame)
        return frame

    async def until(self, kind: str) -> Frame:
        """Return the next frame of that type, passing over others."""
        while (frame := await self.next())["type"] != kind:
            pass
        return frame

    async def collect(self) -> list[Frame]:
        """Return everything that came before the answer to a ping, which is asked for now."""
        before = len(self.frames)
        await self.send(type="ping")
        await self.until("pong")
        return self.frames[before:-1]

    async def closed(self, seconds: float = SECONDS) -> int:
        """Wait until the server closes the socket; returns the code, 1006 if there was none."""
        with suppress(ConnectionClosed):
            async with asyncio.timeout(seconds):
                while True:
                    self.frames.append(json.loads(await self._connection.recv()))
        return self._connection.close_code or 1006


@asynccontextmanager
async def a_socket(server: Server, ctx: Context) -> AsyncGenerator[Socket]:
    """Give a socket of that person, who proves by a token who they are."""
    url = f"{server.url.replace('http', 'ws')}/ws/{ctx.user.email}"
    headers = {"Authorization": f"Bearer {a_token(ctx)}"}
    async with connect(url, additional_headers=headers, compression=None) as connection:
        socket = Socket(connection)
        await socket.collect()
        yield socket


async def closed_at_once(server: Server, ctx: Context) -> int:
    """Open a socket of that person; returns the code with which the server closes it by itself."""
    url = f"{server.url.replace('http', 'ws')}/ws/{ctx.user.email}"
    headers = {"Authorization": f"Bearer {a_token(ctx)}"}
    async with connect(url, additional_headers=headers, compression=None) as connection:
        return await Socket(connection).closed()


@asynccontextmanager
async def a_deaf_socket(server: Server, ctx: Context) -> AsyncGenerator[ClientConnection]:
    """Give a socket of that person whose client sends and takes next to nothing."""
    url = f"{server.url.replace('http', 'ws')}/ws/{ctx.user.email}"
    headers = {"Authorization": f"Bearer {a_token(ctx)}"}
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    narrow.setblocking(False)
    await asyncio.get_running_loop().sock_connect(narrow, ("127.0.0.1", server.port))
    connection = await connect(
        url, sock=narrow, additional_headers=headers, compression=None, max_queue=1
    )
    try:
        yield connection
    finally:
        connection.transport.abort()


async def handshake(
    server: Server, path: str, headers: Sequence[tuple[str, str]] = (), origin: str | None = None
) -> tuple[int, Frame]:
    """Try to open a socket; returns the HTTP status and the problem, if it was refused."""
    url = f"{server.url.replace('http', 'ws')}{path}"
    from_page = Origin(origin) if origin else None
    try:
        async with connect(url, additional_headers=list(headers), origin=from_page):
            return 101, {}
    except InvalidStatus as error:
        return error.response.status_code, json.loads(error.response.body or b"{}")


@asynccontextmanager
async def a_client(server: Server, **headers: str) -> AsyncGenerator[httpx.AsyncClient]:
    """Give an HTTP client of that server."""
    async with httpx.AsyncClient(base_url=server.url, headers=headers) as client:
        yield client
