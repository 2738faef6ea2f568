"""Addresses that lead nowhere."""

import pytest
from playwright.sync_api import expect

from tests.e2e.clinic import Clinic
from tests.e2e.screens import Screens

GONE = "We cannot find this conversation"


@pytest.mark.parametrize("address", ["nobody", "stranger", "own", "operator", "none"])
def test_an_address_without_a_partner_gets_one_and_the_same_page(
    clinic: Clinic, screens: Screens, address: str
) -> None:
    """It says so, shows nothing of anybody and leads back."""
    doctor, patient = clinic.pair()
    stranger = clinic.patient(clinic.doctor(), name="Secret Stranger")
    queries = {
        "nobody": "?email=nobody@example.com",
        "stranger": f"?email={stranger.email}",
        "own": f"?email={doctor.email}",
        "operator": "?email[$ne]=x",
        "none": "",
    }
    page = screens.as_somebody(doctor)
    page.goto(f"/chat{queries[address]}")
    expect(page.get_by_role("heading", name=GONE)).to_be_visible()
    expect(page.get_by_role("main")).to_have_text(
        f"{GONE}There is nobody with that address whom you can write to.Back to the dashboard"
    )
    page.get_by_role("main").get_by_role("link", name="Back to the dashboard").last.click()
    expect(page.get_by_role("article", name=patient.name)).to_be_visible()


def test_a_page_that_does_not_exist_leads_back(clinic: Clinic, screens: Screens) -> None:
    """The answer is a 404."""
    page = screens.as_somebody(clinic.doctor())
    answer = page.goto("/nothing-here")
    assert answer
    assert answer.status == 404
    expect(page.get_by_role("heading", name="This page does not exist")).to_be_visible()
    page.get_by_role("link", name="Back to the dashboard").click()
    expect(page.get_by_role("heading", name="My Patients")).to_be_visible()
