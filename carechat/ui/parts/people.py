"""How a person is shown."""

import reflex as rx


def avatar(initials: str | rx.Var[str] | rx.Component) -> rx.Component:
    """Return a disc with the initials; the name must stand beside it."""
    return rx.el.span(initials, class_name="avatar", aria_hidden="true")
