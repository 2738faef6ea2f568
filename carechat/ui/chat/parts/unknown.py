"""What stands where a thread would be if there is nobody to write to at that address."""

import reflex as rx

from carechat.ui import routes
from carechat.ui.chat.parts import header


def unknown() -> rx.Component:
    """Return the words and the way back: the same for a stranger, nobody, and no address at all."""
    return rx.fragment(header.bare(), _words())


def _words() -> rx.Component:
    return rx.el.div(
        rx.el.h1("We cannot find this conversation"),
        rx.el.p("There is nobody with that address whom you can write to."),
        rx.el.a("Back to the dashboard", href=routes.DASHBOARD, class_name="button primary"),
        class_name="empty",
    )
