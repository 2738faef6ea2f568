"""A place on which a State that was lost stays painted until it is loaded again."""

import reflex as rx

from carechat.ui import beside


class Still(rx.Component):
    """Its children see the last that the State of that full name knew, while its phase is loading.

    A server that was started again begins with empty States: painted, they would take away what
    somebody has open, types in or has the focus on.
    """

    library = beside.script(__name__, "still.jsx").importable_path
    tag = "Still"

    state: rx.Var[str]


still = Still.create
