"""The line above a thread: the way back, who is at the other end, and the connection."""

import reflex as rx

from carechat.ui import routes, rows
from carechat.ui.parts import icons, people, query


def header(partner: rows.PartnerRow, status: rx.Component, delivery: rx.Component) -> rx.Component:
    """Return the line; `status` is the connection's dot and word, `delivery` what proves."""
    return rx.el.div(
        _back(),
        people.avatar(query.of_partner(partner.initials, email=partner.email)),
        rx.el.div(
            rx.el.h1(
                query.of_partner(partner.name, email=partner.email, otherwise="Conversation"),
                dir="auto",
                custom_attrs={"data-of": partner.email},
            ),
            rx.el.p(query.of_partner(partner.email, email=partner.email), class_name="address"),
            class_name="thread-who",
        ),
        status,
        delivery,
        class_name="thread-head",
    )


def bare() -> rx.Component:
    """Return the line while nobody is at the other end."""
    return rx.el.div(_back(), class_name="thread-head")


def _back() -> rx.Component:
    return rx.el.a(
        icons.back(), href=routes.DASHBOARD, class_name="back", aria_label="Back to the dashboard"
    )
