"""The frame of every page: brand, navigation, the own menu, and the place for its content."""

from typing import Any

import reflex as rx

from carechat.ui import agreement, routes
from carechat.ui.chat import thread
from carechat.ui.chat.state import Chat
from carechat.ui.inbox.state import Inbox
from carechat.ui.parts import activity, arrival, connection, icons, links, menu, still, unread
from carechat.ui.session import Tab


def page(
    *content: rx.Component | rx.Var[Any],
    here: str,
    look: str = "",
    aside: rx.Component | None = None,
) -> rx.Component:
    """Return a page for the signed-in; `here` is its route, `aside` stands below the navigation."""
    return rx.el.div(
        still.still(
            _bar(here, aside),
            rx.el.main(*content, id="main", tab_index=-1),
            state=Inbox.get_full_name(),
        ),
        *_unseen(),
        class_name=f"app {look}",
    )


def public(*content: rx.Component | rx.Var[Any], clinic: str | rx.Var[str]) -> rx.Component:
    """Return a page for anybody: one card below the clinic's name."""
    return rx.el.main(
        _brand(clinic),
        rx.el.div(*content, class_name="card"),
        arrival.arrival(),
        class_name="public",
    )


def missing(clinic: str | rx.Var[str]) -> rx.Component:
    """Return the page for an address that leads nowhere."""
    return public(
        rx.el.h1("This page does not exist"),
        rx.el.p("The address may be mistyped, or the page has moved."),
        rx.el.a("Back to the dashboard", href=routes.DASHBOARD, class_name="button primary"),
        clinic=clinic,
    )


def title(name: str | rx.Var[str]) -> rx.Var[str]:
    """Return the tab's title of a signed-in page, led by the number of unread messages."""
    return unread.title(f"{name} · CareChat", rx.Var.create(Inbox.unread))


def _bar(here: str, aside: rx.Component | None) -> rx.Component:
    """Above the content; a chat has a connection of its own, beside the partner's name."""
    parts = [links.skip("Skip to content", "main"), _brand(Inbox.clinic), _nav(here, "nav")]
    if aside:
        parts.append(aside)
    if here != routes.CHAT:
        parts.append(connection.connection(unreachable=Tab.unreachable))
    parts.append(menu.menu(Inbox.viewer, _nav(here, "menu-nav")))
    return rx.el.header(*parts, class_name="bar")


def _unseen() -> list[rx.Component]:
    """What works on every page of the signed-in without being looked at."""
    return [
        links.ahead(pages=[routes.DASHBOARD, routes.CHAT, routes.ACCOUNT, routes.LOGIN]),
        arrival.arrival(),
        unread.icon(
            count=Inbox.unread,
            known=Inbox.loaded > 0,
            elsewhere=Inbox.elsewhere,
            beside=Inbox.beside,
            writer=Inbox.writer,
        ),
        thread.courier(
            account=Inbox.viewer.email,
            sign_in=routes.login("another"),
            stored=Chat.stored_elsewhere,
            refused=Chat.refused,
            on_send=Chat.send,
        ),
        agreement.check(),
        activity.activity(
            account=Inbox.viewer.email,
            idle_seconds=Inbox.idle_seconds,
            on_active=Inbox.keep_awake,
            on_idle=Inbox.load,
        ),
    ]


def _brand(clinic: str | rx.Var[str]) -> rx.Component:
    return rx.el.p(icons.mark(), rx.el.span(clinic), class_name="brand")


def _nav(here: str, class_name: str) -> rx.Component:
    return rx.el.nav(
        rx.el.a("Dashboard", href=routes.DASHBOARD, **_current(here, routes.DASHBOARD)),
        rx.cond(
            Inbox.latest != "",
            rx.el.a(
                "Messages",
                rx.cond(Inbox.unread > 0, _unread()),
                href=Inbox.latest,
                **_current(here, routes.CHAT),
            ),
        ),
        class_name=class_name,
        aria_label="Pages",
    )


def _unread() -> rx.Component:
    word = rx.el.span(" unread", class_name="visually-hidden")
    return rx.el.span(Inbox.unread, word, class_name="unread")


def _current(here: str, route: str) -> dict[str, Any]:
    return {"aria_current": "page"} if here == route else {}
