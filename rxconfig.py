"""How Reflex builds and serves the pages; what operators may choose is in CareChat's settings."""

import os

import reflex as rx
from reflex.constants import StateManagerMode
from reflex.utils.exec import is_prod_mode

from carechat import settings, webbuild

_DEV_ORIGIN = "http://localhost:3000"
"""Where `reflex run` serves the pages."""

if not is_prod_mode():
    # `reflex run` sets PORT to its pages' own, which a worker that it reloads would take for ours.
    os.environ["PORT"] = os.environ.setdefault("CARECHAT_RUN_PORT", str(settings.load().port))
_settings = settings.load()

# A page whose server fell silent notices after one interval and the timeout: within five seconds.
os.environ.setdefault("REFLEX_SOCKET_INTERVAL", "2")
os.environ.setdefault("REFLEX_SOCKET_TIMEOUT", "2.5")
# What a page sends has its limits like what a program sends.
os.environ.setdefault("REFLEX_SOCKET_MAX_HTTP_BUFFER_SIZE", str(64 * 1024))

if not is_prod_mode():
    # For `reflex run` and `reflex export`; what `serve` runs has them, or builds nothing.
    os.environ.update(webbuild.tools())

config = rx.Config(
    app_name="carechat",
    api_url=_settings.origin,
    deploy_url=_DEV_ORIGIN,
    backend_host=_settings.host,
    backend_port=_settings.port,
    cors_allowed_origins=[_settings.origin] if is_prod_mode() else [_settings.origin, _DEV_ORIGIN],
    state_manager_mode=StateManagerMode.MEMORY,
    telemetry_enabled=False,
    show_built_with_reflex=False,
    plugins=[],
    disable_plugins=[rx.plugins.SitemapPlugin],
)
