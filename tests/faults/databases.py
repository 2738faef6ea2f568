"""R2 to R4: MongoDB is killed, its primary is killed, its primary says nothing any more."""

import asyncio
import time
from contextlib import ExitStack
from pathlib import Path

from tests import replica_sets
from tests.faults import load, product, screens
from tests.faults.figures import Line, line, spread
from tests.faults.plan import Plan
from tests.replica_sets import ReplicaSet

PAUSE = 0.02
BACK_SECONDS = 60.0


async def killed(folder: Path, plan: Plan) -> Line:
    """R2: kill -9 of the embedded mongod again and again; return how soon sends go on."""
    async with (
        product.served(folder) as served,
        load.among(served, await served.admit(plan.pairs)) as writing,
    ):
        writing.write(PAUSE)
        again: list[float] = []
        for _ in range(plan.kills):
            await writing.more(plan.sends // 4 // plan.kills)
            await asyncio.to_thread(served.kill_mongod)
            listens = time.monotonic()
            await writing.ledger.next_ack(BACK_SECONDS)
            again.append(writing.ledger.first_after(listens))
        await writing.more(plan.sends // 4 // plan.kills)
        await writing.settle()
    done = f"kill -9 of mongod {plan.kills} times, CareChat starts it again"
    measured = (
        f"from when it listens again to the next ack: {spread(again)}; "
        f"longest without an ack {writing.ledger.longest_pause():.1f} s"
    )
    return line("r2", done, writing.ledger, measured, "≤ 1.5 s after it listens")


async def primary_killed(folder: Path, plan: Plan) -> Line:
    """R3: kill the primary of three again and again; return how long nothing was stored."""
    with ExitStack() as stack:
        members = stack.enter_context(replica_sets.running(folder / "members"))
        async with (
            product.served(folder / "product", MONGODB_URI=members.uri) as served,
            load.among(served, await served.admit(plan.pairs)) as writing,
        ):
            writing.write(PAUSE)
            for _ in range(plan.primaries):
                await writing.more(plan.sends // 20)
                await _kill_primary(members, writing)
            await writing.more(plan.sends // 20)
            await writing.settle()
    done = f"kill -9 of the primary of three {plan.primaries} times, started again before the next"
    measured = f"longest without an ack {writing.ledger.longest_pause():.1f} s"
    return line("r3", done, writing.ledger, measured, "≤ 3 s without an ack")


async def _kill_primary(members: ReplicaSet, writing: load.Load) -> None:
    primary = await asyncio.to_thread(members.primary)
    members.kill(primary)
    await writing.ledger.next_ack(BACK_SECONDS)
    members.start(primary)
    await asyncio.to_thread(members.wait_until_whole)


async def primary_stopped(folder: Path, plan: Plan) -> Line:
    """R4: stop the primary for a while; return how long no ack came, what a page said."""
    with ExitStack() as stack:
        members = stack.enter_context(replica_sets.running(folder / "members"))
        async with (
            product.served(folder / "product", MONGODB_URI=members.uri) as served,
            screens.watched(served, *await served.admit(plan.pairs + 1)) as (screen, pairs),
            load.among(served, pairs) as writing,
        ):
            writing.write(PAUSE)
            await writing.more(plan.sends // 20)
            primary = await asyncio.to_thread(members.primary)
            members.stop(primary)
            try:
                await screen.write_for(plan.stop_seconds)
            finally:
                members.go_on(primary)
            await asyncio.to_thread(members.wait_until_whole)
            await writing.more(plan.sends // 20)
            await screen.settle(writing.ledger.damage)
            await writing.settle()
    done = f"SIGSTOP of the primary of three for {plan.stop_seconds:.0f} s, a page open"
    measured = f"longest without an ack {writing.ledger.longest_pause():.1f} s; {screen.told()}"
    return line("r4", done, writing.ledger, measured, "≤ 6 s without an ack; never *Sent* untruly")
