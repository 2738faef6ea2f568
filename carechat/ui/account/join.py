"""The page behind a one-time link: joining, or choosing a new password."""

import reflex as rx

from carechat.ui import routes, shell
from carechat.ui.account.state import Joining
from carechat.ui.parts import fields, query
from carechat.ui.parts.phases import Phase, failed, skeleton

TITLE = "Choose a password · CareChat"

_REASONS = {
    "invalid": "That password is too common or too short. Please choose another one.",
    "rate_limited": "Too many tries. Please wait a little, then try again.",
    "other": "That did not work. Please try again.",
}


def page(clinic: str | rx.Var[str]) -> rx.Component:
    """Return the page; what it shows depends on the link."""
    return shell.public(
        rx.match(
            Joining.phase,
            (Phase.READY.value, _choose()),
            (Phase.GONE.value, _used_up()),
            (Phase.FAILED.value, _try_again()),
            rx.fragment(
                rx.el.h1("Choose a password", class_name="visually-hidden"), skeleton("line", 4)
            ),
        ),
        clinic=clinic,
    )


def _choose() -> rx.Component:
    return rx.fragment(
        rx.el.h1(rx.cond(Joining.new_account, f"Welcome, {Joining.name}", "Choose a new password")),
        rx.el.p(
            rx.cond(
                Joining.new_account,
                "Choose a password, then you can write to your doctor. You will sign in with ",
                "You sign in with ",
            ),
            rx.el.strong(Joining.email),
            ".",
        ),
        query.notice(texts=_REASONS),
        _form(),
    )


def _form() -> rx.Component:
    return rx.el.form(
        query.field(name="token"),
        # Without it a password manager could not tell whose password this is.
        rx.el.input(
            type="email",
            name="email",
            value=Joining.email,
            read_only=True,
            auto_complete="username",
            class_name="visually-hidden",
            tab_index=-1,
            aria_hidden="true",
        ),
        fields.new_password("Password", "password"),
        fields.button(rx.cond(Joining.new_account, "Join", "Save and sign in")),
        action=routes.form_action(routes.ACCEPT),
        method="post",
        on_submit=None,
    )


def _try_again() -> rx.Component:
    return rx.fragment(rx.el.h1("Choose a password"), failed(Joining.load))


def _used_up() -> rx.Component:
    return rx.fragment(
        rx.el.h1("This link no longer works"),
        rx.el.p(
            "It was used already, or is too old. If you have chosen a password, just sign in. "
            "Otherwise please ask your clinic for a new link."
        ),
        rx.el.a("Go to the sign-in page", href=routes.LOGIN, class_name="button primary"),
    )
