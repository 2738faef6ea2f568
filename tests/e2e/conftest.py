"""The product as its users have it: served with its own MongoDB, used in real Chromium."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests import chromium
from tests.e2e.clinic import Clinic, Person, served
from tests.e2e.screens import Screens

FIRST_SECONDS = 300
"""How long the first test of a file may take: that of a process waits until its pages are built,
and those of the other one."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests with a browser last: each process has one server and one browser for them all.

    Playwright keeps an event loop of its own running in this thread, in which no asynchronous test
    can run any more. Files with few tests come last, so that all processes end at about one time.
    """
    here = Path(__file__).parent
    tests = Counter(item.path for item in items if item.path.is_relative_to(here))
    place = {path: number for number, (path, _) in enumerate(tests.most_common(), 1)}
    items.sort(key=lambda item: place.get(item.path, 0))
    first = {item.path: item for item in reversed(items)}
    for path in place:
        first[path].add_marker(pytest.mark.timeout(FIRST_SECONDS))


@pytest.fixture(autouse=True)
def _nothing_blocks() -> None:
    """Leave out what the other tests are watched for: no code of CareChat runs in this process."""


@pytest.fixture(scope="session")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    """Give a served CareChat with the demo and many doctors, once for all tests."""
    with served(tmp_path_factory.mktemp("clinic")) as clinic:
        yield clinic


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Give Chromium, once for all tests."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium.PROGRAM, args=chromium.FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def doctor(clinic: Clinic) -> Person:
    """Return a doctor whom no other test has."""
    return clinic.doctor()


@pytest.fixture
def patient(clinic: Clinic, doctor: Person) -> Person:
    """Return a patient of the doctor."""
    return clinic.patient(doctor)


@pytest.fixture
def screens(clinic: Clinic, browser: Browser) -> Iterator[Screens]:
    """Give browsers on the served product; a console message from warning up fails the test."""
    screens = Screens(browser)
    yield screens
    screens.close()
    assert screens.complaints == []
