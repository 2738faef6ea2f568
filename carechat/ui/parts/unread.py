"""The count of unread messages in the page's title and on its icon."""

import reflex as rx


class UnreadIcon(rx.Component):
    """Nothing to see in the page itself: the number on the page's icon while it is not 0."""

    library = rx.asset("unread.jsx", shared=True).importable_path
    tag = "UnreadIcon"

    count: rx.Var[int]


icon = UnreadIcon.create


def title(name: str | rx.Var[str], count: rx.vars.NumberVar[int]) -> rx.Var:
    """Return the page's title, led by the number while it is not 0: `(3) Messages`."""
    return rx.cond(count > 0, f"({count}) {name}", name)
