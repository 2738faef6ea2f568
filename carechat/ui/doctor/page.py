"""A doctor's dashboard: who waits, and the way to everybody."""

import reflex as rx

from carechat.ui.doctor import invite
from carechat.ui.inbox import lists
from carechat.ui.inbox.state import Inbox
from carechat.ui.parts import clock, icons, search
from carechat.ui.parts.phases import empty, phased, skeleton


def content() -> rx.Component:
    """Return everything between the frame's edges."""
    return rx.fragment(
        rx.el.div(rx.el.h1("My Patients"), invite.button(), class_name="page-head"),
        phased(Inbox.phase, _patients(), skeleton("patient", 6), Inbox.load),
    )


def _patients() -> rx.Component:
    nobody = (Inbox.total == 0) & (Inbox.name == "")
    return rx.cond(nobody, _nobody_yet(), rx.fragment(_toolbar(), _found()))


def _toolbar() -> rx.Component:
    return rx.el.div(
        rx.el.div(
            icons.search(),
            search.field(
                label="Search by name",
                sought=Inbox.name,
                on_search=Inbox.search.debounce(150),
            ),
            class_name="search",
        ),
        rx.el.p(_waiting(), class_name="waiting"),
        class_name="toolbar",
    )


def _waiting() -> rx.Component:
    return rx.cond(
        Inbox.waiting > 0,
        rx.el.span(
            rx.el.strong(Inbox.waiting, " waiting"),
            " · ",
            rx.el.a(
                "longest ",
                clock.time(at=Inbox.waiting_since, kind="waiting"),
                href=Inbox.waiting_link,
            ),
            class_name="amber",
        ),
        rx.el.span("Nobody is waiting"),
    )


def _found() -> rx.Component:
    return rx.fragment(
        rx.el.p(
            rx.cond(Inbox.name != "", f"{Inbox.total} found", ""),
            class_name="visually-hidden",
            aria_live="polite",
        ),
        rx.cond(
            Inbox.total == 0,
            empty(
                "Nobody of that name", "Check the spelling, or clear the search to see everybody."
            ),
            lists.cards(),
        ),
    )


def _nobody_yet() -> rx.Component:
    return empty(
        "No patients yet",
        "Invite your first patient: you get a link to hand over. "
        "As soon as they have joined, they appear here and you can write to each other.",
    )
