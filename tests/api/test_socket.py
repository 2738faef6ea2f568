"""The WebSocket, over a real server: who gets in, what comes and goes, and when it is closed."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as rounds
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from carechat.api import caller, frames, outgoing
from carechat.api import socket as door
from carechat.api.guard import Guard
from carechat.domain import errors
from carechat.domain.events import PresenceChanged, ReceiptMoved
from carechat.domain.receipts import Receipt
from carechat.services import accounts, messages, users
from carechat.services.context import Backend, Context
from carechat.storage import messages as stored
from carechat.storage.sessions import Session
from tests import serving
from tests.conftest import ORIGIN, Clock, Records
from tests.factories import (
    PASSWORD,
    a_caller,
    a_conversation,
    a_doctor,
    a_pair,
    a_patient,
    a_token,
    days_of_talk,
    says,
)
from tests.listening import a_screen
from tests.scraping import Rise
from tests.serving import Server, Socket, a_deaf_socket, a_socket, closed_at_once, handshake

Open = Callable[[Context], Any]


@pytest.fixture
async def pair(backend: Backend) -> tuple[Context, Context]:
    """Return a doctor and a patient of theirs."""
    return await a_pair(backend)


@pytest.fixture
def doctor(pair: tuple[Context, Context]) -> Context:
    """Return the doctor."""
    return pair[0]


@pytest.fixture
def patient(pair: tuple[Context, Context]) -> Context:
    """Return the patient."""
    return pair[1]


@pytest.fixture
async def connect(server: Server) -> AsyncGenerator[Open]:
    """Give how a person opens a socket, which is closed after the test."""
    async with AsyncExitStack() as opened:

        async def connect(ctx: Context) -> Socket:
            return await opened.enter_async_context(a_socket(server, ctx))

        yield connect


def path(ctx: Context) -> str:
    """Return the path of that person's socket."""
    return f"/ws/{ctx.user.email}"


def by_token(ctx: Context) -> list[tuple[str, str]]:
    """Return the header of an API client."""
    return [("Authorization", f"Bearer {a_token(ctx)}")]


def by_cookie(ctx: Context) -> list[tuple[str, str]]:
    """Return the header of a browser."""
    return [("Cookie", f"carechat_session={a_token(ctx)}")]


async def test_a_token_opens_the_own_socket(server: Server, doctor: Context) -> None:
    assert (await handshake(server, path(doctor), by_token(doctor)))[0] == 101
    assert (await handshake(server, path(doctor).upper().lower(), by_token(doctor)))[0] == 101
    assert (await handshake(server, path(doctor), by_token(doctor), ORIGIN))[0] == 101


async def test_a_cookie_opens_it_only_with_the_pages_own_origin(
    server: Server, doctor: Context
) -> None:
    assert (await handshake(server, path(doctor), by_cookie(doctor), ORIGIN))[0] == 101
    assert (await handshake(server, path(doctor), by_cookie(doctor)))[0] == 401
    basic = [*by_cookie(doctor), ("Authorization", "Basic eDp5")]
    assert (await handshake(server, path(doctor), basic))[0] == 401
    assert (await handshake(server, path(doctor), by_cookie(doctor), "http://x.test"))[0] == 403


async def test_refusals_come_in_order_foreign_origin_bad_token_anothers_address(
    server: Server, doctor: Context, patient: Context
) -> None:
    foreign = "http://evil.test"
    refusals = [
        await handshake(server, path(patient), [("Authorization", "Bearer x")], foreign),
        await handshake(server, path(patient), by_token(doctor), foreign),
        await handshake(server, path(patient), [("Authorization", "Bearer x")]),
        await handshake(server, path(patient)),
        await handshake(server, path(patient), by_token(doctor)),
    ]
    assert [(status, problem["code"]) for status, problem in refusals] == [
        (403, "forbidden"),
        (403, "forbidden"),
        (401, "unauthenticated"),
        (401, "unauthenticated"),
        (403, "forbidden"),
    ]


async def test_there_is_nothing_below_an_own_socket(server: Server, doctor: Context) -> None:
    assert (await handshake(server, f"{path(doctor)}/more", by_token(doctor)))[0] == 403


async def test_a_token_in_the_address_is_not_read(server: Server, doctor: Context) -> None:
    token = a_token(doctor)
    for query in (f"token={token}", f"access_token={token}", f"authorization=Bearer%20{token}"):
        assert (await handshake(server, f"{path(doctor)}?{query}"))[0] == 401


async def test_the_token_of_an_ended_session_is_refused(server: Server, doctor: Context) -> None:
    await accounts.sign_out(doctor)
    assert (await handshake(server, path(doctor), by_token(doctor)))[0] == 401


async def test_without_a_backend_one_has_to_wait(server: Server, app: Any, doctor: Context) -> None:
    app.state.backend = None
    status, problem = await handshake(server, path(doctor), by_token(doctor))
    assert (status, problem["code"]) == (503, "unavailable")


@pytest.mark.parametrize("is_let_in", [True, False])
async def test_who_does_not_wait_for_the_answer_is_no_failure(
    server: Server,
    doctor: Context,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    is_let_in: bool,
) -> None:
    asked, answer, failures = asyncio.Event(), asyncio.Event(), Rise("carechat_failures_total")

    async def identify(_: object) -> Context:
        asked.set()
        await answer.wait()
        if is_let_in:
            return doctor
        raise errors.UnavailableError("The database does not answer.")

    monkeypatch.setattr(caller, "identify", identify)
    asking = asyncio.create_task(handshake(server, path(doctor), by_token(doctor)))
    await asked.wait()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await server.left()
    answer.set()
    await handshake(server, path(doctor), by_token(doctor))
    assert failures() == 0
    assert "uvicorn.error" not in {record.name for record in caplog.records}


async def test_a_message_that_comes_while_a_socket_opens_is_delivered(
    connect: Open,
    doctor: Context,
    patient: Context,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    ours, current = await connect(doctor), doctor.store.sessions.current

    async def slow(session_id: str) -> Session | None:
        if doctor.backend.hub.listens(patient.user.email):
            await says(doctor, patient, "Hello")
        return await current(session_id)

    monkeypatch.setattr(doctor.store.sessions, "current", slow)
    theirs = await connect(patient)
    assert [frame["message"] for frame in theirs.frames if frame["type"] == "message"] == ["Hello"]
    assert (await ours.until("receipt"))["delivered_seq"] == 1
    assert not caplog.records


async def test_a_message_is_acknowledged_to_its_sender_and_pushed_to_the_other(
    connect: Open, doctor: Context, patient: Context
) -> None:
    ours, theirs = await connect(doctor), await connect(patient)
    await ours.send(receiver_email=patient.user.email.upper(), message=" Hello ", client_id="c1")
    ack = await ours.until("ack")
    message = await theirs.until("message")
    assert ack.keys() == {"type", "client_id", "id", "conversation_id", "seq", "timestamp"}
    assert (ack["client_id"], ack["seq"], ack["timestamp"]) == ("c1", 1, "2099-01-15T14:30:00.000Z")
    assert message == {
        "type": "message",
        "id": ack["id"],
        "conversation_id": ack["conversation_id"],
        "seq": 1,
        "client_id": "c1",
        "sender_email": doctor.user.email,
        "receiver_email": patient.user.email,
        "message": "Hello",
        "timestamp": ack["timestamp"],
        "delivered": False,
        "read": False,
        "edited_at": None,
        "deleted_at": None,
        "reply_to": None,
        "attachments": [],
        "reactions": [],
    }


async def test_what_is_acknowledged_is_stored(
    connect: Open, doctor: Context, patient: Context, records: Records
) -> None:
    ours = await connect(doctor)
    for number in range(10):
        await ours.send(receiver_email=patient.user.email, message=str(number))
        ack = await ours.until("ack")
        assert records["messages"].count_documents({"seq": ack["seq"]}) == 1


async def test_what_the_sender_chose_is_stored_and_told(
    connect: Open, doctor: Context, patient: Context
) -> None:
    answered = await says(patient, doctor, "Is it bad?")
    ours, theirs = await connect(doctor), await connect(patient)
    chosen = {"message": "No.", "client_id": "c1", "reply_to": answered.id}
    await ours.send(receiver_email=patient.user.email, **chosen)
    assert chosen.items() <= (await theirs.until("message")).items()


async def test_own_messages_come_to_the_other_devices_but_not_back(
    connect: Open, doctor: Context, patient: Context
) -> None:
    sending, other = await connect(doctor), await connect(doctor)
    for number in range(20):
        await sending.send(receiver_email=patient.user.email, message=str(number), client_id="x")
        await sending.send(receiver_email=patient.user.email, message=str(number))
    pushed = [await other.until("message") for _ in range(20)]
    assert len({frame["seq"] for frame in pushed}) == 20
    assert "message" not in {frame["type"] for frame in await sending.collect()}


async def test_one_client_id_in_two_conversations_is_echoed_in_neither(
    connect: Open, backend: Backend, doctor: Context, patient: Context
) -> None:
    other = await a_patient(backend, doctor)
    sending = await connect(doctor)
    for _ in range(5):
        await sending.send(receiver_email=patient.user.email, message="Hello", client_id="c1")
        await sending.send(receiver_email=other.user.email, message="Hello", client_id="c1")
    frames = await sending.collect()
    assert [frame["type"] for frame in frames] == ["ack"] * 10
    assert len({frame["id"] for frame in frames}) == 2


async def test_the_same_client_id_on_another_connection_gives_the_same_ack(
    connect: Open, doctor: Context, patient: Context, records: Records
) -> None:
    first, second, theirs = await connect(doctor), await connect(doctor), await connect(patient)
    frame = {"receiver_email": patient.user.email, "message": "Hello", "client_id": "c1"}
    await first.send(**frame)
    ack = await first.until("ack")
    await second.send(**frame)
    assert await second.until("ack") == ack
    assert [one["type"] for one in await theirs.collect()].count("message") == 1
    assert records["messages"].count_documents({}) == 1
    await second.send(**{**frame, "message": "Another"})
    refusal = await second.until("error")
    assert (refusal["client_id"], refusal["code"]) == ("c1", "conflict")


async def test_reading_is_told_to_both_and_stored(
    connect: Open, doctor: Context, patient: Context, records: Records
) -> None:
    await days_of_talk(doctor, patient, 3)
    ours, theirs = await connect(doctor), await connect(patient)
    await ours.send(type="read", receiver_email=patient.user.email, seq=2)
    receipt = await theirs.until("receipt")
    assert receipt == {
        "type": "receipt",
        "conversation_id": receipt["conversation_id"],
        "email": doctor.user.email,
        "delivered_seq": 2,
        "read_seq": 2,
    }
    assert await ours.until("receipt") == receipt
    assert records["messages"].count_documents({"read": True}) == 2


async def test_a_push_is_followed_by_a_receipt_for_the_sender(
    connect: Open, doctor: Context, patient: Context
) -> None:
    ours, _ = await connect(doctor), await connect(patient)
    await ours.send(receiver_email=patient.user.email, message="Hello")
    receipt = await ours.until("receipt")
    assert (receipt["email"], receipt["delivered_seq"], receipt["read_seq"]) == (
        patient.user.email,
        1,
        0,
    )


async def test_sync_brings_everything_after_a_number_in_order_over_many_pages(
    connect: Open, doctor: Context, patient: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "MAX_PAGE", 10)
    await days_of_talk(doctor, patient, 45)
    ours = await connect(doctor)
    conversation_id = (await doctor.store.conversations.of(doctor.user.email))[0][1].id
    await ours.send(type="sync", after={conversation_id: 2})
    frames: list[dict[str, Any]] = []
    while not frames or frames[-1]["type"] != "synced":
        if (frame := await ours.next())["type"] != "receipt":
            frames.append(frame)
    assert [frame["seq"] for frame in frames[:-1]] == list(range(3, 46))


async def test_what_is_written_during_a_sync_comes_once_and_in_its_place(
    connect: Open, doctor: Context, patient: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "MAX_PAGE", 5)
    await days_of_talk(doctor, patient, 40)
    ours = await connect(doctor)
    conversation_id = (await doctor.store.conversations.of(doctor.user.email))[0][1].id
    writing = asyncio.create_task(days_of_talk(doctor, patient, 40))
    await ours.send(type="sync", after={conversation_id: 0})
    await ours.until("synced")
    await writing
    frames = [*ours.frames, *await ours.collect()]
    brought = [frame["seq"] for frame in frames if frame["type"] == "message"]
    synced = [frame["type"] for frame in frames].index("synced")
    before = sum(frame["type"] == "message" for frame in frames[:synced])
    # What was pushed before the server read of the sync is brought by it once more.
    assert brought[brought.index(1) :] == list(range(1, 81))
    assert before >= 40


async def test_sync_of_several_conversations_brings_each(
    connect: Open, backend: Backend, doctor: Context, patient: Context
) -> None:
    other = await a_patient(backend, doctor)
    await days_of_talk(doctor, patient, 2)
    await days_of_talk(doctor, other, 2)
    ours = await connect(doctor)
    found = [one.id for _, one in await doctor.store.conversations.of(doctor.user.email)]
    await ours.send(type="sync", after={found[0]: 0, found[1]: 1})
    await ours.until("synced")
    brought = [frame for frame in ours.frames if frame["type"] == "message"]
    assert [(one["conversation_id"], one["seq"]) for one in brought] == [
        (found[0], 1),
        (found[0], 2),
        (found[1], 2),
    ]


async def test_sync_of_a_strangers_conversation_is_not_found(
    connect: Open, backend: Backend, doctor: Context, patient: Context
) -> None:
    await days_of_talk(doctor, patient, 1)
    conversation_id = (await doctor.store.conversations.of(doctor.user.email))[0][1].id
    stranger = await connect(await a_doctor(backend))
    await stranger.send(type="sync", after={conversation_id: 0})
    assert (await stranger.until("error"))["code"] == "not_found"


async def test_nothing_is_lost_when_a_socket_is_cut_and_synced(
    connect: Open, server: Server, doctor: Context, patient: Context
) -> None:
    theirs = await connect(patient)
    async with a_socket(server, doctor) as cut:
        await theirs.send(receiver_email=doctor.user.email, message="1")
        first = await cut.until("message")
    await theirs.send(receiver_email=doctor.user.email, message="2")
    await theirs.until("ack")
    again = await connect(doctor)
    await again.send(type="sync", after={first["conversation_id"]: first["seq"]})
    assert (await again.until("message"))["message"] == "2"


BAD_FRAMES: list[tuple[Any, str]] = [
    ({"message": "x"}, "invalid"),
    ({"receiver_email": "p", "conversation_id": "c", "message": "x"}, "invalid"),
    ({"receiver_email": "nobody@example.com", "message": "x"}, "not_found"),
    ({"receiver_email": "\ud800", "message": "x"}, "invalid"),
    ({"receiver_email": "", "message": "x"}, "not_found"),
    ({"conversation_id": "f" * 24, "message": "x"}, "not_found"),
    ({"conversation_id": "x", "message": "x"}, "not_found"),
    ({"receiver_email": {"$ne": ""}, "message": "x"}, "invalid"),
    ({"conversation_id": {"$ne": ""}, "message": "x"}, "invalid"),
    ({"receiver_email": "@", "message": ""}, "invalid"),
    ({"receiver_email": "@", "message": " "}, "invalid"),
    ({"receiver_email": "@", "message": "x" * 5_001}, "invalid"),
    ({"receiver_email": "@", "message": "a\0"}, "invalid"),
    ({"receiver_email": "@", "message": 1}, "invalid"),
    ({"receiver_email": "@", "message": {"$gt": ""}}, "invalid"),
    ({"receiver_email": "@"}, "invalid"),
    ({"receiver_email": "@", "message": "x", "client_id": ""}, "invalid"),
    ({"receiver_email": "@", "message": "x", "client_id": "c" * 65}, "invalid"),
    ({"receiver_email": "@", "message": "x", "client_id": "\ud800"}, "invalid"),
    ({"receiver_email": "@", "message": "x", "client_id": ["c"]}, "invalid"),
    ({"receiver_email": "@", "message": "x", "reply_to": "f" * 24}, "invalid"),
    ({"receiver_email": "@", "message": "x", "attachment_ids": ["a"]}, "invalid"),
    ({"type": "read", "receiver_email": "@"}, "invalid"),
    ({"type": "read", "receiver_email": "@", "seq": "1"}, "invalid"),
    ({"type": "read", "receiver_email": "@", "seq": -1}, "invalid"),
    ({"type": "read", "receiver_email": "@", "seq": 10**30}, "invalid"),
    ({"type": "read", "receiver_email": "@", "seq": True}, "invalid"),
    ({"type": "read", "receiver_email": "@", "seq": {"$gt": 0}}, "invalid"),
    ({"type": "read", "receiver_email": "nobody@example.com", "seq": 1}, "not_found"),
    ({"type": "sync"}, "invalid"),
    ({"type": "sync", "after": []}, "invalid"),
    ({"type": "sync", "after": {"x": "1"}}, "invalid"),
    ({"type": "sync", "after": {"\ud800": "x"}}, "invalid"),
    ({"type": "sync", "after": {"x": 1}}, "not_found"),
    ({"type": "nothing of ours"}, "invalid"),
    ({"type": "\ud800"}, "invalid"),
    ({"type": None}, "invalid"),
    ({"type": {"$ne": 1}}, "invalid"),
    ([], "invalid"),
    (None, "invalid"),
    (1, "invalid"),
    ("ping", "invalid"),
]


async def test_bad_frames_are_refused_store_nothing_and_the_socket_stays(
    connect: Open, doctor: Context, patient: Context, records: Records
) -> None:
    ours = await connect(doctor)
    for frame, expected in BAD_FRAMES:
        text = json.dumps(frame).replace('"@"', json.dumps(patient.user.email))
        await ours.send_raw(text)
        refusal = await ours.until("error")
        assert refusal.keys() == {"type", "client_id", "code", "detail", "retry_after"}, frame
        assert refusal["code"] == expected, frame
    assert await ours.collect() == []
    assert records["messages"].count_documents({}) == 0


async def test_a_refusal_names_the_client_id(connect: Open, doctor: Context) -> None:
    ours = await connect(doctor)
    await ours.send(receiver_email="x@example.com", message="x", client_id="c1")
    assert (await ours.until("error"))["client_id"] == "c1"
    await ours.send(receiver_email="x@example.com", message="x")
    assert (await ours.until("error"))["client_id"] is None


async def test_too_many_messages_at_once_are_told_when_to_try_again(
    connect: Open, backend: Backend, doctor: Context, patient: Context
) -> None:
    backend.sends.rate, backend.sends.burst = 1, 1
    ours = await connect(doctor)
    for client_id in ("c1", "c2"):
        await ours.send(receiver_email=patient.user.email, message="x", client_id=client_id)
    refusal = await ours.until("error")
    assert (refusal["code"], refusal["retry_after"], refusal["client_id"]) == (
        "rate_limited",
        1,
        "c2",
    )


async def test_writing_is_forbidden_after_the_assignment_has_ended(
    connect: Open, backend: Backend, doctor: Context, patient: Context
) -> None:
    ours = await connect(doctor)
    await users.unassign(backend, doctor.user.email, patient.user.email)
    await ours.send(receiver_email=patient.user.email, message="x")
    assert (await ours.until("error"))["code"] == "forbidden"


async def test_ten_frames_that_are_no_json_close_the_socket(connect: Open, doctor: Context) -> None:
    ours = await connect(doctor)
    bad = ["{", "", "hello", "[" * 30_000, b"\x00\x01", b'{"type": "ping"}', "nan", "1" * 5_000]
    for frame in [*bad, "'"]:
        await ours.send_raw(frame)
        assert (await ours.until("error"))["code"] == "invalid"
    assert await ours.collect() == []
    await ours.send_raw("{")
    assert await ours.closed() == 1003


@pytest.mark.parametrize("frame", ["x" * 65_537, b"x" * 65_537, "ä" * 32_769, "x" * 500_000])
async def test_a_frame_over_64_kib_closes_the_socket(
    connect: Open, doctor: Context, frame: str | bytes
) -> None:
    ours = await connect(doctor)
    await ours.send_raw(frame)
    assert await ours.closed() == 4413


async def test_a_frame_of_64_kib_is_taken(connect: Open, doctor: Context) -> None:
    ours = await connect(doctor)
    await ours.send_raw(json.dumps({"type": "ping"}).ljust(65_536))
    await ours.until("pong")


Ends = Callable[[Backend, Context], Any]


async def _changes_password(_: Backend, ctx: Context) -> None:
    elsewhere = await a_caller(ctx.backend, ctx.user)
    await accounts.change_password(elsewhere, PASSWORD, "another fine password", "")


@pytest.mark.parametrize(
    "end",
    [
        lambda _, ctx: accounts.sign_out(ctx),
        _changes_password,
        lambda other, ctx: users.disable(other, ctx.user.email),
        lambda other, ctx: other.store.sessions.end(ctx.session.id),
    ],
    ids=["signs out", "changes the password", "is disabled elsewhere", "is ended elsewhere"],
)
async def test_when_a_session_ends_its_sockets_close_within_a_second(
    watching: Backend,
    other_process: Backend,
    connect: Open,
    pair: tuple[Context, Context],
    end: Ends,
) -> None:
    doctor, patient = pair
    ours, second, theirs = await connect(doctor), await connect(doctor), await connect(patient)
    await end(other_process, doctor)
    assert await ours.closed(seconds=1) == 4401
    assert await second.closed(seconds=1) == 4401
    assert await theirs.collect() == []
    assert not [frame for frame in ours.frames if frame["type"] not in {"pong", "receipt"}]


@pytest.fixture
async def hurried(backend: Backend, app: Any) -> Backend:
    """Let the API's clock go on, and sessions end within two seconds of idling."""
    idle = timedelta(seconds=2)
    policy = replace(backend.policy, idle=idle, patient_idle=idle)
    hurried = replace(backend, policy=policy, clock=lambda: datetime.now(UTC))
    app.state.backend = hurried
    return hurried


async def test_an_idle_socket_is_closed_whatever_it_says_by_itself(
    hurried: Backend, connect: Open
) -> None:
    doctor, patient = await a_pair(hurried)
    await days_of_talk(doctor, patient, 2)
    doctor = await a_caller(hurried, doctor.user)
    ours = await connect(doctor)
    conversation_id = (await doctor.store.conversations.of(doctor.user.email))[0][1].id

    async def chatter() -> None:
        while True:
            await ours.send(type="ping")
            await ours.send(type="sync", after={conversation_id: 0})
            await ours.send(type="read", conversation_id=conversation_id, seq=1)
            await asyncio.sleep(0.1)

    talking = asyncio.create_task(chatter())
    assert await ours.closed() == 4408
    talking.cancel()
    await asyncio.gather(talking, return_exceptions=True)


async def test_a_client_for_which_too_much_waits_is_cut_off(
    server: Server,
    backend: Backend,
    doctor: Context,
    patient: Context,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(door, "CLOSE_SECONDS", serving.SECONDS)
    slow = Rise("carechat_limits_total", limit="slow_socket")
    receipt = ReceiptMoved(Receipt("f" * 24, "x@example.com", 1, 1))
    async with a_screen(patient) as screen, a_deaf_socket(server, doctor) as socket:
        assert (await screen.until(PresenceChanged)).present
        # The connection itself takes what would be much for a socket.
        for _ in range(100):
            for _ in range(outgoing.MAX_WAITING):
                backend.hub.publish(receipt, [doctor.user.email])
            await asyncio.sleep(0)
        assert not (await screen.until(PresenceChanged)).present
        assert slow() == 1
        assert await Socket(socket).closed() == door.TOO_SLOW


async def test_a_burst_is_not_too_much_for_a_client_that_takes_it(
    connect: Open, backend: Backend, doctor: Context
) -> None:
    ours = await connect(doctor)
    for number in range(3 * outgoing.MAX_WAITING):
        moved = ReceiptMoved(Receipt("f" * 24, "x@example.com", number, number))
        backend.hub.publish(moved, [doctor.user.email])
    told = [frame["delivered_seq"] for frame in await ours.collect()]
    assert told == list(range(3 * outgoing.MAX_WAITING))


async def test_a_socket_that_is_left_leaves_nothing_behind(
    server: Server, backend: Backend, doctor: Context
) -> None:
    for _ in range(5):
        async with a_socket(server, doctor):
            assert backend.presence.is_present(doctor.user.email)
    await asyncio.sleep(0.5)
    assert not backend.hub.sessions()
    assert not backend.presence.is_present(doctor.user.email)


anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
fields = st.sampled_from(
    ["type", "message", "client_id", "seq", "after", "receiver_email", "conversation_id"]
)
values = anything | st.sampled_from(["send", "read", "sync", "ping"])


@rounds(max_examples=300, deadline=None)
@given(anything | st.dictionaries(fields, values))
def test_any_json_is_a_frame_or_invalid(frame: object) -> None:
    with suppress(errors.InvalidError):
        frames.parse(frame)


async def test_the_clock_of_a_message_is_the_servers(
    connect: Open, clock: Clock, doctor: Context, patient: Context
) -> None:
    ours = await connect(doctor)
    clock.advance(minutes=1)
    await ours.send(receiver_email=patient.user.email, message="x")
    assert (await ours.until("ack"))["timestamp"] == "2099-01-15T14:31:00.000Z"


async def test_a_client_that_takes_nothing_is_gone_soon_after_its_session(
    server: Server, watching: Backend, doctor: Context, patient: Context
) -> None:
    """It has so much to take that the server can write no more, not even the end."""
    texts = [f"{number} {'x' * 4_900}" for number in range(200)]
    conversation = await a_conversation(doctor, patient, texts)
    async with a_screen(patient) as screen, a_deaf_socket(server, doctor) as socket:
        assert (await screen.until(PresenceChanged)).present
        for _ in range(12):
            await socket.send(json.dumps({"type": "sync", "after": {conversation.id: 0}}))
        for text in texts[:20]:
            await says(patient, doctor, text)
        await accounts.sign_out(doctor)
        assert not (await screen.until(PresenceChanged)).present


async def test_a_server_that_stops_says_so_first(
    connect: Open, backend: Backend, doctor: Context
) -> None:
    ours = await connect(doctor)
    backend.hub.close()
    assert await ours.closed() == 1001


async def test_the_twenty_first_socket_of_a_person_is_closed(
    server: Server, backend: Backend
) -> None:
    """The others stay, and there is room again when one of them closes."""
    doctor, other = await a_doctor(backend), await a_doctor(backend)
    async with AsyncExitStack() as sockets:
        held = [await sockets.enter_async_context(a_socket(server, doctor)) for _ in range(20)]
        assert await closed_at_once(server, doctor) == 4429
        await held[0].collect()
        async with a_socket(server, other) as theirs:
            await theirs.collect()
    async with a_socket(server, doctor) as again:
        await again.collect()


async def test_another_server_writes_the_same_frames(
    guarded: Guard, patient: Context, doctor: Context
) -> None:
    """As that of `reflex run`, which cannot write at once."""

    async def without(scope: Scope, receive: Receive, send: Send) -> None:
        await guarded({**scope, "extensions": {}}, receive, send)

    async with serving.serve(without) as server, a_socket(server, doctor) as ours:
        for number in range(20):
            await says(patient, doctor, str(number))
        messages = [frame for frame in await ours.collect() if frame["type"] == "message"]
        assert [frame["message"] for frame in messages] == [str(number) for number in range(20)]


@pytest.mark.parametrize("error", [RuntimeError, KeyError])
async def test_what_nobody_has_thought_of_is_told_counted_and_logged(
    connect: Open,
    doctor: Context,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: type[Exception],
) -> None:
    async def broken(*_: object) -> None:
        raise error("what somebody wrote")

    ours, failures = await connect(doctor), Rise("carechat_failures_total")
    monkeypatch.setattr(messages, "send", broken)
    await ours.send(client_id="1", receiver_email="pat@example.com", message="what somebody wrote")
    assert await ours.closed() == 1011
    assert failures() == 1
    assert error.__name__ in caplog.text
    assert "what somebody wrote" not in caplog.text


async def test_who_has_to_read_anew_is_not_called_slow(
    connect: Open, backend: Backend, doctor: Context
) -> None:
    ours, slow = await connect(doctor), Rise("carechat_limits_total", limit="slow_socket")
    backend.hub.fall_behind()
    assert await ours.closed() == 1001
    assert slow() == 0
