"""What somebody does with their own account."""

import reflex as rx

from carechat.domain import errors
from carechat.services import accounts, invitations, networks
from carechat.ui import incoming, session
from carechat.ui.parts.phases import Phase

_FAULTS = {errors.ForbiddenError: "current", errors.InvalidError: "new"}
"""The field that each refusal is about."""


class Password(rx.State):
    """A change of the own password: being typed, refused at the field `fault`, or done."""

    tries: int = 0
    fault: str = ""
    refusal: str = ""
    done: bool = False

    @rx.event
    def begin(self):
        """Start afresh."""
        self.reset()

    @rx.event
    async def change(self, form: dict[str, str]):
        """Change the password as the form says, or say why not."""
        ctx, self.tries = session.caller(), self.tries + 1
        try:
            current, new = incoming.text(form.get("current")), incoming.text(form.get("new"))
            network = networks.network(self.router.session.client_ip)
            await accounts.change_password(ctx, current, new, network)
        except errors.CareChatError as error:
            self.refusal, self.fault = error.detail, _FAULTS.get(type(error), "")
            return
        self.refusal, self.fault, self.done = "", "", True


class Joining(rx.State):
    """What a one-time link is for, until it is used."""

    phase: str = Phase.LOADING.value
    name: str = ""
    email: str = ""
    new_account: bool = True

    @rx.event
    async def load(self):
        """Look the link up."""
        self.reset()
        token = self.router.url.query_parameters.get("token", "")
        try:
            link = await invitations.find(session.backend(), token)
        except errors.NotFoundError:
            self.phase = Phase.GONE.value
            return
        except errors.UnavailableError:
            self.phase = Phase.FAILED.value
            return
        self.name, self.email = link.name, link.email
        self.new_account = link.purpose is invitations.Purpose.JOIN
        self.phase = Phase.READY.value
