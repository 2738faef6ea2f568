"""The chat page's frame: beside the thread stands the list, where the screen is wide enough."""

from typing import Any

import reflex as rx

from carechat.ui import routes, shell
from carechat.ui.inbox import lists


def frame(*content: rx.Component | rx.Var[Any]) -> rx.Component:
    """Return the page around `content`: a header and a thread, which share the window's height."""
    return shell.page(
        *content,
        here=routes.CHAT,
        look="chat",
        aside=lists.beside(),
    )
