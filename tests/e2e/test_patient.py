"""A patient's whole way: whether a doctor is there, what is unread, and Start Chat."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e import screens as on
from tests.e2e.clinic import Clinic
from tests.e2e.screens import Screens

AVAILABLE, AWAY = "Your Doctor is Available", "Your Doctor is Away"
YOUR_DOCTOR = re.compile("Your Doctor")
GRACE_MS = 10_000


def test_the_banner_tells_the_truth_about_the_doctor(clinic: Clinic, screens: Screens) -> None:
    """Away, there with the first page, still there while only reloading, away after the grace."""
    doctor, patient = clinic.pair()
    page = screens.dashboard(patient)
    banner = on.card(page, doctor)
    expect(banner.get_by_role("heading", name=AWAY)).to_be_visible()
    expect(banner).to_contain_text("Write now, your doctor will see it when back.")

    theirs = screens.dashboard(doctor)
    expect(banner.get_by_role("heading", name=AVAILABLE)).to_be_visible()
    theirs.reload()
    expect(on.connection(theirs)).to_have_text("Connected")
    expect(banner.get_by_role("heading", name=AVAILABLE)).to_be_visible()

    theirs.close()
    expect(banner.get_by_role("heading", name=AWAY)).to_be_visible(timeout=GRACE_MS + 5_000)


def test_a_message_is_counted_on_the_banner_until_it_is_read(
    clinic: Clinic, screens: Screens
) -> None:
    """It changes without a reload."""
    doctor, patient = clinic.pair()
    page = screens.dashboard(patient)
    doctor.says(patient, "How are you?", "Please write back.")
    expect(on.card(page, doctor)).to_contain_text("2 unread")

    on.card(page, doctor).get_by_role("link", name="Start Chat").click()
    expect(on.message(page, "Please write back.")).to_be_visible()
    page.get_by_role("link", name="Back to the dashboard").click()
    expect(on.card(page, doctor)).not_to_contain_text("unread")


def test_each_doctor_has_a_banner_also_one_who_comes_later(
    clinic: Clinic, screens: Screens
) -> None:
    """The second appears without a reload."""
    doctor, patient = clinic.pair()
    page = screens.dashboard(patient)
    expect(page.get_by_role("article")).to_have_count(1)

    second = clinic.doctor()
    clinic.invite(second, patient.email, patient.name)
    expect(on.card(page, second).get_by_role("link", name="Start Chat")).to_be_visible()
    expect(on.card(page, doctor)).to_be_visible()


@pytest.mark.parametrize("command", ["unassign {doctor} {patient}", "users disable {doctor}"])
def test_a_doctor_to_whom_one_cannot_write_has_no_banner(
    clinic: Clinic, screens: Screens, command: str
) -> None:
    """It goes without a reload, and what was written can still be read."""
    doctor, patient = clinic.pair()
    screens.dashboard(doctor)
    page = screens.dashboard(patient)
    card = on.card(page, doctor)
    expect(card.get_by_role("heading", name=AVAILABLE)).to_be_visible()

    clinic.operator(*command.format(doctor=doctor.email, patient=patient.email).split())
    expect(card.get_by_role("link")).to_have_text(["Read"])
    expect(page.get_by_role("heading", name=YOUR_DOCTOR)).to_have_count(0)
    page.reload()
    expect(card.get_by_role("link")).to_have_text(["Read"])
    expect(page.get_by_role("heading", name=YOUR_DOCTOR)).to_have_count(0)


def test_the_other_doctors_keep_their_banners(clinic: Clinic, screens: Screens) -> None:
    """The end of one assignment is not that of another."""
    former, patient = clinic.pair()
    doctor = clinic.doctor()
    clinic.invite(doctor, patient.email, patient.name)
    page = screens.dashboard(patient)
    expect(page.get_by_role("heading", name=YOUR_DOCTOR)).to_have_count(2)
    clinic.operator("unassign", former.email, patient.email)
    expect(page.get_by_role("heading", name=YOUR_DOCTOR)).to_have_count(1)
    expect(on.card(page, doctor).get_by_role("link")).to_have_text(["Start Chat"])


def test_the_patient_is_greeted_by_name(clinic: Clinic, screens: Screens) -> None:
    """At noon of the reader's own day."""
    patient = clinic.patient(clinic.doctor(), name="Maria Jones")
    page = screens.as_somebody(patient, timezone_id="Asia/Tokyo")
    page.clock.set_fixed_time("2026-01-15T03:00:00Z")
    page.goto("/dashboard")
    expect(page.get_by_role("heading", name="Good afternoon, Maria")).to_be_visible()


def test_the_chat_page_says_that_it_is_not_for_emergencies(
    clinic: Clinic, screens: Screens
) -> None:
    """In a quiet line."""
    doctor, patient = clinic.pair()
    page = screens.chat(patient, doctor)
    expect(page.get_by_text("Not for emergencies: call 112 or 911.")).to_be_visible()
