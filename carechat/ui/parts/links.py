"""Links inside the page, and what lets those to other pages, `rx.el.a`, work offline."""

import reflex as rx
from reflex_components_core.el.elements.inline import A

from carechat.ui import beside


class Ahead(rx.Component):
    """Nothing to see: what the pages at those addresses need is fetched before they are opened."""

    library = beside.script(__name__, "ahead.jsx").importable_path
    tag = "Ahead"

    pages: rx.Var[list[str]]


ahead = Ahead.create


def skip(label: str, target: str) -> rx.Component:
    """Return a link to the element of that id, hidden until it has the focus, which it hands on."""
    return A.create(label, href=f"#{target}", class_name="skip button quiet")
