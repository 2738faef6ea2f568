"""What a worker's server adds to uvicorn: no connection is held by who says or takes nothing."""

import asyncio
import time
from collections.abc import Collection
from contextlib import suppress

import pytest
from starlette.types import Receive, Scope, Send
from websockets.asyncio.client import connect

from carechat import liveness, worker
from carechat.api import socket
from tests import serving

BLOCK = "x" * 100_000
BLOCKS = 100


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer requests after a moment, and sockets by what they said."""
    if scope["type"] == "http":
        await asyncio.sleep(0.5)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})
    elif scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while "text" in (said := await receive()):
            await send({"type": "websocket.send", "text": said["text"]})


async def pour(scope: Scope, receive: Receive, send: Send) -> None:
    """Send more than a client takes, for a moment, and be over."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        with suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                for _ in range(BLOCKS):
                    await send({"type": "websocket.send", "text": BLOCK})


async def _said(server: serving.Server, request: bytes) -> bytes:
    """What the server says to that until it closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(request)
    try:
        async with asyncio.timeout(serving.SECONDS):
            return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


async def _until_none(connections: Collection[object]) -> None:
    deadline = time.monotonic() + serving.SECONDS
    while connections:
        assert time.monotonic() < deadline, "somebody is still connected"
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nHost: "])
async def test_a_head_that_does_not_come_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr(worker, "HEAD_SECONDS", 0.5)
    async with serving.serve(answer) as server:
        assert await _said(server, begun) == b""


async def test_nor_is_that_of_a_second_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "HEAD_SECONDS", 1)
    async with serving.serve(answer) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b" 204 " in await reader.readuntil(b"\r\n\r\n")
        writer.write(b"GET / HTTP/1.1\r\n")
        with suppress(ConnectionResetError):
            async with asyncio.timeout(serving.SECONDS):
                assert await reader.read() == b""
        writer.close()


async def test_an_answer_may_take_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "HEAD_SECONDS", 0.5)
    async with serving.serve(answer) as server, serving.a_client(server) as client:
        assert (await client.get("/")).status_code == 204


async def test_a_socket_may_say_nothing_for_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "HEAD_SECONDS", 0.5)
    async with (
        serving.serve(answer) as server,
        connect(f"ws://127.0.0.1:{server.port}/", compression=None) as client,
    ):
        await asyncio.sleep(1)
        await client.send("still here")
        assert await client.recv() == "still here"


def test_the_door_for_sockets_asks_for_what_a_worker_offers() -> None:
    assert socket.WRITE == worker.WRITE


def test_who_watches_the_workers_knows_their_words() -> None:
    assert liveness.LOADED == worker.LOADED


async def test_a_head_has_an_end() -> None:
    async with serving.serve(answer) as server:
        endless = b"GET / HTTP/1.1\r\nX: " + worker.HEAD_BYTES * b"x"
        assert (await _said(server, endless)).startswith(b"HTTP/1.1 400 ")


async def test_who_takes_nothing_does_not_keep_a_socket_that_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker, "CLOSE_SECONDS", 0.1)
    async with serving.serve(pour) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1024)
        writer.write(
            b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        await reader.readuntil(b"\r\n\r\n")
        assert server.connections
        await _until_none(server.connections)
        writer.close()
