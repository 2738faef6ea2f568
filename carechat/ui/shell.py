"""The frame of every page: brand, navigation, the own menu, and the place for what the page is about."""

import reflex as rx

from carechat.ui import routes
from carechat.ui.inbox.state import Inbox
from carechat.ui.parts import icons, menu, unread
from carechat.ui.parts.links import link


def page(
    *content: rx.Component, here: str, look: str = "", aside: rx.Component | None = None
) -> rx.Component:
    """Return a page for somebody who is signed in; `here` is its route, `aside` stands below the navigation."""
    return rx.el.div(
        rx.el.a("Skip to content", href="#main", class_name="skip"),
        rx.el.header(
            _brand(Inbox.clinic),
            _nav(here, "nav"),
            aside or rx.fragment(),
            menu.menu(Inbox.viewer, _nav(here, "menu-nav")),
            class_name="bar",
        ),
        rx.el.main(*content, id="main", tab_index=-1),
        unread.icon(count=Inbox.unread),
        class_name=f"app {look}",
    )


def public(*content: rx.Component, clinic: str | rx.Var[str]) -> rx.Component:
    """Return a page for anybody: one card below the clinic's name."""
    return rx.el.main(
        _brand(clinic), rx.el.div(*content, class_name="card"), class_name="public"
    )


def missing(clinic: str | rx.Var[str]) -> rx.Component:
    """Return the page for an address that leads nowhere."""
    return public(
        rx.el.h1("This page does not exist"),
        rx.el.p("The address may be mistyped, or the page has moved."),
        link("Back to the dashboard", to=routes.DASHBOARD, class_name="button primary"),
        clinic=clinic,
    )


def title(name: str | rx.Var[str]) -> rx.Var[str]:
    """Return the tab's title of a signed-in page, led by the number of unread messages."""
    return unread.title(f"{name} · CareChat", Inbox.unread)


def _brand(clinic: str | rx.Var[str]) -> rx.Component:
    return rx.el.p(icons.mark(), rx.el.span(clinic), class_name="brand")


def _nav(here: str, class_name: str) -> rx.Component:
    return rx.el.nav(
        link("Dashboard", to=routes.DASHBOARD, **_current(here, routes.DASHBOARD)),
        rx.cond(
            Inbox.latest != "",
            link(
                "Messages",
                rx.cond(Inbox.unread > 0, rx.el.span(Inbox.unread, class_name="unread")),
                to=Inbox.latest,
                **_current(here, routes.CHAT),
            ),
        ),
        class_name=class_name,
        aria_label="Pages",
    )


def _current(here: str, route: str) -> dict[str, str]:
    return {"aria_current": "page"} if here == route else {}
