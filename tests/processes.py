"""The product in processes of its own: the environment that it is started in, and who they are."""

import os
from contextlib import suppress
from pathlib import Path

PROJECT = Path(__file__).parents[1]


def environment(data_dir: Path, port: int, pages: str, **variables: str) -> dict[str, str]:
    """Return that of the caller, but for what would let it be another database or address.

    Pages are built in the folder of that name, once, and again when their sources have changed.
    """
    return {
        **os.environ,
        "MONGODB_URI": "",
        "REDIS_URL": "",
        "CARECHAT_WORKERS": "",
        "CARECHAT_PUBLIC_URL": "",
        "CARECHAT_DATA_DIR": str(data_dir),
        "PORT": str(port),
        "REFLEX_WEB_WORKDIR": pages,
        **variables,
    }


def children(pid: int, word: str) -> list[int]:
    """Return the processes that this one started and in whose command that word is."""
    found: list[int] = []
    for listed in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):
            found += [int(child) for child in listed.read_text().split()]
    return [child for child in found if word in _command(child)]


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
