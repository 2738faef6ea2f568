"""What reads much is done for one person one after the other, and for others meanwhile."""

import asyncio

import pytest

from carechat.services.context import Backend, Context
from carechat.ui.turns import turn
from tests.factories import a_caller, a_doctor


async def test_of_one_person_one_thing_is_read_at_a_time(backend: Backend) -> None:
    doctor = await a_doctor(backend)
    elsewhere = await a_caller(backend, doctor.user)
    under_way: list[int] = []

    async def read(ctx: Context) -> None:
        async with turn(ctx):
            under_way.append(1)
            await asyncio.sleep(0)
            assert under_way == [1]
            under_way.clear()

    await asyncio.gather(*(read(ctx) for ctx in [doctor, elsewhere] * 20))


async def test_others_do_not_wait_for_them(backend: Backend) -> None:
    async with turn(await a_doctor(backend)), asyncio.timeout(5), turn(await a_doctor(backend)):
        pass


async def test_who_has_failed_gives_their_turn_away(backend: Backend) -> None:
    doctor = await a_doctor(backend)
    for _ in range(2):
        with pytest.raises(KeyError):
            async with asyncio.timeout(5), turn(doctor):
                {}["nothing"]
