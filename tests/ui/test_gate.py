"""What comes in at the pages' socket: only what pages send, and not more than people can cause."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from carechat.bootstrap import PAGE_EVENTS_AT_ONCE
from carechat.services.context import MAX_SOCKETS, Backend, Context
from carechat.ui.gate import Gate
from carechat.ui.session import SessionMiddleware
from tests import serving
from tests.factories import a_caller, a_doctor, a_token
from tests.scraping import Rise
from tests.serving import Server

COOKIE = "carechat_session"
EVENT = '42/_event,["event",{}]'


async def echo(_scope: Any, receive: Any, send: Any) -> None:
    """Send back what comes in, until the socket is over."""
    await receive()
    await send({"type": "websocket.accept"})
    while (frame := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": frame["text"]})
    await send({"type": "websocket.close", "code": frame["code"]})


@pytest.fixture
async def server(backend: Backend) -> AsyncGenerator[Server]:
    """Give a server of sockets behind the gate; all who have not signed in are in one place."""
    sessions = SessionMiddleware(COOKIE)
    sessions.backend = backend
    async with serving.serve(Gate(echo, sessions, lambda _: "192.0.2.1")) as server:
        yield server


@asynccontextmanager
async def a_page(server: Server, ctx: Context | None = None) -> AsyncGenerator[ClientConnection]:
    """Give the socket of a page of that person, or of somebody who has not signed in."""
    headers = {"Cookie": f"theme=dark; {COOKIE}={a_token(ctx)}"} if ctx else {}
    url = f"{server.url.replace('http', 'ws')}/_event/"
    async with connect(url, additional_headers=headers, proxy=None) as socket:
        yield socket


async def passes(socket: ClientConnection, frame: str | bytes) -> bool:
    """Whether that frame comes in; else the socket is over."""
    try:
        await socket.send(frame)
        return await socket.recv() == frame
    except ConnectionClosed:
        return False


@pytest.mark.parametrize(
    "frame", ["3", "1", "40/_event,", '40/_event,{"a":1}', "41/_event,", EVENT]
)
async def test_what_pages_send_comes_in(server: Server, frame: str) -> None:
    async with a_page(server) as socket:
        assert await passes(socket, frame)


@pytest.mark.parametrize(
    "frame",
    [
        '459999999999-/_event,["event",{"_placeholder":true,"num":0}]',
        "461-/_event,[]",
        "4\N{ARABIC-INDIC DIGIT FIVE}1-/_event,[]",
        "43/_event,[]",
        "bAAAA",
        b"\0" * 10,
        b"45",
        "5",
        "2probe",
        "33",
        "",
    ],
)
async def test_anything_else_ends_the_socket(server: Server, frame: str | bytes) -> None:
    """Above all the announcement of attachments, which would be collected without an end."""
    bad = Rise("carechat_limits_total", limit="bad_frames")
    async with a_page(server) as socket:
        assert not await passes(socket, frame)
        assert socket.close_code == 1008
    assert bad() == 1


@pytest.mark.parametrize("frame", [EVENT, '42/_event,["ping"]', "40/_event,", "41/_event,"])
async def test_whatever_somebody_sends_too_often_ends_the_socket(
    server: Server, frame: str
) -> None:
    met = Rise("carechat_limits_total", limit="page_events")
    async with a_page(server) as socket:
        for _ in range(PAGE_EVENTS_AT_ONCE):
            assert await passes(socket, frame)
        assert not await passes(socket, frame)
    assert met() == 1


async def test_who_comes_back_begins_where_they_were(server: Server, backend: Backend) -> None:
    """By whatever session, and whoever has not signed in by where they are."""
    doctor, other = await a_doctor(backend), await a_doctor(backend)
    for who, same in ((doctor, await a_caller(backend, doctor.user)), (None, None)):
        async with a_page(server, who) as socket:
            while await passes(socket, EVENT):
                pass
        async with a_page(server, same) as socket:
            assert not await passes(socket, EVENT)
    async with a_page(server, other) as socket:
        assert await passes(socket, EVENT)


async def test_answers_to_the_server_are_counted_for_themselves(server: Server) -> None:
    """A page with which nobody does anything gives one every two seconds."""
    async with a_page(server) as socket:
        for _ in range(PAGE_EVENTS_AT_ONCE):
            assert await passes(socket, "3")
        assert await passes(socket, EVENT)
        assert not await passes(socket, "3")


async def test_the_twenty_first_page_of_a_person_gets_no_socket(
    server: Server, backend: Backend
) -> None:
    doctor, other = await a_doctor(backend), await a_doctor(backend)
    async with AsyncExitStack() as pages:
        for _ in range(MAX_SOCKETS):
            await pages.enter_async_context(a_page(server, doctor))
        with pytest.raises(InvalidStatus):
            await pages.enter_async_context(a_page(server, doctor))
        for who in (other, None):
            async with a_page(server, who) as socket:
                assert await passes(socket, EVENT)
