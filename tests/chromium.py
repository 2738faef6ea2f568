"""The browser of all tests, and how it is started.

Chromium's headless shell has the engine of the browser and draws no window: a page costs it less
than half of the processor time that it costs `chromium --headless`.
"""

import os
import shutil

NAME = os.environ.get("CARECHAT_CHROMIUM") or "chromium-headless-shell"
PROGRAM = shutil.which(NAME) or NAME
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
