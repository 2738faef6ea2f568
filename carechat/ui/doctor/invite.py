"""The dialog in which a doctor invites a patient."""

import reflex as rx

from carechat.ui.doctor.state import Invite
from carechat.ui.parts import clock, fields
from carechat.ui.parts.dialog import dialog


def button() -> rx.Component:
    """Return the Invite button with its dialog."""
    return dialog(
        rx.cond(Invite.made, _made(), _form()),
        label="Invite",
        title="Invite a patient",
        on_open=Invite.begin,
    )


def _form() -> rx.Component:
    return rx.fragment(
        rx.el.form(
            fields.text("Name", "name", auto_complete="off", max_length=100),
            fields.text("Email", "email", type="email", auto_complete="off"),
            rx.cond(
                Invite.refusal != "",
                rx.el.p(Invite.refusal, class_name="notice danger", role="alert"),
            ),
            fields.button("Create invitation"),
            on_submit=Invite.invite,
        ),
        _close("Cancel"),
    )


def _made() -> rx.Component:
    return rx.fragment(
        rx.cond(Invite.invited.url != "", _link(), _assigned()),
        _close("Done"),
    )


def _link() -> rx.Component:
    return rx.el.div(
        rx.el.p(
            "Give this link to ",
            rx.el.strong(Invite.invited.name),
            ". It works once, until ",
            clock.time(at=Invite.invited.expires_at, kind="ending"),
            ".",
            role="alert",
        ),
        fields.copy(label="Link", value=Invite.invited.url),
    )


def _assigned() -> rx.Component:
    return rx.el.p(
        rx.el.strong(Invite.invited.name),
        " has an account already and is now your patient.",
        class_name="notice good",
        role="alert",
    )


def _close(label: str) -> rx.Component:
    return rx.el.form(fields.button(label, "quiet"), method="dialog", on_submit=None)
