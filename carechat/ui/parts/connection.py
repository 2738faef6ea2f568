"""The dot that tells whether messages get through, and the module that the other parts ask the same."""

import reflex as rx

# The browser finds the module beside the component.
rx.asset("link.js", shared=True)


class Connection(rx.Component):
    """`role=status` that says **Connected** or **Disconnected**, and why the server cannot store anything."""

    library = rx.asset("connection.jsx", shared=True).importable_path
    tag = "Connection"

    unreachable: rx.Var[str]


connection = Connection.create
