"""The own account: changing the password."""

import reflex as rx

from carechat.ui import routes, shell
from carechat.ui.account.state import Password
from carechat.ui.parts import fields, notice

_REFUSAL = "refusal"


def title() -> rx.Var[str]:
    """Return what the tab says."""
    return shell.title("Change password")


def page() -> rx.Component:
    """Return the page."""
    return shell.page(
        rx.el.h1("Change password"),
        rx.el.div(
            rx.cond(Password.done, _done(), _form()),
            class_name="card narrow",
            on_mount=Password.begin,
        ),
        here=routes.ACCOUNT,
    )


def _form() -> rx.Component:
    return rx.el.form(
        fields.password("Current password", "current", fault=_fault("current")),
        fields.new_password("New password", "new", fault=_fault("new")),
        rx.cond(Password.refusal != "", _refusal()),
        fields.button("Change password"),
        on_submit=Password.change,
    )


def _fault(name: str) -> rx.Var[str]:
    return rx.cond(Password.fault == name, _REFUSAL, "")


def _refusal() -> rx.Component:
    """Return why not; each time it is another element, so that the same words are said again."""
    return rx.el.p(
        Password.refusal, key=Password.tries, id=_REFUSAL, class_name="notice danger", role="alert"
    )


def _done() -> rx.Component:
    return rx.fragment(
        notice.notice(
            "Your password is changed. Other devices that were signed in have been signed out.",
            look="good",
            role="alert",
        ),
        rx.el.a("Back to the dashboard", href=routes.DASHBOARD, class_name="button primary"),
    )
