"""The watch that keeps a session awake while its person is there."""

import reflex as rx

from carechat.ui.parts import connection as connection


class Activity(rx.Component):
    """Nothing to see, until a minute before the idle end it asks **Are you still there?**"""

    library = rx.asset("activity.jsx", shared=True).importable_path
    tag = "Activity"

    account: rx.Var[str]
    idle_seconds: rx.Var[int]

    on_active: rx.EventHandler[rx.event.no_args_event_spec]
    on_idle: rx.EventHandler[rx.event.no_args_event_spec]


activity = Activity.create
