"""What has happened, in a sentence that takes the focus."""

import reflex as rx

from carechat.ui import beside


class Notice(rx.Component):
    """A notice on a ground of its own; `look` is good or danger."""

    library = beside.script(__name__, "notice.jsx").importable_path
    tag = "Notice"

    look: rx.Var[str]
    role: rx.Var[str]


notice = Notice.create
