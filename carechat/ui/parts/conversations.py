"""Conversations as cards, as banners and as a list, all painted from the same rows.

`rows` is set when they are loaded, for the time that `loaded` counts; `changed` is what the last of
the `changes` since then has touched, so what a message costs on the wire does not grow with the
number of patients. The browser puts them together, asks (`on_missed`) if it lacks a change, and at
the end of the list asks for `more`.
"""

import reflex as rx

from carechat.ui import beside, rows
from carechat.ui.chat import thread as thread  # links the hooks.js imported here
from carechat.ui.parts import clock as clock
from carechat.ui.parts import query as query
from carechat.ui.parts import said as said

beside.script(__name__, "order.js")
_LIBRARY = beside.script(__name__, "conversations.jsx").importable_path


class _Conversations(rx.Component):
    library = _LIBRARY

    rows: rx.Var[list[rows.ConversationRow]]
    loaded: rx.Var[int]
    changed: rx.Var[list[dict[str, str | int | bool]]]
    changes: rx.Var[int]

    more: rx.Var[bool]

    on_missed: rx.EventHandler[rx.event.no_args_event_spec]
    on_more: rx.EventHandler[rx.event.no_args_event_spec]


class Cards(_Conversations):
    """A doctor's patients, unread first, then the newest."""

    tag = "Cards"


class Banners(_Conversations):
    """A patient's doctors, each with a banner that says whether they are there.

    `account` is the patient's address: a banner also says what of theirs waits to be sent.
    """

    tag = "Banners"

    account: rx.Var[str]


class List(_Conversations):
    """The conversations beside the thread, newest first, the one that is open marked."""

    tag = "List"
    alias = "ConversationList"


cards = Cards.create
banners = Banners.create
beside = List.create
