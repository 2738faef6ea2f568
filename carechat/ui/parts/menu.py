"""The menu with the own name: the browser's own popover, so Escape and a tap beside it close it."""

import reflex as rx

from carechat.ui import beside, routes, rows
from carechat.ui.chat import thread
from carechat.ui.parts import icons, people


class MenuPlace(rx.Component):
    """Holds the button and what it opens, which closes when the focus leaves the two."""

    library = beside.script(__name__, "menu.jsx").importable_path
    tag = "MenuPlace"


def menu(viewer: rows.ViewerRow, nav: rx.Component) -> rx.Component:
    """Return the button with the own name and what it opens; `nav` is repeated in it on a phone."""
    return MenuPlace.create(
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
            rx.el.p(rx.el.strong(viewer.name), rx.el.span(viewer.email), class_name="menu-who"),
            nav,
            rx.el.a("Change password", href=routes.ACCOUNT),
            _sign_out(viewer.email),
            id="menu",
            class_name="menu",
            custom_attrs={"popover": "auto"},
        ),
    )


def _sign_out(account: str) -> rx.Component:
    return thread.sign_out_form(
        rx.el.button("Sign out", type="submit"),
        account=account,
        action=routes.form_action(routes.SIGN_OUT),
        to=routes.LOGIN,
    )
