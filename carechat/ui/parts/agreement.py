"""The watch that sees whether a page has all that its States say."""

from typing import Any

import reflex as rx

from carechat.ui import beside
from carechat.ui.parts import connection as connection  # links the connected.js imported here

beside.script(__name__, "checksum.js")


def _checked(
    chat: rx.Var[int], inbox: rx.Var[int], tab: rx.Var[int]
) -> tuple[rx.Var[int], rx.Var[int], rx.Var[int]]:
    return chat, inbox, tab


class Agreement(rx.Component):
    """Nothing to see; `chat`, `inbox` and `tab` are the values that the page has of each State."""

    library = beside.script(__name__, "agreement.jsx").importable_path
    tag = "Agreement"

    chat: rx.Var[list[Any]]
    inbox: rx.Var[list[Any]]
    tab: rx.Var[list[Any]]
    loading: rx.Var[bool]

    on_check: rx.EventHandler[_checked]


agreement = Agreement.create
