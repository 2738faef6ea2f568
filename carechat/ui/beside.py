"""The scripts that lie beside our modules, for the pages to import."""

import sys
import uuid
from pathlib import Path
from typing import cast

import reflex as rx
from reflex.assets import AssetPathStr
from reflex.constants import Dirs


def script(module: str, name: str) -> AssetPathStr:
    """Let pages have the script of that name beside the module, and return its path.

    As `rx.asset(name, shared=True)` does, which looks through the source of every module on the
    stack for where it is called from: nine tenths of the time that a worker took to start.
    """
    source = Path(cast("str", sys.modules[module].__file__)).with_name(name)
    path = f"{Dirs.EXTERNAL_APP_ASSETS}/{module.replace('.', '/')}/{name}"
    _link(Path.cwd() / Dirs.APP_ASSETS / path, source)
    return rx.asset(path)


def _link(place: Path, source: Path) -> None:
    """Let the place lead to the source; others may be doing the same at this moment."""
    if place.is_symlink() and place.readlink() == source:
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    link = place.with_name(f".{uuid.uuid4().hex}.tmp")
    link.symlink_to(source)
    link.replace(place)
