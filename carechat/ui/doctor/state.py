"""What a doctor does on the dashboard."""

import reflex as rx

from carechat.domain import errors
from carechat.services import invitations
from carechat.ui import incoming, rows, session


class Invite(rx.State):
    """One invitation: being written, refused, or made."""

    tries: int = 0
    refusal: str = ""
    made: bool = False
    invited: rows.InvitedRow = rows.InvitedRow()

    @rx.event
    def begin(self):
        """Start afresh."""
        self.reset()

    @rx.event
    async def invite(self, form: dict[str, str]):
        """Invite the person of the form, or say why not."""
        self.tries += 1
        ctx, name = session.caller(), incoming.text(form.get("name"))
        try:
            outcome = await invitations.invite(ctx, incoming.text(form.get("email")), name)
        except errors.CareChatError as error:
            self.refusal = error.detail
            return
        self.refusal, self.made = "", True
        self.invited = rows.invited(name, outcome)
