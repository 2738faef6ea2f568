"""The browser's side of a conversation: the thread, and what else touches its outbox."""

import reflex as rx

from carechat.ui import beside, rows
from carechat.ui.parts import connection as connection  # links the connected.js imported here
from carechat.ui.parts import dialog as dialog  # the dialog.jsx
from carechat.ui.parts import query as query  # the query.jsx
from carechat.ui.parts import said as said  # and the said.jsx

for _module in (
    "composer.jsx",
    "drafts.js",
    "early.jsx",
    "feed.jsx",
    "hooks.js",
    "message.jsx",
    "missed.js",
    "outbox.js",
    "reading_position.js",
    "store.js",
    "timeline.js",
):
    beside.script(__name__, _module)


def _sent(
    account: rx.Var[str], conversation: rx.Var[str], client_id: rx.Var[str], text: rx.Var[str]
) -> tuple[rx.Var[str], rx.Var[str], rx.Var[str], rx.Var[str]]:
    return account, conversation, client_id, text


def _numbered(conversation: rx.Var[str], seq: rx.Var[int]) -> tuple[rx.Var[str], rx.Var[int]]:
    return conversation, seq


class Thread(rx.Component):
    """The feed of one conversation and its composer; `history` and `newest` are merged by number.

    `times` are those of one own message, asked for by `on_times` when its line is opened;
    `refused` holds the `client_id` and the `detail`, a sentence, of each message that was
    definitely not stored.
    """

    library = beside.script(__name__, "thread.jsx").importable_path
    tag = "Thread"

    account: rx.Var[str]
    conversation: rx.Var[str]
    partner_email: rx.Var[str]
    partner_name: rx.Var[str]
    history: rx.Var[list[rows.MessageRow]]
    newest: rx.Var[list[rows.MessageRow]]
    older: rx.Var[bool]
    delivered_seq: rx.Var[int]
    read_seq: rx.Var[int]
    times: rx.Var[rows.TimesRow]
    refused: rx.Var[list[dict[str, str]]]
    writable: rx.Var[bool]
    emergency: rx.Var[str]
    unreachable: rx.Var[str]

    on_older: rx.EventHandler[_numbered]
    on_gap: rx.EventHandler[_numbered]
    on_read: rx.EventHandler[_numbered]
    on_times: rx.EventHandler[_numbered]
    on_send: rx.EventHandler[_sent]


class Courier(rx.Component):
    """Sends, from any page, what waits in the outbox for conversations that are not open.

    It leads to `sign_in` once a page has become somebody else's, who signed in in another tab.
    """

    library = beside.script(__name__, "courier.jsx").importable_path
    tag = "Courier"

    account: rx.Var[str]
    sign_in: rx.Var[str]
    stored: rx.Var[list[str]]
    refused: rx.Var[list[dict[str, str]]]

    on_send: rx.EventHandler[_sent]


class SignOutForm(rx.Component):
    """A form that ends the session at `action`, forgets outbox and drafts, and leads to `to`.

    It asks first if something has not gone out yet, and says so if there is no connection.
    """

    library = beside.script(__name__, "sign_out.jsx").importable_path
    tag = "SignOutForm"

    account: rx.Var[str]
    action: rx.Var[str]
    to: rx.Var[str]


thread = Thread.create
courier = Courier.create
sign_out_form = SignOutForm.create
