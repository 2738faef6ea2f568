"""Says in one line each what this machine lacks beside Python packages."""

import argparse
import ctypes
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Part:
    """A part of the system, the Debian package that brings it, and how to see that it is there."""

    name: str
    package: str
    present: Callable[[], bool]


def _module(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def _library(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def _command(name: str) -> bool:
    return shutil.which(name) is not None


def _other_mongodb() -> bool:
    """Whether something else runs than the embedded mongod, which needs libraries of the system."""
    named = any(os.environ.get(name) for name in ("MONGODB_URI", "CARECHAT_MONGOD"))
    return sys.platform != "linux" or named or _command("mongod")


TO_RUN = [
    Part("Python's venv module", "python3-venv", lambda: _module("ensurepip")),
    Part(
        "libcurl4, for the embedded MongoDB",
        "libcurl4",
        lambda: _other_mongodb() or _library("libcurl.so.4"),
    ),
    Part(
        "OpenSSL 3, for the embedded MongoDB",
        "libssl3",
        lambda: _other_mongodb() or _library("libssl.so.3"),
    ),
]
TO_TEST = [
    Part(
        "Chromium, for the browser tests: CARECHAT_CHROMIUM, or the one without windows",
        "chromium-headless-shell",
        lambda: _command(os.environ.get("CARECHAT_CHROMIUM") or "chromium-headless-shell"),
    ),
    Part(
        "a font, for the browser tests",
        "fonts-liberation",
        lambda: any(Path("/usr/share/fonts").rglob("*.ttf")),
    ),
    Part(
        "redis-server, for the tests of several processes",
        "redis-server",
        lambda: _command("redis-server"),
    ),
    Part("faketime, for the fault tests", "faketime", lambda: _command("faketime")),
]


def _install(packages: list[str]) -> None:
    print("Installing", *packages, "...", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    # One by one: apt installs none of several if it does not know one of them.
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends"]
    for command in (["apt-get", "update", "-qq"], *([*install, package] for package in packages)):
        subprocess.run(command, check=False, env=environment, stdout=subprocess.DEVNULL)


def main() -> int:
    """Exit code 0 means that nothing is missing, or not any more."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--tests",
        action="store_true",
        help="look for what the tests need, too; root on Debian or Ubuntu gets all of it installed",
    )
    tests = parser.parse_args().tests
    parts = TO_RUN + TO_TEST if tests else TO_RUN
    packages = [part.package for part in parts if not part.present()]
    if packages and tests and os.geteuid() == 0 and _command("apt-get"):
        _install(packages)
    missing = [part for part in parts if not part.present()]
    for part in missing:
        print(f"Missing: {part.name} (Debian: apt-get install {part.package})", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
