"""The first page after signing in: each role finds its own."""

import reflex as rx

from carechat.ui import routes, shell
from carechat.ui.doctor import page as doctor
from carechat.ui.inbox.state import Inbox
from carechat.ui.parts.phases import empty, skeleton
from carechat.ui.patient import page as patient


def title() -> rx.Var[str]:
    """Return what the tab says."""
    return shell.title("Dashboard")


def page() -> rx.Component:
    """Return the dashboard of whoever is signed in."""
    return shell.page(
        rx.match(
            Inbox.viewer.role,
            ("doctor", doctor.content()),
            ("patient", patient.content()),
            ("admin", _admin()),
            _unknown_yet(),
        ),
        here=routes.DASHBOARD,
    )


def _admin() -> rx.Component:
    return rx.fragment(
        rx.el.h1("Administration"),
        empty(
            "Accounts are managed on the command line",
            "On the machine where CareChat runs, python -m carechat --help lists what can be done.",
        ),
    )


def _unknown_yet() -> rx.Component:
    return rx.fragment(rx.el.h1("Dashboard", class_name="visually-hidden"), skeleton("patient", 3))
