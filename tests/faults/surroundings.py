"""R9: Redis is gone and comes back, the disk is full, the clock is set by an hour."""

import asyncio
import os
import subprocess
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from carechat.storage import mongod
from tests import redis_servers
from tests.faults import load, product, screens
from tests.faults.figures import Line, line
from tests.faults.plan import Plan

PAUSE = 0.02
BACK_SECONDS = 60.0
OUTAGE_SECONDS = 3.0
TOLD_SECONDS = 30.0
POLL_SECONDS = 0.02
REDIS_WORKERS = "2"

DISK = "600m"
FULL_SECONDS = 8.0
FLUSH_MS = 5_000
BALLAST_BYTES = 1_000_000

HOUR = 3_600
SLEEP = """\"\"\"Sleeps in a way that libfaketime 0.9.10 does not break.\"\"\"

import select
import time

time.sleep = lambda seconds: select.select([], [], [], seconds)
"""
STEPS = (HOUR, 0)
"""Seconds that the clock is ahead: set forward by an hour, then back by one."""

FAKETIME = "faketime/libfaketimeMT.so.1"


async def redis_gone(folder: Path, plan: Plan) -> Line:
    """Kill Redis, which carries events between two workers, and start it again."""
    with redis_servers.running() as carrier:
        variables = {"REDIS_URL": carrier.url, "CARECHAT_WORKERS": REDIS_WORKERS}
        async with (
            product.served(folder / "product", **variables) as served,
            load.among(served, await served.admit(plan.pairs), listening=2) as writing,
        ):
            writing.write(PAUSE)
            for _ in range(plan.outages):
                await writing.more(plan.sends // 20)
                carrier.kill()
                await asyncio.sleep(OUTAGE_SECONDS)
                await asyncio.to_thread(carrier.start)
            await writing.more(plan.sends // 20)
            carrier.kill()
            await writing.more(plan.sends // 20)
            await writing.finish()
            told = await writing.told(TOLD_SECONDS)
            await writing.settle()
    done = (
        f"two workers, kill -9 of Redis {plan.outages + 1} times, away for {OUTAGE_SECONDS:.0f} s, "
        "in the end for good"
    )
    measured = (
        f"longest without an ack {writing.ledger.longest_pause():.1f} s; without Redis the last "
        f"messages were everywhere {told:.1f} s after their acks"
    )
    return line("r9 redis", done, writing.ledger, measured, "nothing lost, order kept; ≤ 2 s")


async def disk_full(folder: Path, plan: Plan) -> Line:
    """Fill the disk under the embedded MongoDB, with a page open, and free it again."""
    with disk(folder / "disk") as small:
        async with (
            product.served(small / "product") as served,
            screens.watched(served, *await served.admit(plan.pairs + 1)) as (screen, pairs),
            load.among(served, pairs) as writing,
        ):
            writing.write(PAUSE)
            await writing.more(plan.sends // 20)
            with _filled(small):
                await _flush(served.files())
                await screen.write_for(FULL_SECONDS)
                freed = time.monotonic()
            await writing.ledger.next_ack(BACK_SECONDS)
            back = writing.ledger.first_after(freed)
            await writing.more(plan.sends // 20)
            await screen.settle(writing.ledger.damage)
            await writing.settle()
    done = f"the disk under MongoDB full for {FULL_SECONDS:.0f} s, a page open"
    measured = f"{back:.1f} s from free space to the next ack; {screen.told()}"
    return line("r9 disk", done, writing.ledger, measured, "nothing lost; the page says so")


@contextmanager
def disk(place: Path) -> Generator[Path]:
    """Give a small disk of its own (in memory), which only root may make."""
    place.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


@contextmanager
def _filled(place: Path) -> Generator[None]:
    """Nothing more fits on that disk for so long."""
    ballast = place / "ballast"
    try:
        with ballast.open("wb", buffering=0) as file:
            _fill(file.fileno())
            yield
    finally:
        ballast.unlink()


def _fill(descriptor: int) -> None:
    part = bytes(BALLAST_BYTES)
    try:
        while True:
            os.write(descriptor, part)
    except OSError:
        return


async def _flush(files: mongod.Files) -> None:
    """Let MongoDB write down everything, which it else does once a minute: now it notices."""
    place = quote_plus(mongod.address(files), safe=":")
    who = f"__system:{files.key.read_text()}"
    where = f"mongodb://{who}@{place}/?authSource=local&directConnection=true"
    async with AsyncMongoClient[dict[str, Any]](where, timeoutMS=FLUSH_MS) as client:
        with suppress(PyMongoError):
            await client.admin.command("fsync")


async def clock_set(folder: Path, plan: Plan) -> Line:
    """Set the server's clock an hour forward and back, under load."""
    with clock(folder / "clock") as (variables, step):
        async with (
            product.served(folder / "product", **variables) as served,
            load.among(served, await served.admit(plan.pairs)) as writing,
        ):
            writing.write(PAUSE)
            for ahead in STEPS:
                await writing.more(plan.sends // 20)
                step(ahead)
                await asyncio.sleep(OUTAGE_SECONDS)
            await writing.more(plan.sends // 20)
            await writing.settle()
    done = "the clock of the server set forward by an hour, and back again"
    measured = f"longest without an ack {writing.ledger.longest_pause():.1f} s"
    return line("r9 clock", done, writing.ledger, measured, "order kept, times rise")


@contextmanager
def clock(folder: Path) -> Generator[tuple[dict[str, str], Callable[[int], None]]]:
    """Give the variables of a process with a clock of its own, and what sets it, in seconds ahead.

    Time that only passes, by which programs measure how long something takes, is left alone, and so
    is MongoDB, which libfaketime makes hang.
    """
    folder.mkdir(parents=True)
    file = folder / "clock"

    def step(ahead: int) -> None:
        new = file.with_suffix(".new")
        new.write_text(f"{ahead:+d}\n")
        new.replace(file)

    libraries = sorted(Path("/usr/lib").glob(f"*/{FAKETIME}"))
    assert libraries, "no libfaketime: apt-get install faketime"
    (folder / "sitecustomize.py").write_text(SLEEP)
    real = folder / "mongod"
    real.write_text(f'#!/bin/sh\nexec env -u LD_PRELOAD {mongod.program()} "$@"\n')
    real.chmod(0o700)
    step(0)
    yield (
        {
            "LD_PRELOAD": str(libraries[0]),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_CACHE_DURATION": "1",
            "PYTHONPATH": str(folder),
            "CARECHAT_MONGOD": str(real),
        },
        step,
    )
