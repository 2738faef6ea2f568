"""The dot that tells whether messages get through."""

import reflex as rx

# Other components import it too, by its public path.
rx.asset("connected.js", shared=True)


class Connection(rx.Component):
    """`role=status`: **Connected** or **Disconnected**, and why nothing can be stored."""

    library = rx.asset("connection.jsx", shared=True).importable_path
    tag = "Connection"

    unreachable: rx.Var[str]


connection = Connection.create
