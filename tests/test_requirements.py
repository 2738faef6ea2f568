"""The locks hold what the readable requirements name, with hashes and without anybody's mirror."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
both = pytest.mark.parametrize("name", ["requirements", "requirements-test"])


def pins(text: str) -> dict[str, str]:
    """The version of each package that the text pins, by its normalised name."""
    found = re.findall(r"^([A-Za-z0-9._-]+)(?:\[.*\])?==(\S+)", text, re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", package).lower(): version for package, version in found}


def wanted(name: str) -> list[str]:
    """The lines of the readable requirements that name a package."""
    lines = (PROJECT / f"{name}.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def locked(name: str) -> str:
    """The text of the lock."""
    return (PROJECT / f"{name}.lock").read_text()


@both
def test_each_direct_requirement_is_pinned_and_locked_so(name: str) -> None:
    direct = pins("\n".join(wanted(name)))
    assert len(direct) == len(wanted(name))
    assert direct.items() <= pins(locked(name)).items()


@both
def test_a_lock_has_a_hash_for_everything_and_no_address(name: str) -> None:
    packages = re.split(r"^(?=[A-Za-z0-9])", locked(name), flags=re.MULTILINE)[1:]
    assert len(packages) == len(pins(locked(name)))
    assert [package for package in packages if "--hash=sha256:" not in package] == []
    assert re.findall(r"https?://|file:|--(?:extra-)?index-url|--find-links", locked(name)) == []


def test_tests_run_with_the_versions_that_users_get() -> None:
    users, tests = pins(locked("requirements")), pins(locked("requirements-test"))
    assert {
        package for package in users.keys() & tests.keys() if users[package] != tests[package]
    } == set()


def test_the_locks_lack_nothing_that_what_they_name_needs() -> None:
    """Pip installs what they name and looks for nothing else."""
    checked = subprocess.run(
        [sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout) == (0, "No broken requirements found.\n")
