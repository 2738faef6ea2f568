"""Where the focus goes on another page of the app."""

import reflex as rx


class Arrival(rx.Component):
    """Nothing to see: it gives the focus to the heading, if nothing else has it."""

    library = rx.asset("arrival.jsx", shared=True).importable_path
    tag = "Arrival"


arrival = Arrival.create
