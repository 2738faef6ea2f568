"""The dot that tells whether messages get through."""

import reflex as rx

from carechat.ui import beside

# Other components import it too, by its public path.
beside.script(__name__, "connected.js")


class Connection(rx.Component):
    """`role=status`: **Connected** or **Disconnected**, and why nothing can be stored."""

    library = beside.script(__name__, "connection.jsx").importable_path
    tag = "Connection"

    unreachable: rx.Var[str]


connection = Connection.create
