"""R1 and R8: the server is killed under load, and thousands of sockets come back."""

import asyncio
import time
from pathlib import Path

from tests.faults import load, product
from tests.faults.figures import Line, line, spread
from tests.faults.load import Load
from tests.faults.plan import Plan

PAUSE = 0.02
BACK_SECONDS = 120.0
SOCKETS_EACH = 20


async def killed(folder: Path, plan: Plan) -> Line:
    """R1: kill -9 again and again under load; return what became of the messages."""
    async with (
        product.served(folder) as served,
        load.among(served, await served.admit(plan.pairs)) as writing,
    ):
        writing.write(PAUSE)
        kills: list[float] = []
        for number in range(1, plan.kills + 1):
            await writing.more(plan.sends // (plan.kills + 1))
            kills.append(time.monotonic())
            await _kill(writing, whole=number % plan.whole_every == 0)
        await writing.ledger.reach(plan.sends, load.REACH_SECONDS)
        await writing.settle()
    outages = writing.ledger.longest_after(kills)
    whole = plan.kills // plan.whole_every
    done = f"kill -9 of the server {plan.kills} times, {whole} of them of all its processes"
    return line("r1", done, writing.ledger, f"without an ack: {spread(outages)}")


async def _kill(writing: Load, *, whole: bool) -> None:
    if whole:
        await writing.product.kill()
        await writing.product.start()
    else:
        writing.product.kill_worker()
    await writing.ledger.next_ack(BACK_SECONDS)


async def come_back(folder: Path, plan: Plan) -> Line:
    """R8: kill what serves thousands of sockets; return how long until all are back."""
    pairs = plan.crowd_people // 2
    async with (
        product.served(folder) as served,
        load.among(served, await served.admit(pairs), listening=SOCKETS_EACH - 1) as crowd,
    ):
        await _everybody_writes(crowd)
        await asyncio.to_thread(served.await_reserve)
        began = time.monotonic()
        for one in crowd.devices:
            one.count_as_gone()
        served.kill_worker()
        first, last = await _back(crowd)
        await _everybody_writes(crowd)
        await crowd.settle()
    done = f"kill -9 of the server with {len(crowd.devices):,} sockets, which reconnect with jitter"
    measured = (
        f"the first after {first - began:.1f} s, all {last - first:.1f} s later, "
        f"{last - began:.1f} s after the kill"
    )
    return line("r8", done, crowd.ledger, measured, "all in ≤ 4 s")


async def _everybody_writes(crowd: Load) -> None:
    await asyncio.gather(
        *(one.send(f"{one.number}-{time.monotonic_ns()}", load.TEXT) for one in crowd.writers)
    )


async def _back(crowd: Load) -> tuple[float, float]:
    """When the first and the last one had been connected again and told what it missed."""
    await asyncio.gather(*(one.ready(BACK_SECONDS) for one in crowd.devices))
    times = [one.synced_at for one in crowd.devices]
    return min(times), max(times)
