"""The reference: the best straightforward server, with which `make bench` compares CareChat.

FastAPI under uvicorn and uvloop, orjson; a token at the handshake; numbers from a counter in its
one process; one write for each message, journaled by a majority before its sender hears of it; then
to every socket of both. It knows nobody's partner, keeps no cursors and limits nothing.
"""

import argparse
import os
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import jwt
import orjson
import uvicorn
from bson import ObjectId
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from pymongo import AsyncMongoClient, WriteConcern
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError

MONGODB = "REFERENCE_MONGODB_URI"
SECRET = "REFERENCE_JWT_SECRET"
DATABASE = "reference"
ALGORITHM = "HS256"

Document = dict[str, Any]


class Messages:
    """The stored messages, and the newest number of each conversation."""

    def __init__(self, collection: AsyncCollection[Document]) -> None:
        self._collection = collection
        self._newest: defaultdict[str, int] = defaultdict(int)

    async def open(self) -> None:
        """Make the index, and count on from what is stored."""
        await self._collection.create_index("client_id", unique=True)
        newest = {"$group": {"_id": "$conversation_id", "seq": {"$max": "$seq"}}}
        async for one in await self._collection.aggregate([newest]):
            self._newest[one["_id"]] = one["seq"]

    async def store(self, sender: str, frame: Document) -> tuple[Document, bool]:
        """Return the stored message, and whether it is new."""
        conversation = " ".join(sorted((sender, frame["receiver_email"])))
        self._newest[conversation] += 1
        message: Document = {
            "_id": ObjectId(),
            "conversation_id": conversation,
            "seq": self._newest[conversation],
            "client_id": frame["client_id"],
            "sender_email": sender,
            "receiver_email": frame["receiver_email"],
            "message": frame["message"].strip(),
            "timestamp": datetime.now(UTC),
            "read": False,
        }
        try:
            await self._collection.insert_one(message)
        except DuplicateKeyError:
            found = await self._collection.find_one({"client_id": frame["client_id"]})
            return found or message, False
        return message, True


class Sockets:
    """Who is connected, and what they are told."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages
        self._open: defaultdict[str, set[WebSocket]] = defaultdict(set)

    async def serve(self, websocket: WebSocket, email: str) -> None:
        """Obey one socket until it is closed."""
        self._open[email].add(websocket)
        try:
            while True:
                await self._obey(websocket, email, orjson.loads(await websocket.receive_text()))
        except WebSocketDisconnect:
            pass
        finally:
            self._open[email].discard(websocket)

    async def _obey(self, websocket: WebSocket, email: str, frame: Document) -> None:
        if frame.get("type") == "ping":
            await websocket.send_text('{"type":"pong"}')
            return
        message, is_new = await self._messages.store(email, frame)
        await websocket.send_text(_ack(message))
        if is_new:
            await self._tell({email, frame["receiver_email"]}, _message(message))

    async def _tell(self, emails: set[str], text: str) -> None:
        for websocket in [one for email in emails for one in self._open[email]]:
            with suppress(WebSocketDisconnect, RuntimeError):
                await websocket.send_text(text)


def _ack(message: Document) -> str:
    names = ("client_id", "conversation_id", "seq", "timestamp")
    return _text({"type": "ack", "id": str(message["_id"])} | {one: message[one] for one in names})


def _message(message: Document) -> str:
    fields = {"type": "message", "id": str(message["_id"])} | message
    del fields["_id"]
    return _text(fields)


def _text(fields: Document) -> str:
    return orjson.dumps(fields).decode()


def _email(websocket: WebSocket, secret: str) -> str:
    """Whose token it is, nobody's if it is not valid."""
    token = websocket.headers.get("authorization", "").removeprefix("Bearer ")
    with suppress(jwt.InvalidTokenError):
        return jwt.decode(token, secret, algorithms=[ALGORITHM])["sub"]
    return ""


def create() -> FastAPI:
    """Return the application; it takes its database and its secret from the environment."""
    secret = os.environ[SECRET]
    client: AsyncMongoClient[Document] = AsyncMongoClient(os.environ[MONGODB], tz_aware=True)
    durable = WriteConcern("majority", j=True)
    messages = Messages(client[DATABASE].get_collection("messages", write_concern=durable))
    sockets = Sockets(messages)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        await messages.open()
        yield
        await client.close()

    app = FastAPI(lifespan=lifespan)

    @app.websocket("/ws/{email}")
    async def connect(websocket: WebSocket, email: str) -> None:
        if _email(websocket, secret) != email:
            await websocket.close()
            return
        await websocket.accept()
        await sockets.serve(websocket, email)

    @app.get("/healthz")
    async def healthz() -> Document:
        return {"pid": os.getpid()}

    return app


def main() -> None:
    """Serve on the port that is given, until it is told to stop."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.reference", description=__doc__)
    parser.add_argument("port", type=int)
    port = parser.parse_args().port
    uvicorn.run(create(), port=port, loop="uvloop", access_log=False, log_level="warning")


if __name__ == "__main__":
    main()
