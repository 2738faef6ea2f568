"""Every page: its route, its title, and what it does on opening."""

import reflex as rx

from carechat.ui import dashboard, routes, shell
from carechat.ui.account import join
from carechat.ui.account import page as account
from carechat.ui.account.state import Joining
from carechat.ui.chat import page as chat
from carechat.ui.live import Live
from carechat.ui.sign_in import page as sign_in


def add(app: rx.App, clinic: str, emergency: str, demo: sign_in.Demo | None) -> None:
    """Add the pages to the app; `demo` tells of the accounts that anybody may use."""
    app.add_page(sign_in.page(clinic, demo), routes.LOGIN, title=sign_in.TITLE)
    app.add_page(join.page(clinic), routes.JOIN, title=join.TITLE, on_load=Joining.load)
    app.add_page(dashboard.page(), routes.DASHBOARD, title=dashboard.title(), on_load=Live.listen)
    app.add_page(account.page(), routes.ACCOUNT, title=account.title(), on_load=Live.listen)
    app.add_page(chat.page(emergency), routes.CHAT, title=chat.title(), on_load=Live.listen)
    app.add_page(shell.missing(clinic), route="404", title="Not found · CareChat")
    home = rx.redirect(routes.DASHBOARD)
    app.add_page(rx.fragment(), route="/", title="CareChat", on_load=home)
