"""What the house style asks for and no linter knows: docstrings, and types in every room."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).parent.parent
PRODUCT = sorted([*PROJECT.glob("rxconfig.py"), *PROJECT.glob("carechat/**/*.py")])
REST = sorted([*PROJECT.glob("tests/**/*.py"), *PROJECT.glob("scripts/*.py")])
A_SECOND = re.compile(r"[.?!]\s+[A-Z]")
NOT_STRICT = {"carechat/ui"}
Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def public(node: ast.Module | ast.ClassDef, name: str) -> Iterator[tuple[str, Documented]]:
    """The public classes and functions in a module or class, by their dotted name."""
    for child in node.body:
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if child.name.startswith("_") or overrides(child):
                continue
            yield f"{name}.{child.name}", child
            if isinstance(child, ast.ClassDef):
                yield from public(child, f"{name}.{child.name}")


def overrides(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether its docstring stands elsewhere: the base's, or the one of the whole overload."""
    names = {ast.unparse(decorator).rpartition(".")[2] for decorator in node.decorator_list}
    return bool(names & {"overload", "override", "setter"})


def undocumented(source: str, name: str) -> list[str]:
    """Everything public in the module that lacks a docstring beginning with a whole sentence."""
    tree = ast.parse(source)
    return [name for name, node in [(name, tree), *public(tree, name)] if not sentence(node)]


def sentence(node: Documented) -> str:
    """What the docstring begins with if that is a sentence, else nothing."""
    first = (ast.get_docstring(node) or "").split("\n\n")[0]
    return first if first.endswith((".", "?", ":")) else ""


def read(path: Path) -> tuple[str, str]:
    """The source of a module and its name in the project."""
    return path.read_text(), str(path.relative_to(PROJECT))


def test_everything_public_says_what_it_is_for() -> None:
    lacking = [
        found for path in PRODUCT if path.stat().st_size for found in undocumented(*read(path))
    ]
    assert lacking == []


def test_each_module_says_in_one_sentence_what_it_is_for() -> None:
    begins = {
        path: sentence(ast.parse(path.read_text()))
        for path in PRODUCT + REST
        if path.stat().st_size
    }
    assert [path for path, first in begins.items() if not first or A_SECOND.search(first)] == []


def test_types_are_strict_in_every_room_but_the_pages() -> None:
    strict = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["pyright"]["strict"]
    rooms = {f"carechat/{path.parent.name}" for path in PROJECT.glob("carechat/*/__init__.py")}
    assert rooms - set(strict) <= NOT_STRICT
    assert "carechat/*.py" in strict
