"""The inbox in its looks: cards for a doctor, banners for a patient, a list beside a thread."""

from typing import Any

import reflex as rx

from carechat.ui.inbox.state import Inbox
from carechat.ui.parts import conversations


def cards() -> rx.Component:
    """Return a card for each conversation, unread first."""
    return conversations.cards(**_rows())


def banners() -> rx.Component:
    """Return a banner for each conversation."""
    return conversations.banners(account=Inbox.viewer.email, **_rows())


def beside() -> rx.Component:
    """Return a line for each conversation, the one that is open marked."""
    return conversations.beside(**_rows())


def _rows() -> dict[str, Any]:
    return {
        "rows": Inbox.shown,
        "loaded": Inbox.loaded,
        "changed": Inbox.changed,
        "changes": Inbox.changes,
        "more": Inbox.more,
        "on_missed": Inbox.load,
        "on_more": Inbox.show_more,
    }
