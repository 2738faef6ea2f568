"""The sign-in page: a native form, so that it works before and without any script."""

from dataclasses import dataclass

import reflex as rx

from carechat.ui import beside, routes, shell
from carechat.ui.parts import fields, query

TITLE = "Sign in · CareChat"

_KEPT = "Sign in again to go on where you were. What you had written is kept on this device."

_REASONS = {
    "unauthenticated": "Email or password is not right",
    "rate_limited": "Too many tries. Please wait 15 minutes, then try again.",
    "ended": f"You were signed out. {_KEPT}",
    "idle": f"You were signed out because nothing happened for a while. {_KEPT}",
    "another": f"Somebody else has signed in in this browser. {_KEPT}",
    "unavailable": "We cannot sign you in just now. Please try again in a moment.",
    "other": "That did not work. Please try again.",
}

_CALM = ["ended", "idle", "another"]


class EmailField(rx.Component):
    """The field for the address, which has what was typed again after a refusal."""

    library = beside.script(__name__, "email.jsx").importable_path
    tag = "EmailField"

    label: rx.Var[str]
    name: rx.Var[str]
    calm: rx.Var[list[str]]


@dataclass(frozen=True)
class Demo:
    """What the page tells about the accounts of the demo."""

    doctor: str
    patient: str
    password: str


def page(clinic: str | rx.Var[str], demo: Demo | None = None) -> rx.Component:
    """Return the page; with `demo` it offers the demo's accounts."""
    return shell.public(
        rx.el.h1("Sign in"),
        query.notice(texts=_REASONS, calm=_CALM),
        _form(),
        rx.el.p(
            "Forgotten your password? Ask your clinic: they give you a link to choose a new one.",
            class_name="hint",
        ),
        _demo(demo) if demo else rx.fragment(),
        clinic=clinic,
    )


def _form() -> rx.Component:
    return rx.el.form(
        EmailField.create(label="Email", name="email", calm=_CALM),
        fields.password(),
        query.next_field(),
        fields.button("Sign in"),
        action=routes.form_action(routes.SIGN_IN),
        method="post",
        on_submit=None,
    )


def _demo(demo: Demo) -> rx.Component:
    return rx.el.section(
        rx.el.h2("This is a demo"),
        rx.el.p("Look around:"),
        rx.el.div(
            _continue("As a doctor", demo.doctor, demo.password),
            _continue("As a patient", demo.patient, demo.password),
            class_name="pair",
        ),
        rx.el.p(
            rx.el.code(demo.doctor),
            " or ",
            rx.el.code(demo.patient),
            ", password ",
            rx.el.code(demo.password),
            class_name="hint",
        ),
        class_name="demo",
    )


def _continue(label: str, email: str, password: str) -> rx.Component:
    return rx.el.form(
        fields.hidden("email", email),
        fields.hidden("password", password),
        query.next_field(),
        fields.button(label, "quiet"),
        action=routes.form_action(routes.SIGN_IN),
        method="post",
        on_submit=None,
    )
