"""A mongod process: which program, on which files, and in one line why it would not start."""

import importlib.util
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# A Unix socket's path, its closing NUL included, has to fit into 108 bytes.
MAX_SOCKET_PATH = 107
# mongod takes a list of addresses apart at commas, and an address at its colons.
PLAIN_PATH = re.compile(r"[\w/.-]+", re.ASCII)
# preexec_fn would do it without a second program, but is not safe beside threads.
BIND = """
import ctypes, os, signal, sys
PR_SET_PDEATHSIG = 1
ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
os.execv(sys.argv[1], sys.argv[1:])
"""
MAX_PORT = 65_535
PACKAGES = {
    "libcurl": "libcurl4",
    "libssl": "libssl3",
    "libcrypto": "libssl3",
    "liblzma": "liblzma5",
    "libresolv": "libc6",
}
# The log may not show what people wrote, so no operation ever is slow enough to be logged.
SLOW_MS = 24 * 60 * 60 * 1000
# Bytes: less free space, and it is the likely reason for an end without one, since MongoDB makes
# each of its journals 100 MB large; a larger log gives way also while the same server runs.
LOW_DISK = 200 * 1000 * 1000
LARGE_LOG = 10 * 1000 * 1000


class EmbeddedError(Exception):
    """The embedded MongoDB cannot be used; the message is one line for the operator."""


@dataclass(frozen=True)
class Files:
    """Where one embedded MongoDB keeps everything, below the data directory."""

    folder: Path

    @property
    def data(self) -> Path:
        """The database itself."""
        return self.folder / "db"

    @property
    def lock(self) -> Path:
        """Held with flock by the mongod that runs on the data; its process id stands in it."""
        return self.data / "mongod.lock"

    @property
    def server(self) -> Path:
        """Held by the one server that owns the data directory; its process id stands in it."""
        return self.folder / "server.lock"

    @property
    def start(self) -> Path:
        """Held while somebody starts or stops a mongod."""
        return self.folder / "mongod.start.lock"

    @property
    def users(self) -> Path:
        """Held, shared, by every process that uses the mongod."""
        return self.folder / "mongod.users.lock"

    @property
    def socket(self) -> Path:
        """The Unix socket, unless its path is too long for one."""
        return self.folder / "mongod.sock"

    @property
    def port(self) -> Path:
        """The port that stands in for the Unix socket."""
        return self.folder / "mongod-port"

    @property
    def key(self) -> Path:
        """The replica set's key, which is also the password of its internal user."""
        return self.folder / "mongod-key"

    @property
    def password(self) -> Path:
        """The password of CareChat's own database user."""
        return self.folder / "mongod-password"

    @property
    def log(self) -> Path:
        """What mongod logs; the file of the server before has `.1` at its end."""
        return self.folder / "mongod.log"

    @property
    def errors(self) -> Path:
        """What the last start printed before there was a log."""
        return self.folder / "mongod.err"


def program() -> Path:
    """The mongod to run: CARECHAT_MONGOD, else the one on PATH, else the one of the wheel."""
    # No setting: like PATH it says what this machine has, and is looked at before one can be read.
    named = os.environ.get("CARECHAT_MONGOD")
    if named:
        if not shutil.which(named):
            raise EmbeddedError(f"CARECHAT_MONGOD is {named!r}: must be the path of a mongod")
        return Path(named)
    if found := shutil.which("mongod"):
        return Path(found)
    for folder in _wheel_folders():
        if (packed := folder / "db" / "bin" / "mongod").exists():
            return packed
    raise EmbeddedError(
        "No mongod found: install the locked requirements (make setup), put a mongod on PATH, "
        "name one in CARECHAT_MONGOD, or set MONGODB_URI"
    )


def _wheel_folders() -> list[Path]:
    spec = importlib.util.find_spec("fiftyone")
    return [Path(place) for place in (spec and spec.submodule_search_locations) or []]


def address(files: Files) -> str:
    """Where it listens: the path of a Unix socket, else `127.0.0.1:port`; it stays the same."""
    path = str(files.socket)
    if len(os.fsencode(path)) <= MAX_SOCKET_PATH and PLAIN_PATH.fullmatch(path):
        return path
    return f"127.0.0.1:{_kept_port(files)}"


def _kept_port(files: Files) -> int:
    word = files.port.read_text(errors="replace") if files.port.exists() else ""
    # What a full disk or somebody's hand has made of it counts as nothing.
    kept = re.fullmatch(r"\s*([1-9][0-9]{0,4})\s*", word)
    return int(kept[1]) if kept and int(kept[1]) <= MAX_PORT else new_port(files)


def new_port(files: Files) -> int:
    """A port that is free at this moment, kept for every later start."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    # A full disk leaves no half of it: the file appears when it is complete.
    unfinished = files.port.with_name(f"{files.port.name}.new")
    unfinished.write_text(str(port))
    unfinished.rename(files.port)
    return port


def listens(place: str) -> bool:
    """Whether something takes connections at that address."""
    unix = place.startswith("/")
    with socket.socket(socket.AF_UNIX if unix else socket.AF_INET) as probe:
        probe.settimeout(1)
        try:
            probe.connect(place if unix else ("127.0.0.1", _port_of(place)))
        except OSError:
            return False
    return True


def is_taken(place: str) -> bool:
    """Whether another program has the port; a Unix socket is in our own directory."""
    if place.startswith("/"):
        return False
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", _port_of(place)))
        except OSError:
            return True
    return False


def _port_of(place: str) -> int:
    return int(place.rpartition(":")[2])


def spawn(files: Files, place: str, *, die_with_us: bool) -> subprocess.Popen[bytes]:
    """A mongod that has just been started and is not ready yet.

    With `die_with_us` a kill -9 of this process stops it too, on Linux and from the main thread.
    """
    command = [str(program()), *_arguments(files, place)]
    with files.errors.open("wb") as printed:
        try:
            return subprocess.Popen(  # noqa: S603
                _bound(command) if die_with_us else command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=printed,
                cwd=files.folder,
                # Ctrl-C must reach CareChat first, which then stops mongod last.
                start_new_session=True,
            )
        except OSError as error:
            raise EmbeddedError(f"{command[0]} does not start: {error.strerror}") from error


def _arguments(files: Files, place: str) -> list[str]:
    unix = place.startswith("/")
    options = {
        "--replSet": "rs0",
        "--keyFile": files.key,
        "--dbpath": files.data,
        "--bind_ip": place if unix else "127.0.0.1",
        "--port": 27017 if unix else _port_of(place),
        "--wiredTigerCacheSizeGB": 0.25,
        "--oplogSize": 990,
        "--logpath": files.log,
        "--slowms": SLOW_MS,
    }
    listed = [str(part) for option in options.items() for part in option]
    # Without these two parameters anybody on this machine could make the first user, and
    # 200 MB of measurements would be kept.
    closed = ["--setParameter", "enableLocalhostAuthBypass=false"]
    lean = ["--setParameter", "diagnosticDataCollectionEnabled=false"]
    return [*listed, "--logappend", "--nounixsocket", "--quiet", *closed, *lean]


def begin_log(files: Files, *, anew: bool) -> int:
    """Keep the log so far as the one before if it is `anew` or large; returns the log's length.

    A mongod that dies and is started again goes on in the same log, in which the reason stands.
    """
    length = files.log.stat().st_size if files.log.exists() else 0
    if length and (anew or length > LARGE_LOG):
        files.log.replace(files.log.with_name(f"{files.log.name}.1"))
        return 0
    return length


def _bound(command: list[str]) -> list[str]:
    """The same command, which the kernel ends with SIGTERM when this process dies (on Linux).

    The kernel means the calling thread, so it is only done for the main one.
    """
    if sys.platform != "linux" or threading.current_thread() is not threading.main_thread():
        return command
    return [sys.executable, "-I", "-S", "-c", BIND, *command]


def why_it_ended(files: Files, logged: int = 0) -> str:
    """One line: what stopped a mongod that ended by itself, and what helps.

    `logged` is the length that its log had before.
    """
    printed = files.errors.read_text(errors="replace").strip()
    missing = re.search(r"(lib[\w+-]+)\.so[.\d]*: cannot open shared object", printed)
    if missing:
        library = missing.group(1)
        package = PACKAGES.get(library, library)
        return f"MongoDB needs {library}, which is not installed: apt-get install {package}"
    reason = _first_error(files.log, logged) or next(reversed(printed.splitlines()), "")
    return f"MongoDB ended at once: {reason or _no_reason(files)} (see {files.log})"


def _no_reason(files: Files) -> str:
    free = shutil.disk_usage(files.folder).free
    if free < LOW_DISK:
        return f"the disk is full, {free // 1_000_000} MB are free"
    return "it gave no reason"


def _first_error(log: Path, logged: int) -> str:
    reasons = (_reason(line) for line in _lines(log, logged))
    return next((reason for reason in reasons if reason), "")


def _lines(log: Path, logged: int) -> list[str]:
    try:
        return log.read_bytes()[logged:].decode(errors="replace").splitlines()
    except FileNotFoundError:
        return []


def _reason(line: str) -> str:
    try:
        entry: dict[str, Any] = json.loads(line)
    except ValueError:
        return ""
    if entry.get("s") not in {"E", "F"}:
        return ""
    attributes: dict[str, Any] = entry.get("attr", {})
    detail = attributes.get("error", attributes.get("msg", ""))
    return " ".join(f"{entry.get('msg')}: {detail}".split()).rstrip(": ")[:300]
