"""The product as its users have it: served with its own MongoDB, used in real Chromium."""

import contextlib
import itertools
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

PROJECT = Path(__file__).parents[2]
CHROMIUM = os.environ.get("CARECHAT_CHROMIUM", "/usr/bin/chromium")
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
PORT = 8123
URL = f"http://localhost:{PORT}"
PASSWORD = "correct horse battery"
DOCTORS = 60
"""Enough for every test to have one of its own."""

START_SECONDS = 180
"""The first time the pages are built, which takes most of it."""

NETWORK_DOWN = re.compile(r"net::ERR_|WebSocket connection to .* failed")
"""The browser's own lines about a network that is down, which no page can prevent."""


@dataclass
class Person:
    """Somebody with an account and a way to act without a browser."""

    email: str
    name: str
    api: httpx.Client

    def says(self, partner: "Person", text: str) -> dict[str, Any]:
        """Send a message to the partner, through the API."""
        conversation = self.conversation(partner)
        path = f"/conversations/{conversation}/messages"
        return self.api.post(path, json={"message": text}).raise_for_status().json()

    def conversation(self, partner: "Person") -> str:
        """Return the id of the conversation with the partner."""
        found = self.api.get("/conversations", params={"limit": 200}).raise_for_status().json()
        return next(one["id"] for one in found if one["partner_email"] == partner.email)

    def history(self, partner: "Person") -> list[dict[str, Any]]:
        """Return the newest messages with the partner, oldest first."""
        path = f"/messages/{self.email}/{partner.email}"
        return self.api.get(path, params={"limit": 200}).raise_for_status().json()


@dataclass
class Clinic:
    """A served CareChat: people are made through its API and its operator's command line."""

    data_dir: Path
    environment: dict[str, str]
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def doctor(self) -> Person:
        """Return a doctor whom no other test has."""
        number = next(self._numbers)
        return self._signed_in(f"doctor{number}@example.com", f"Dr. Sarah Chen {number}")

    def patient(self, *doctors: Person, name: str = "Maria Jones") -> Person:
        """Return a new patient of those doctors."""
        email = f"patient{next(self._numbers)}.{len(name)}@example.com"
        for doctor in doctors:
            answer = doctor.api.post("/invitations", json={"email": email, "name": name})
            if url := answer.raise_for_status().json().get("url"):
                token = httpx.URL(url).params["token"]
                accepted = {"token": token, "password": PASSWORD}
                doctor.api.post("/invitations/accept", json=accepted).raise_for_status()
        return self._signed_in(email, name)

    def operator(self, *command: str) -> str:
        """Run a command of the operator beside the server; returns what it printed."""
        return subprocess.run(
            [sys.executable, "-m", "carechat", *command],
            cwd=PROJECT,
            env=self.environment,
            capture_output=True,
            check=True,
            text=True,
        ).stdout

    def _signed_in(self, email: str, name: str) -> Person:
        api = httpx.Client(base_url=URL)
        answer = api.post("/auth/login", json={"email": email, "password": PASSWORD})
        token = answer.raise_for_status().json()["access_token"]
        api.headers["Authorization"] = f"Bearer {token}"
        return Person(email, name, api)


@pytest.fixture(scope="session")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    """Give a served CareChat with many doctors, and see that it ends as it should."""
    data_dir = tmp_path_factory.mktemp("clinic")
    environment = os.environ | {
        "CARECHAT_DATA_DIR": str(data_dir),
        "CARECHAT_BCRYPT_COST": "4",
        "CARECHAT_SEND_RATE": "1000/1000",
        "PORT": str(PORT),
        "REFLEX_WEB_WORKDIR": ".web-test",
    }
    with _served(environment) as clinic_environment:
        clinic = Clinic(data_dir, clinic_environment)
        clinic.operator("users", "import", str(_doctors(data_dir)))
        yield clinic


@contextlib.contextmanager
def _served(environment: dict[str, str]) -> Iterator[dict[str, str]]:
    command = [sys.executable, "-m", "carechat", "serve"]
    with subprocess.Popen(
        command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout
        try:
            assert any("is ready" in line for line in server.stdout), "the server did not start"
            yield environment
        finally:
            server.send_signal(signal.SIGINT)
            assert server.wait(30) == 0


def _doctors(folder: Path) -> Path:
    rows = [
        f"doctor{number}@example.com,Dr. Sarah Chen {number},doctor,,{PASSWORD}"
        for number in range(1, DOCTORS + 1)
    ]
    path = folder / "doctors.csv"
    path.write_text("\n".join(["email,name,role,doctor_emails,password", *rows]))
    return path


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Give Chromium, once for all tests."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@dataclass
class Screens:
    """Opens browsers, each with a profile of its own, and hears what their consoles say."""

    browser: Browser
    complaints: list[str] = field(default_factory=list)
    _contexts: list[BrowserContext] = field(default_factory=list)

    def open(self, **options: Any) -> Page:
        """Return a page of a fresh profile that is nobody yet."""
        context = self.browser.new_context(base_url=URL, **options)
        self._contexts.append(context)
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        return context.new_page()

    def sign_in(self, person: Person, page: Page | None = None, **options: Any) -> Page:
        """Return a page on the person's dashboard."""
        page = page or self.open(**options)
        page.goto("/login")
        page.get_by_label("Email").fill(person.email)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.wait_for_url("**/dashboard")
        return page

    def chat(self, person: Person, partner: Person, **options: Any) -> Page:
        """Return a page on the person's conversation with the partner."""
        page = self.sign_in(person, **options)
        page.goto(f"/chat?email={partner.email}")
        page.get_by_role("status").get_by_text("Connected").wait_for(state="attached")
        page.get_by_role("textbox", name="Message").wait_for()
        return page

    def close(self) -> None:
        """Close every browser that was opened."""
        for context in self._contexts:
            context.close()

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"warning", "error"} and not NETWORK_DOWN.search(message.text):
            self.complaints.append(f"{message.type}: {message.text}")


@pytest.fixture
def screens(clinic: Clinic, browser: Browser) -> Iterator[Screens]:
    """Give browsers on the served product; a console message from warning up fails the test."""
    screens = Screens(browser)
    yield screens
    screens.close()
    assert screens.complaints == []
