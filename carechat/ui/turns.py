"""Turns: what reads much for a page is read for one person one after the other."""

import asyncio
from weakref import WeakValueDictionary

from carechat.services.context import Context

_turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()


def turn(ctx: Context) -> asyncio.Lock:
    """Return what to hold while much is read for that person, until their page has been told.

    So what they ask for at once, on however many pages, is never in memory at once.
    """
    return _turns.setdefault(ctx.user.id, asyncio.Lock())
