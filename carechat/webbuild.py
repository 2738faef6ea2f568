"""Builds the pages, as files that are served beside the API, when what they are made of changed."""

import contextlib
import fcntl
import hashlib
import importlib.metadata
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import IO

SOURCES = ("carechat", "assets", "rxconfig.py", "requirements.lock")
# Reflex may bring both files of this folder up to date at a build; they differ in this one only.
NPM_LOCK = Path("reflex.lock", "package-lock.json")
# Made by Python and by Reflex while they run.
MADE = {"__pycache__", "external"}
# Reflex empties this folder before it builds, so the stamp goes with what it stands for.
STAMP = Path("build", "carechat-inputs")
POLL = 0.1
NPM_WAIT = 60.0
SHOWN_LINES = 30


class BuildError(Exception):
    """The pages could not be built; the message ends with what the build printed last."""


def digest(project: Path, baked: Mapping[str, object]) -> str:
    """One word for everything the pages are made of: sources, settings in them, and npm's lock."""
    return f"{_sources_digest(project, baked)} {_lock_digest(project)}"


def is_current(project: Path, baked: Mapping[str, object]) -> bool:
    """Whether the pages that are there were built from these sources and settings."""
    try:
        return (_web(project) / STAMP).read_text() == digest(project, baked)
    except FileNotFoundError:
        return False


def build(
    project: Path, baked: Mapping[str, object], stopped: Callable[[], bool] = lambda: False
) -> None:
    """The pages are built from what the project holds now; raises `BuildError`.

    `baked` are the settings that end up in the pages. When `stopped` answers true the build is
    given up, without an error and without pages.
    """
    with _one_at_a_time(project):
        if is_current(project, baked):
            return
        # Taken first: what is edited during the build is built the next time.
        sources = _sources_digest(project, baked)
        if _export(project, stopped):
            (_web(project) / STAMP).write_text(f"{sources} {_lock_digest(project)}")


def _sources_digest(project: Path, baked: Mapping[str, object]) -> str:
    inputs = hashlib.sha256(importlib.metadata.version("reflex").encode())
    inputs.update(repr(sorted(baked.items())).encode())
    for path in _sources(project):
        inputs.update(f"\0{path.relative_to(project)}\0".encode())
        inputs.update(path.read_bytes())
    return inputs.hexdigest()


def _lock_digest(project: Path) -> str:
    lock = project / NPM_LOCK
    return hashlib.sha256(lock.read_bytes() if lock.exists() else b"").hexdigest()


def environment() -> dict[str, str]:
    """The variables with which a build runs: for the pages that are served, in plain words."""
    return {**os.environ, **tools(), "REFLEX_ENV_MODE": "prod", "NO_COLOR": "1"}


def tools() -> dict[str, str]:
    """What lets Reflex take the npm of our own environment, and ask no server for anything else."""
    folder = str(Path(sys.executable).parent)
    path = os.pathsep.join([folder, os.environ.get("PATH", os.defpath)])
    npm = shutil.which("npm", path=path)
    if not npm:
        raise BuildError("No npm found: install the locked requirements (make setup)")
    variables = {
        "PATH": path,
        # That reflex.lock holds npm's lock is not enough: Reflex would download bun all the same.
        "REFLEX_USE_NPM": "1",
        "REFLEX_CHECK_LATEST_VERSION": "false",
    }
    # Else Reflex measures which of two public registries answers sooner and takes that.
    variables["NPM_CONFIG_REGISTRY"] = os.environ.get("NPM_CONFIG_REGISTRY") or _registry(
        npm, {**os.environ, **variables}
    )
    return variables


def _registry(npm: str, variables: Mapping[str, str]) -> str:
    with contextlib.suppress(subprocess.TimeoutExpired):
        asked = subprocess.run(  # noqa: S603
            [npm, "config", "get", "registry"],
            env=variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=NPM_WAIT,
        )
        if registry := asked.stdout.strip():
            return registry
    return "https://registry.npmjs.org/"


def _web(project: Path) -> Path:
    return project / os.environ.get("REFLEX_WEB_WORKDIR", ".web")


def _sources(project: Path) -> Iterator[Path]:
    for name in SOURCES:
        place = project / name
        found = [place] if place.is_file() else sorted(place.rglob("*"))
        for path in found:
            if path.is_file() and MADE.isdisjoint(path.relative_to(project).parts):
                yield path


@contextlib.contextmanager
def _one_at_a_time(project: Path) -> Generator[None]:
    folder = os.open(project, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _export(project: Path, stopped: Callable[[], bool]) -> bool:
    command = [sys.executable, "-m", "reflex", "export", "--frontend-only", "--no-zip"]
    modules = _web(project) / "node_modules"
    # npm writes it last, and takes for whole what it had only begun to unpack.
    if not (modules / ".package-lock.json").exists():
        shutil.rmtree(modules, ignore_errors=True)
    with tempfile.TemporaryFile() as printed:
        with subprocess.Popen(  # noqa: S603
            command,
            cwd=project,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process:
            done = _finished(process, stopped)
        if not done or process.returncode:
            shutil.rmtree(modules, ignore_errors=True)
        if done and process.returncode:
            raise BuildError(f"The pages could not be built:\n{_last_lines(printed)}")
    return done


def _finished(process: subprocess.Popen[bytes], stopped: Callable[[], bool]) -> bool:
    try:
        while not stopped():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(POLL)
                return True
        return False
    finally:
        # npm and node are children of children, so that only their group reaches all of them.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _last_lines(printed: IO[bytes]) -> str:
    printed.seek(0)
    lines = printed.read().decode(errors="replace").splitlines()
    return "\n".join(lines[-SHOWN_LINES:])
