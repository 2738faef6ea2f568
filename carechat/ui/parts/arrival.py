"""Where the focus goes on another page of the app."""

import reflex as rx

from carechat.ui import beside


class Arrival(rx.Component):
    """Nothing to see: it gives the focus to the heading, if nothing else has it."""

    library = beside.script(__name__, "arrival.jsx").importable_path
    tag = "Arrival"


arrival = Arrival.create
