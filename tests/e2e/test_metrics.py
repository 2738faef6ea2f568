"""What the metrics of the served product say of its pages."""

import httpx
import pytest
from playwright.sync_api import expect

from tests.e2e import screens as on
from tests.e2e.clinic import URL, Clinic, Person
from tests.e2e.screens import Screens
from tests.scraping import read

Seen = tuple[float, float]


@pytest.fixture
def pair(clinic: Clinic) -> tuple[Person, Person]:
    """Return a doctor and a patient."""
    return clinic.pair()


def seen() -> Seen:
    """Return how many sockets of pages are open, and how many messages reached a page so far."""
    page = httpx.get(f"{URL}/metrics").raise_for_status().text
    delivered = read(page, "carechat_delivery_seconds_count", door="page")
    return read(page, "carechat_sockets", door="page"), delivered


def test_an_open_page_and_what_reaches_it_is_counted(
    screens: Screens, pair: tuple[Person, Person]
) -> None:
    doctor, patient = pair
    sockets, delivered = seen()
    page = screens.chat(patient, doctor)
    assert seen()[0] > sockets
    doctor.says(patient, "Hello")
    expect(on.message(page, "Hello")).to_be_visible()
    assert seen()[1] > delivered


def test_they_name_nobody(screens: Screens, pair: tuple[Person, Person]) -> None:
    doctor, patient = pair
    screens.dashboard(doctor)
    patient.says(doctor, "It is about my knee.")
    page = httpx.get(f"{URL}/metrics").text
    secrets = [doctor.email, patient.email, doctor.name, patient.name, "knee", "127.0.0.1"]
    assert [secret for secret in secrets if secret in page] == []
