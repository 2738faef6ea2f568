"""A patient's dashboard: one clear way to each doctor."""

import reflex as rx

from carechat.ui.inbox import lists
from carechat.ui.inbox.state import Inbox
from carechat.ui.parts import clock
from carechat.ui.parts.phases import empty, phased, skeleton


def content() -> rx.Component:
    """Return everything between the frame's edges."""
    return rx.fragment(
        rx.el.h1(clock.greeting(name=Inbox.viewer.short_name)),
        phased(Inbox.phase, _doctors(), skeleton("banner", 1), Inbox.load),
    )


def _doctors() -> rx.Component:
    return rx.cond(
        Inbox.total == 0,
        empty(
            "No doctor yet",
            "Your clinic connects you with your doctor. "
            "If you expected to find them here, please call the clinic.",
        ),
        lists.banners(),
    )
