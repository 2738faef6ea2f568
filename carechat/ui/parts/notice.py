"""What has happened, in a sentence that takes the focus."""

import reflex as rx


class Notice(rx.Component):
    """A notice on a ground of its own; `look` is good or danger."""

    library = rx.asset("notice.jsx", shared=True).importable_path
    tag = "Notice"

    look: rx.Var[str]
    role: rx.Var[str]


notice = Notice.create
