"""The lists in which people find each other: order, pages, search, and what is unread."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carechat.domain import errors
from carechat.domain.users import Role
from carechat.services import conversations, receipts
from carechat.services.access import Address
from carechat.services.context import Backend, Context
from tests.conftest import Clock
from tests.factories import a_caller, a_conversation, a_doctor, a_pair, a_patient, a_user, says, to

anything = st.text(st.characters(exclude_categories=()))


@pytest.fixture
async def doctor(backend: Backend) -> Context:
    """Return a doctor."""
    return await a_doctor(backend)


async def patients(doctor: Context, clock: Clock, *names: str) -> list[Context]:
    """Return patients of those names, each of whom wrote a second after the one before."""
    found = [await a_patient(doctor.backend, doctor, name=name) for name in names]
    for patient in found:
        clock.advance(seconds=1)
        await says(patient, doctor, f"I am {patient.user.name}")
    return found


def names(found: conversations.Page | conversations.Dashboard, ctx: Context) -> list[str]:
    """Return the names of the partners in a list."""
    return [one.conversation.partner(ctx.user.email).name for one in found.summaries]


async def test_pages_lead_from_the_latest_to_those_without_a_message(
    doctor: Context, clock: Clock
) -> None:
    await patients(doctor, clock, "Ann", "Ben", "Cleo")
    await a_patient(doctor.backend, doctor, name="Silent")
    listed, cursor = list[str](), None
    for size in (2, 2):
        page = await conversations.page(doctor, 2, cursor)
        assert len(page.summaries) == size
        listed += names(page, doctor)
        cursor = page.next
    assert listed == ["Cleo", "Ben", "Ann", "Silent"]
    assert cursor is None


async def test_a_limit_is_cut_to_what_is_allowed(doctor: Context, clock: Clock) -> None:
    await patients(doctor, clock, "Ann", "Ben")
    for limit, expected in ((-1, 1), (0, 1), (1, 1), (10**9, 2)):
        page = await conversations.page(doctor, limit)
        assert len(page.summaries) == expected


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "-",
        "1-",
        "1-x",
        f"x-{'f' * 24}",
        f"{'9' * 15}-{'f' * 24}",
        "\ud800",
        "\u0661-" + "f" * 24,
    ],
)
async def test_a_made_up_cursor_is_invalid(doctor: Context, cursor: str) -> None:
    with pytest.raises(errors.InvalidError):
        await conversations.page(doctor, 2, cursor)


@given(anything | st.from_regex(r"[0-9]{1,16}-[0-9a-f]{24}", fullmatch=True))
def test_any_cursor_is_a_place_or_invalid(cursor: str) -> None:
    try:
        place = conversations._parse_cursor(cursor)  # pyright: ignore[reportPrivateUsage]
    except errors.InvalidError:
        return
    assert conversations._parse_cursor(conversations._cursor(place)) == place  # pyright: ignore[reportPrivateUsage]


async def test_the_dashboard_has_the_unread_first_and_then_the_latest(
    doctor: Context, clock: Clock
) -> None:
    found = await patients(doctor, clock, "Ann", "Ben", "Cleo", "Dora")
    for patient in (found[3], found[1]):
        await receipts.read(doctor, to(patient))
    board = await conversations.dashboard(doctor, 10)
    assert names(board, doctor) == ["Cleo", "Ann", "Dora", "Ben"]
    assert [one.unread.count if one.unread else 0 for one in board.summaries] == [1, 1, 0, 0]
    assert board.total == 4


async def test_the_dashboard_knows_who_waits_and_since_when(doctor: Context, clock: Clock) -> None:
    begin = clock.time
    found = await patients(doctor, clock, "Ann", "Ben")
    await says(found[0], doctor, "Still there?")
    board = await conversations.dashboard(doctor, 1)
    waiting = sorted((one.since - begin, one.count) for one in board.unread.values())
    assert waiting == [(timedelta(seconds=1), 2), (timedelta(seconds=2), 1)]
    assert len(board.summaries) == 1


async def test_the_dashboard_knows_with_whom_each_conversation_is(
    doctor: Context, clock: Clock
) -> None:
    await patients(doctor, clock, "Ann", "Ben")
    board = await conversations.dashboard(doctor, 1, "Ann")
    assert sorted(one.name for one in board.partners.values()) == ["Ann", "Ben"]
    assert set(board.unread) == set(board.partners)


async def test_beside_a_thread_the_latest_come_first_and_the_open_one_is_there(
    doctor: Context, clock: Clock
) -> None:
    found = await patients(doctor, clock, "Ann", "Ben", "Cleo", "Dora")
    await receipts.read(doctor, to(found[3]))
    board = await conversations.beside(doctor, 2, found[0].user.email)
    assert names(board, doctor) == ["Dora", "Cleo", "Ann"]
    assert (board.total, len(board.unread)) == (4, 3)
    for inside in (found[2].user.email, "nobody@example.com"):
        assert names(await conversations.beside(doctor, 2, inside), doctor) == ["Dora", "Cleo"]


async def test_what_waits_is_counted_up_to_the_last_message_while_somebody_writes(
    backend: Backend,
) -> None:
    """Else the event of a message that is shown already would never be counted."""
    doctor, patient = await a_pair(backend)
    writing = asyncio.create_task(a_conversation(doctor, patient, ["Hello"] * 60))
    while not writing.done():
        board = await conversations.dashboard(doctor, 10)
        [shown] = board.summaries
        assert board.unread.get(shown.conversation.id) == shown.unread
        for summary in (shown, await conversations.find(doctor, to(patient))):
            assert (summary.unread.count if summary.unread else 0) == summary.last_seq
    await writing


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("jose", ["José Núñez"]),
        ("NUÑEZ", ["José Núñez"]),
        ("  nunez ", ["José Núñez"]),
        ("strasse", ["Fritz Straße"]),
        ("ñez jos", ["José Núñez"]),
        (" núñez   josé ", ["José Núñez"]),
        ("josé lang", []),
        ("zoe", ["Zoe\u0308 Lang"]),
        ("nobody", []),
        (".*", []),
        ("$where", []),
        ("", ["Zoe\u0308 Lang", "Fritz Straße", "José Núñez"]),
    ],
)
async def test_people_are_found_by_parts_of_their_name_in_any_order(
    doctor: Context, clock: Clock, asked: str, found: list[str]
) -> None:
    await patients(doctor, clock, "José Núñez", "Fritz Straße", "Zoe\u0308 Lang")
    board = await conversations.dashboard(doctor, 10, asked)
    assert names(board, doctor) == found
    assert board.total == len(found)


async def test_a_summary_shows_the_last_message_and_whether_it_arrived(backend: Backend) -> None:
    doctor, patient = await a_pair(backend)
    await says(doctor, patient, "first")
    await says(doctor, patient, "last")
    await receipts.read(patient, to(doctor))
    summary = await conversations.find(doctor, to(patient))
    assert summary.last_message
    assert (summary.last_message.message, summary.last_message.read) == ("last", True)
    assert (summary.last_seq, summary.unread) == (2, None)


async def test_a_conversation_is_found_by_its_id_or_the_partner_by_members_only(
    backend: Backend,
) -> None:
    doctor, patient = await a_pair(backend)
    by_partner = await conversations.find(doctor, to(patient))
    by_id = Address(conversation_id=by_partner.conversation.id)
    assert await conversations.find(patient, by_id) == by_partner
    stranger = await a_doctor(backend)
    admin = await a_caller(backend, await a_user(backend, Role.ADMIN))
    for ctx in (stranger, admin):
        for address in (by_id, to(patient)):
            with pytest.raises(errors.NotFoundError):
                await conversations.find(ctx, address)


@pytest.mark.parametrize(
    "address",
    [
        Address(),
        Address("f" * 24, "doctor@example.com"),
    ],
)
async def test_an_address_names_one_of_the_two(doctor: Context, address: Address) -> None:
    with pytest.raises(errors.InvalidError):
        await conversations.find(doctor, address)


@pytest.mark.parametrize("email", ["", " ", "nobody@example.com", "a b", "x@example.com y"])
async def test_an_unknown_partner_is_not_found(doctor: Context, email: str) -> None:
    for partner in (email, doctor.user.email, f"{doctor.user.email} {email}"):
        with pytest.raises(errors.NotFoundError):
            await conversations.find(doctor, Address(partner_email=partner))
