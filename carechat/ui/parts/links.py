"""A link inside the page; those to other pages are `rx.el.a`, which leaves them to the router."""

import reflex as rx
from reflex_components_core.el.elements.inline import A


def skip(label: str, target: str) -> rx.Component:
    """Return a link to the element of that id, hidden until it has the focus, which it hands on."""
    return A.create(label, href=f"#{target}", class_name="skip button quiet")
