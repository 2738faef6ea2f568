"""The chat page's frame: the list beside the thread on a wide screen, the thread alone on a phone."""

import reflex as rx

from carechat.ui import routes, shell
from carechat.ui.chat.parts import header
from carechat.ui.inbox.state import Inbox
from carechat.ui.parts import conversations
from carechat.ui.parts.phases import skeleton


def frame(*content: rx.Component, partner_email: rx.Var[str]) -> rx.Component:
    """Return the page around `content`: a header and a thread, which share the window's height."""
    return shell.page(
        *content,
        here=routes.CHAT,
        look="chat",
        aside=conversations.beside(
            rows=Inbox.shown,
            loaded=Inbox.loaded, changed=Inbox.changed,
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
