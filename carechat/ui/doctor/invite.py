"""The dialog in which a doctor invites a patient."""

from typing import Any

import reflex as rx

from carechat.ui.doctor.state import Invite
from carechat.ui.parts import clock, fields
from carechat.ui.parts.dialog import dialog

_REFUSAL = "refusal"


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
            fields.text(
                "Email",
                "email",
                type="email",
                auto_complete="off",
                aria_invalid=Invite.refusal != "",
                aria_describedby=rx.cond(Invite.refusal != "", _REFUSAL, ""),
            ),
            rx.cond(Invite.refusal != "", _refusal()),
            fields.button("Create invitation"),
            on_submit=Invite.invite,
        ),
        _close("Cancel"),
    )


def _refusal() -> rx.Component:
    """Return why not; each time it is another element, so that the same words are said again."""
    return rx.el.p(
        Invite.refusal, id=_REFUSAL, key=Invite.tries, class_name="notice danger", role="alert"
    )


def _made() -> rx.Component:
    return rx.cond(
        Invite.invited.url != "",
        rx.fragment(_link(), _close("Done")),
        rx.fragment(_assigned(), _close("Done", auto_focus=True)),
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


def _close(label: str, **props: Any) -> rx.Component:
    return rx.el.form(fields.button(label, "quiet", **props), method="dialog", on_submit=None)
