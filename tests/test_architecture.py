"""The rooms keep apart: the tables are the document, the code's imports and calls the proof."""

import ast
import graphlib
import sys
from collections.abc import Iterator
from pathlib import Path

# From which of our rooms a room may import; a file beside the folders is a room of its own.
ARROWS: dict[str, set[str]] = {
    "domain": set(),
    "webbuild": set(),
    "logs": set(),
    "metrics": {"domain"},
    "scrape": {"metrics"},
    "security": {"domain", "metrics"},
    "realtime": {"domain", "metrics"},
    "storage": {"domain", "metrics"},
    "services": {"storage", "realtime", "security", "domain", "metrics", "logs"},
    "api": {"services", "domain", "metrics", "scrape", "logs"},
    "ui": {"services", "domain", "metrics", "logs"},
    "demo": {"services", "domain"},
    "addresses": set(),
    "settings": {"addresses"},
    "signals": set(),
    "worker": set(),
}
# Those that put the rooms together see all of them, and they alone the settings.
STARTERS = {
    "bootstrap",
    "carechat",
    "serving",
    "supervisor",
    "liveness",
    "__main__",
    "rxconfig",
}
# Where somebody else's package may be imported; the domain has the standard library only.
OUTSIDE = {
    "pymongo": {"storage", "bootstrap"},
    "bson": {"storage", "bootstrap"},
    "reflex": {"ui", "carechat", "rxconfig"},
    "fastapi": {"api", "carechat"},
    "starlette": {"api", "carechat"},
    "prometheus_client": {"metrics", "scrape"},
    "redis": {"realtime"},
    "uvicorn": {"worker"},
}
PUBLISHERS = {"services", "realtime"}
# What a door finds in its backend and leaves to the services, which ask who may.
BEHIND_SERVICES = {"store", "hub", "progress"}


def imports(tree: ast.AST) -> Iterator[str]:
    """What the code imports, by its full name; `from a import b` may mean the module a or a.b."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (
                f"{node.module}{part}" for part in ["", *(f".{a.name}" for a in node.names)]
            )


def wrong_import(room: str, name: str) -> bool:
    """Whether the tables forbid that room to import that name."""
    package, _, inside = name.partition(".")
    if package == "carechat":
        target = inside.partition(".")[0]
        return target not in {"", room} and room not in STARTERS and target not in ARROWS[room]
    if room == "domain":
        return package not in sys.stdlib_module_names
    return room not in OUTSIDE.get(package.partition("_")[0], {room})


def wrong_act(room: str, node: ast.AST) -> str:
    """What the code does there and should do elsewhere, or nothing."""
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if any(imports(node)):
            return f"{name} imports"
        case ast.Call(func=ast.Attribute(attr="publish")) if room not in PUBLISHERS:
            return "publishes an event"
        case ast.Attribute(attr=name) if room in {"api", "ui"} and name in BEHIND_SERVICES:
            return "goes round the services"
        case ast.Call(func=ast.Attribute(attr="get_collection")) if room != "storage":
            return "names a collection"
        case ast.Subscript(value=ast.Attribute(attr=name) | ast.Name(id=name)) if (
            room != "storage" and name.lstrip("_") in {"database", "db"}
        ):
            return "names a collection"
        case _:
            return ""


def faults(project: Path) -> list[str]:
    """Every place that breaks a rule, as `module: what it does`."""
    found: list[str] = []
    uses: dict[str, set[str]] = {}
    for path in [*project.glob("rxconfig.py"), *project.glob("carechat/**/*.py")]:
        module = ".".join(path.relative_to(project).with_suffix("").parts)
        room = (module.split(".") * 2)[1]
        tree = ast.parse(path.read_text(), path)
        uses[module] = set(imports(tree))
        if path.stem == "__init__":
            found += [f"{module}: is not empty"] * bool(path.read_text())
        elif room not in ARROWS.keys() | STARTERS:
            found.append(f"{module}: is in no table")
        else:
            found += [f"{module}: imports {n}" for n in uses[module] if wrong_import(room, n)]
            found += [f"{module}: {act}" for n in ast.walk(tree) if (act := wrong_act(room, n))]
    try:
        graphlib.TopologicalSorter({m: u & uses.keys() - {m} for m, u in uses.items()}).prepare()
    except graphlib.CycleError as error:
        found.append(f"{error.args[1][0]}: is in a cycle")
    return found


def test_every_room_keeps_to_its_table() -> None:
    assert faults(Path(__file__).parent.parent) == []
