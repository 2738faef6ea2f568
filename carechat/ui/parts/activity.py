"""The watch that keeps a session awake while its person is there."""

import reflex as rx

from carechat.ui import beside
from carechat.ui.parts import connection as connection  # links the connected.js imported here
from carechat.ui.parts import dialog as dialog  # and the dialog.jsx


class Activity(rx.Component):
    """Nothing to see, until it asks **Are you still there?** a minute before the idle end.

    Offline it covers the page after that end.
    """

    library = beside.script(__name__, "activity.jsx").importable_path
    tag = "Activity"

    account: rx.Var[str]
    idle_seconds: rx.Var[int]

    on_active: rx.EventHandler[rx.event.no_args_event_spec]
    on_idle: rx.EventHandler[rx.event.no_args_event_spec]


activity = Activity.create
