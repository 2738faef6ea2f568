"""The documents name tests that exist, and no promise without one."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
DOCS = TESTS.parent / "docs"
QUOTED = re.compile(r"`([^`\n]+)`")
NAME = re.compile(r"(?:tests/)?((?:\w+/)*\w+\.py)?((?:::\w+)*)")
OURS = re.compile(r"(?:tests/)|(?:\w+/)*test_\w+\.py|.*::")
"""What names a test and no file of the product: by its folder, its file's name or its own name."""

BY_HAND = "tried by hand"


def names(line: str) -> Iterator[str]:
    """Every test that the line names, as `file::Class::test`; `::test` is in the file before it."""
    file = ""
    for quoted in QUOTED.findall(line):
        found = NAME.fullmatch(quoted) if OURS.match(quoted) else None
        if found and any(found.groups()):
            file = found[1] or file
            yield f"{file}{found[2]}"


def exists(name: str) -> bool:
    """Whether there is such a file below `tests/`, and in it what is named."""
    file, *inside = name.split("::")
    path = TESTS / file
    if not path.is_file():
        return False
    body = ast.parse(path.read_text()).body
    for part in inside:
        found = [node for node in body if part in defines(node)]
        if not found:
            return False
        body = getattr(found[0], "body", [])
    return True


def defines(node: ast.stmt) -> list[str]:
    """What the statement gives a name to."""
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
        case _:
            return []


def rows(document: str) -> list[list[str]]:
    """The cells of each row of the tables whose last column holds tests."""
    found: list[list[str]] = []
    holds_tests = False
    for line in (DOCS / document).read_text().splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if not cells:
            holds_tests = False
        elif cells[-1] == "tests":
            holds_tests = True
        elif holds_tests and not set(cells[-1]) <= {"-"}:
            found.append(cells)
    return found


@pytest.mark.parametrize("path", sorted(DOCS.rglob("*.md")), ids=lambda path: path.name)
def test_every_test_that_a_document_names_exists(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert [name for line in lines for name in names(line) if not exists(name)] == []


@pytest.mark.parametrize("document", ["contract.md", "security.md"])
def test_every_promise_names_its_tests_or_says_that_it_is_tried_by_hand(document: str) -> None:
    promises = rows(document)
    assert len(promises) > 15
    assert [row[0] for row in promises if not (BY_HAND in row[-1] or any(names(row[-1])))] == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("`api/test_app.py`", ["api/test_app.py"]),
        ("`tests/api/test_app.py::test_a`", ["api/test_app.py::test_a"]),
        ("`a/test_b.py::test_c`, `::D::test_e`", ["a/test_b.py::test_c", "a/test_b.py::D::test_e"]),
        ("`conftest.py::_nothing_blocks`", ["conftest.py::_nothing_blocks"]),
        ("`ui/session.py`, `make test`, `/docs`, `e2e/`, `tests/`, `MONGODB_URI`, `::`", []),
    ],
)
def test_names_are_found_in_a_line(line: str, found: list[str]) -> None:
    assert list(names(line)) == found


@pytest.mark.parametrize(
    "name",
    ["test_gone.py", "test_documents.py::test_gone", "e2e/test_history.py::TestDays::test_gone"],
)
def test_what_is_not_there_is_noticed(name: str) -> None:
    assert not exists(name)
