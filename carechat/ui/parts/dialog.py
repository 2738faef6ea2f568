"""A dialog with the button that opens it."""

import reflex as rx

from carechat.ui import beside


class DialogButton(rx.Component):
    """A button named `label` that opens a dialog headed `title` at once, whatever the network does.

    A form with `method="dialog"` inside closes it.
    """

    library = beside.script(__name__, "dialog.jsx").importable_path
    tag = "DialogButton"

    label: rx.Var[str]
    title: rx.Var[str]

    on_open: rx.EventHandler[rx.event.no_args_event_spec]


dialog = DialogButton.create
