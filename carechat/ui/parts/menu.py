"""The menu with the own name: the browser's own popover, so Escape, focus and a tap beside it just work."""

import reflex as rx

from carechat.ui import routes, rows
from carechat.ui.parts import icons, people
from carechat.ui.parts.links import link


def menu(viewer: rx.Var[rows.ViewerRow], nav: rx.Component) -> rx.Component:
    """Return the button with the own name and what it opens; `nav` is repeated in it on a phone."""
    return rx.el.div(
        rx.el.button(
            people.avatar(viewer.initials),
            rx.el.span(viewer.name, class_name="name"),
            rx.el.span(" menu", class_name="visually-hidden"),
            icons.more(),
            type="button",
            class_name="menu-button",
            custom_attrs={"popoverTarget": "menu"},
        ),
        rx.el.div(
            rx.el.p(
                rx.el.strong(viewer.name), rx.el.span(viewer.email), class_name="menu-who"
            ),
            nav,
            link("Change password", to=routes.ACCOUNT),
            sign_out(),
            id="menu",
            class_name="menu",
            custom_attrs={"popover": "auto"},
        ),
        class_name="menu-place",
    )


def sign_out() -> rx.Component:
    """Return the button that ends the session."""
    return rx.el.form(
        rx.el.button("Sign out", type="submit"),
        action=routes.form_action(routes.SIGN_OUT),
        method="post",
        on_submit=None,
    )
