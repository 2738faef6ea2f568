"""The chat page's frame: beside the thread stands the list, where the screen is wide enough."""

from typing import Any

import reflex as rx

from carechat.ui import routes, shell
from carechat.ui.chat.parts import header
from carechat.ui.inbox.state import Inbox
from carechat.ui.parts import conversations
from carechat.ui.parts.phases import skeleton


def frame(*content: rx.Component | rx.Var[Any], partner_email: rx.Var[str] | str) -> rx.Component:
    """Return the page around `content`: a header and a thread, which share the window's height."""
    return shell.page(
        *content,
        here=routes.CHAT,
        look="chat",
        aside=conversations.beside(
            rows=Inbox.shown,
            loaded=Inbox.loaded,
            changed=Inbox.changed,
            open=partner_email,
            more=Inbox.more,
            on_more=Inbox.show_more,
        ),
    )


def loading() -> rx.Component:
    """Return what stands there until the conversation is known."""
    return rx.fragment(
        header.bare(),
        rx.el.h1("Conversation", class_name="visually-hidden"),
        skeleton("bubble", 5),
    )
