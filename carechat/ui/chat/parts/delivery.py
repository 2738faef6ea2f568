"""The panel in a chat's header that proves what became of everything in the conversation."""

import reflex as rx

from carechat.ui import beside, rows
from carechat.ui.chat import thread as thread  # links the hooks.js imported here
from carechat.ui.parts import connection as connection  # and the connected.js
from carechat.ui.parts import query as query  # and the query.jsx


def _asked(conversation: rx.Var[str], seen: rx.Var[int]) -> tuple[rx.Var[str], rx.Var[int]]:
    return conversation, seen


class Delivery(rx.Component):
    """A button **Delivery**, and the panel that it opens, which follows what happens.

    `on_ask` is called with the highest number on the page when `proof` has to be counted anew.
    """

    library = beside.script(__name__, "delivery.jsx").importable_path
    tag = "Delivery"

    account: rx.Var[str]
    conversation: rx.Var[str]
    partner_email: rx.Var[str]
    partner_name: rx.Var[str]
    history: rx.Var[list[rows.MessageRow]]
    newest: rx.Var[list[rows.MessageRow]]
    delivered_seq: rx.Var[int]
    read_seq: rx.Var[int]
    proof: rx.Var[rows.ProofRow]

    on_ask: rx.EventHandler[_asked]


delivery = Delivery.create
