"""The frames of the load client, against a server that has them from a library."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.server import ServerConnection, serve

from tests.cheap_sockets import Socket, connect

HOST = "127.0.0.1"
DOCTOR = ("doctor@example.com", "token")
SECONDS = 5.0


async def echo(connection: ServerConnection) -> None:
    """Send everything back, and a ping before."""
    async for text in connection:
        await (await connection.ping())
        await connection.send(text)


@asynccontextmanager
async def a_socket() -> AsyncGenerator[Socket]:
    """Give a socket of somebody on such a server."""
    async with serve(echo, HOST, 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        socket = await connect((HOST, port), DOCTOR)
        yield socket
        socket.close()


@pytest.mark.parametrize("length", [1, 125, 126, 60_000])
async def test_texts_of_every_length_go_and_come_whole_and_pings_are_answered(length: int) -> None:
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    texts = [b"a" * length, b"b" * length]
    async with a_socket() as socket, asyncio.timeout(SECONDS):
        socket.heard = heard.put_nowait
        for text in texts:
            socket.say(text)
        assert [await heard.get(), await heard.get()] == texts


async def test_a_server_that_refuses_is_told_of() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(refuse, HOST, 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ConnectionRefusedError, match="401"):
            await connect((HOST, port), DOCTOR)


async def test_the_code_of_a_close_is_known() -> None:
    async def leave(connection: ServerConnection) -> None:
        await connection.close(4401)

    async with serve(leave, HOST, 0) as server, asyncio.timeout(SECONDS):
        port = next(iter(server.sockets)).getsockname()[1]
        socket = await connect((HOST, port), DOCTOR)
        assert await socket.closed == 4401
