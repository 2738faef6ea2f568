"""What a doctor does on the dashboard."""

import reflex as rx

from carechat.ui import rows


class Invite(rx.State):
    """One invitation: being written, refused, or made."""

    refusal: str = ""
    made: bool = False
    invited: rows.InvitedRow = rows.InvitedRow()

    @rx.event
    def begin(self):
        """Start afresh."""
        self.reset()

    @rx.event
    async def invite(self, form: dict[str, str]):
        """Invite the person of the form."""
