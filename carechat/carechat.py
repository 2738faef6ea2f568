"""The Reflex app: its pages, its API, and what starts and stops with it."""

import gc
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial

import reflex as rx
from reflex.config import get_config
from reflex.state import FrontendEventExceptionState
from reflex.utils.exec import is_prod_mode
from reflex.utils.prerequisites import get_web_dir

from carechat import bootstrap, demo, logs, scrape, settings
from carechat.api import app as api_app
from carechat.api import guard, socket
from carechat.security.throttle import Seats
from carechat.ui import errors, gate, pages, sockets, theme
from carechat.ui.session import SessionMiddleware
from carechat.ui.sign_in.page import Demo

GARBAGE = 50_000, 50, 100
"""New objects before the youngest are looked at, and how much rarer the older ones are."""

_settings = settings.load()
_origins = list(get_config().cors_allowed_origins)
_pages = get_web_dir() / "build" / "client"
_seats = Seats(_settings.sockets_per_address, "sockets_of_address")
_demo = Demo(demo.DOCTOR_EMAIL, demo.PATIENT_EMAIL, demo.PASSWORD) if _settings.with_demo else None

api = api_app.create(_origins, _settings.metrics_token)
sessions = SessionMiddleware(api.state.cookie)


@asynccontextmanager
async def serving() -> AsyncGenerator[None]:
    """Let the API and the pages be served for as long as the app runs."""
    if is_prod_mode():
        logs.redact()
        logs.write()
    with scrape.shared(os.environ.get(scrape.FOLDER)):
        async with bootstrap.serving(_settings) as backend:
            api.state.backend = sessions.backend = backend
            _collect_garbage_rarely()
            try:
                yield
            finally:
                api.state.backend = sessions.backend = None


def _collect_garbage_rarely() -> None:
    """What was loaded by now stays, and is some hundred thousand objects to look at each time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE)


# Reflex would answer a broken script with code to run, which the content policy forbids.
FrontendEventExceptionState.auto_reload_on_errors = []

app = rx.App(
    api_transformer=[
        partial(gate.Gate, sessions=sessions, holder=guard.holder),
        api,
        partial(socket.beside, api=api),
        partial(
            guard.Guard,
            origins=_origins,
            pages=_pages,
            trusted=_settings.proxies,
            seat=_seats.seat,
        ),
    ],
    head_components=theme.head(),
    stylesheets=theme.STYLESHEETS,
    app_wraps={},
    toaster=None,
    backend_exception_handler=errors.handle,
    html_lang="en",
)
app.add_middleware(sessions, index=0)
sockets.guard(app, sessions)
app.register_lifespan_task(serving)  # pyright: ignore[reportUnknownMemberType] untyped in Reflex
pages.add(app, _settings.clinic_name, _settings.emergency, _demo)
