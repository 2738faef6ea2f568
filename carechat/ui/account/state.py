"""What somebody does with their own account."""

import reflex as rx

from carechat.ui.parts.phases import Phase


class Password(rx.State):
    """A change of the own password: being typed, refused, or done."""

    refusal: str = ""
    done: bool = False

    @rx.event
    def begin(self):
        """Start afresh."""
        self.reset()

    @rx.event
    async def change(self, form: dict[str, str]):
        """Change the password as the form says."""


class Joining(rx.State):
    """What a one-time link is for, until it is used."""

    phase: str = Phase.LOADING.value
    name: str = ""
    email: str = ""
    new_account: bool = True

    @rx.event
    async def load(self):
        """Look the link up."""
