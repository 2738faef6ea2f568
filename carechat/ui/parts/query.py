"""What the page's own address says, read in the browser: it is there without a server's answer."""

import reflex as rx

from carechat.ui import beside
from carechat.ui.parts.notice import Notice as Notice  # links the notice.jsx imported here

_LIBRARY = beside.script(__name__, "query.jsx").importable_path


class QueryNotice(rx.Component):
    """Says what `?error=` stands for: an alert, or a quiet note if it is one of `calm`."""

    library = _LIBRARY
    tag = "QueryNotice"

    texts: rx.Var[dict[str, str]]
    calm: rx.Var[list[str]]


class NextField(rx.Component):
    """Takes `?next=` along as a hidden field."""

    library = _LIBRARY
    tag = "NextField"


class QueryField(rx.Component):
    """Takes one part of the query along as a hidden field of the same name."""

    library = _LIBRARY
    tag = "QueryField"

    name: rx.Var[str]


class OfPartner(rx.Component):
    """Shows what is in it while the chat page's address names the partner with that e-mail.

    Who cannot see the page is told what it is `otherwise`.
    """

    library = _LIBRARY
    tag = "OfPartner"

    email: rx.Var[str]
    otherwise: rx.Var[str]


notice = QueryNotice.create
next_field = NextField.create
field = QueryField.create
of_partner = OfPartner.create
