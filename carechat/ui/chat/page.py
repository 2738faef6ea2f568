"""The chat page: the thread with one partner, beside the list where there is room."""

import reflex as rx

from carechat.ui import shell
from carechat.ui.chat import thread
from carechat.ui.chat.parts import delivery, frame, header, unknown
from carechat.ui.chat.state import Chat
from carechat.ui.parts.connection import connection
from carechat.ui.parts.phases import Phase, failed
from carechat.ui.session import Tab


def title() -> rx.Var[str]:
    """Return what the tab says."""
    return shell.title(
        rx.cond(Chat.phase == Phase.GONE.value, "Conversation not found", "Conversation")
    )


def page(emergency: str) -> rx.Component:
    """Return the page; `emergency` is the quiet line that says what it is not for."""
    return frame.frame(
        rx.match(
            Chat.phase,
            (Phase.GONE.value, unknown.unknown()),
            (Phase.FAILED.value, failed(Chat.load)),
            # Also while loading: a thread that was there keeps its place and what is being typed.
            _conversation(emergency),
        ),
    )


def _conversation(emergency: str) -> rx.Component:
    return rx.fragment(
        header.header(Chat.partner, connection(unreachable=Tab.unreachable), _delivery()),
        thread.thread(
            account=Chat.account,
            conversation=Chat.conversation,
            partner_email=Chat.partner.email,
            partner_name=Chat.partner.name,
            history=Chat.history,
            newest=Chat.newest,
            older=Chat.older,
            delivered_seq=Chat.delivered_seq,
            read_seq=Chat.read_seq,
            times=Chat.times,
            refused=Chat.refused,
            writable=Chat.writable,
            emergency=emergency,
            unreachable=Tab.unreachable,
            on_older=Chat.show_older,
            on_gap=Chat.fill_gap,
            on_read=Chat.read,
            on_times=Chat.ask_times,
            on_send=Chat.send,
        ),
    )


def _delivery() -> rx.Component:
    return delivery.delivery(
        account=Chat.account,
        conversation=Chat.conversation,
        partner_email=Chat.partner.email,
        partner_name=Chat.partner.name,
        history=Chat.history,
        newest=Chat.newest,
        delivered_seq=Chat.delivered_seq,
        read_seq=Chat.read_seq,
        proof=Chat.proof,
        on_ask=Chat.prove,
    )
