"""What a page shows is what its States say, also if an update was lost on the way to it."""

import zlib
from typing import Any

import orjson
import reflex as rx

from carechat.ui import incoming, live, session
from carechat.ui.chat.state import Chat
from carechat.ui.inbox.state import Inbox
from carechat.ui.parts import agreement
from carechat.ui.parts.phases import Phase


class Agreement(rx.State):
    """Compares what a page has with what its States say.

    Reflex sends each change once. Whatever a page lacks because of that is seen here by a checksum
    of the values, and sent again: messages, receipts, counts, lists, what can be stored.
    """

    @rx.event
    async def check(self, chat: int, inbox: int, tab: int):
        """Send again each State that is not as the page has it, by the checksums of its values.

        A page that nobody keeps current any more is followed anew.
        """
        session.caller()
        seen = ((Chat, chat), (Inbox, inbox), (session.Tab, tab))
        for kind, checksum in seen:
            state = await self.get_state(kind)
            if _checksum(state) != incoming.number(checksum):
                _send_again(state)
        return None if live.follows(self.router.session.client_token) else live.Live.listen


def check() -> rx.Component:
    """Return what asks, from every page of the signed-in, now and then and when somebody looks."""
    return agreement.agreement(
        chat=_shown(Chat),
        inbox=_shown(Inbox),
        tab=_shown(session.Tab),
        loading=Inbox.phase == Phase.LOADING.value,
        on_check=Agreement.check,
    )


def _shown(kind: type[rx.State]) -> rx.Var[list[Any]]:
    return rx.Var.create([getattr(kind, name) for name in kind.base_vars])


def _checksum(state: rx.State) -> int:
    """As `checksum.js` makes it of the same values: orjson writes JSON as browsers do."""
    return zlib.crc32(orjson.dumps([state.get_value(name) for name in state.base_vars]))


def _send_again(state: rx.State) -> None:
    for name in state.base_vars:
        setattr(state, name, state.get_value(name))
