"""The least that a Reflex page can do: show a number that others change, and say that it did."""

import asyncio

import reflex as rx
from fastapi import FastAPI

END = -1
"""A number that is not shown: the page listens no more."""

waiting: set[asyncio.Queue[int]] = set()
api = FastAPI()


@api.post("/tick/{number}")
async def tick(number: int) -> int:
    """Let every page show the number; returns how many there are."""
    for queue in waiting:
        queue.put_nowait(number)
    return len(waiting)


class Floor(rx.State):
    """One variable."""

    number: int = 0

    @rx.event(background=True)
    async def listen(self):
        """Show each number for as long as the page is open."""
        queue = asyncio.Queue[int]()
        waiting.add(queue)
        try:
            while (number := await queue.get()) != END:
                async with self:
                    self.number = number
        finally:
            waiting.discard(queue)

    @rx.event(background=True)
    async def read(self, number: int):
        """Take note of nothing."""


app = rx.App(api_transformer=api)
app.add_page(lambda: rx.el.p(Floor.number), route="/")
