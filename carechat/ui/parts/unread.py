"""The count of unread messages: in the page's title, on its icon, and said when it rises."""

import reflex as rx

from carechat.ui import beside
from carechat.ui.parts import said as said  # links the said.jsx imported here


class UnreadIcon(rx.Component):
    """Nothing to see in the page itself: the number on the page's icon while it is not 0.

    Once the number is `known` a screen reader is told when what is unread `elsewhere` than in the
    conversation with `beside`, which is open, rises, and who was the last `writer` there.
    """

    library = beside.script(__name__, "unread.jsx").importable_path
    tag = "UnreadIcon"

    count: rx.Var[int]
    known: rx.Var[bool]
    elsewhere: rx.Var[int]
    beside: rx.Var[str]
    writer: rx.Var[str]


icon = UnreadIcon.create


def title(name: str | rx.Var[str], count: rx.vars.NumberVar[int]) -> rx.Var:
    """Return the page's title, led by the number while it is not 0: `(3) Messages`."""
    return rx.cond(count > 0, f"({count}) {name}", name)
