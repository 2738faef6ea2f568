"""What goes over the page's socket: listened to in a browser, or spoken without one."""

import json
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import httpx
from playwright.sync_api import Page, WebSocket
from reflex.constants import Reflex
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from tests.e2e.clinic import URL, Person
from tests.people import PASSWORD

NAMESPACE = "/_event"
OPEN, PING, PONG = "0", "2", "3"
ROOT = "reflex___state____state"
SECONDS = 5.0
"""How long a test waits for what must come."""

CUT_OFF_SECONDS = 30.0
"""How long a server that has much to do may take to cut somebody off."""

QUIET_SECONDS = 0.5
"""How long nothing may come until nothing more is expected."""


class Wire:
    """Everything that a page's sockets have received and sent since this was made."""

    def __init__(self, page: Page) -> None:
        self.received: list[str] = []
        self.sent: list[str] = []
        page.on("websocket", self._listen)

    def bytes_received(self) -> int:
        """Return how much it was, without the frames' own few bytes."""
        return sum(len(frame.encode()) for frame in self.received)

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: self.received.append(_text(frame)))
        socket.on("framesent", lambda frame: self.sent.append(_text(frame)))


class Tab:
    """A socket to the pages' own endpoint that no page of ours has opened."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.received = ""

    def hydrate(self, path: str, **query: str) -> None:
        """Ask for the whole state of a page, as one does that has just been opened."""
        self._event(f"{ROOT}.hydrate_and_load", {"hashes": []}, path, query)

    def call(self, handler: str, path: str = "/dashboard", **payload: object) -> None:
        """Call a handler of a State, such as `chat.state.Chat.send`."""
        module, _, rest = handler.rpartition(".state.")
        state, _, name = rest.partition(".")
        place = "___".join(["carechat", "ui", *module.split("."), f"state____{state.lower()}"])
        self._event(f"{ROOT}.{place}.{name}", payload, path, {})

    def call_internal(self, name: str, /, **payload: object) -> None:
        """Call a handler of Reflex itself, by its whole name."""
        self._event(name, payload, "/dashboard", {})

    def send(self, frame: str | bytes) -> None:
        """Send what no page would."""
        self._socket.send(frame)

    def until(self, word: str) -> None:
        """Take what comes until that word is in it."""
        while word not in self.received:
            self._take(SECONDS)

    def rest(self) -> str:
        """Take what comes until nothing more does; returns everything that ever came."""
        quiet_at = time.monotonic() + QUIET_SECONDS
        with suppress(TimeoutError):
            while True:
                if self._take(quiet_at - time.monotonic()):
                    quiet_at = time.monotonic() + QUIET_SECONDS
        return self.received

    def until_cut_off(self) -> None:
        """Take what comes until the server has closed the socket; raises `TimeoutError`."""
        deadline = time.monotonic() + CUT_OFF_SECONDS
        with suppress(ConnectionClosed):
            while True:
                self._take(deadline - time.monotonic())

    def _event(self, name: str, payload: object, path: str, query: dict[str, str]) -> None:
        asked = f"{path}?{httpx.QueryParams(query)}"
        router = {"pathname": path, "asPath": asked, "query": query}
        event = {"name": name, "payload": payload, "router_data": router}
        self._socket.send(f"42{NAMESPACE},{json.dumps(['event', event])}")

    def _take(self, seconds: float) -> bool:
        """Take one frame; returns whether it was more than a question if we are still there."""
        frame = _text(self._socket.recv(timeout=max(0.0, seconds)))
        if frame == PING:
            self._socket.send(PONG)
            return False
        self.received += frame
        return True


class TakenError(Exception):
    """The server has not noticed yet that the socket before with that token is closed."""


@contextmanager
def tab(cookie: str = "", token: str = "", origin: str = URL) -> Iterator[Tab]:
    """Give a socket of a tab with that token, with that cookie; a new token if none is given."""
    address = f"{URL.replace('http', 'ws')}{NAMESPACE}/"
    query = httpx.QueryParams(token=token or str(uuid.uuid4()), EIO="4", transport="websocket")
    with connect(
        f"{address}?{query}",
        additional_headers={"Cookie": cookie} if cookie else {},
        origin=Origin(origin),
        subprotocols=[Subprotocol(Reflex.VERSION)],
        compression=None,
        max_size=None,
    ) as socket:
        assert _text(socket.recv(timeout=SECONDS)).startswith(OPEN)
        socket.send(f"40{NAMESPACE},")
        first = _text(socket.recv(timeout=SECONDS))
        if "new_token" in first:
            raise TakenError
        assert first.startswith(f"40{NAMESPACE},")
        yield Tab(socket)


def cookie_of(person: Person) -> str:
    """Return what a browser in which that person has signed in sends along."""
    form = {"email": person.email, "password": PASSWORD}
    answer = httpx.post(f"{URL}/auth/session", data=form, headers={"Origin": URL})
    return "; ".join(f"{name}={value}" for name, value in answer.cookies.items())


def cookies(found: Sequence[Any]) -> str:
    """Return a browser's cookies as it sends them."""
    return "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in found)


def _text(frame: str | bytes) -> str:
    return frame if isinstance(frame, str) else frame.decode(errors="replace")
