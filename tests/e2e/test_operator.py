"""What the operator's command line does to pages that are open."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import screens as on
from tests.e2e.clinic import Clinic, Person
from tests.e2e.screens import Screens

SOON_MS = 1_000


@pytest.fixture
def page(screens: Screens, doctor: Person, patient: Person) -> Page:
    """Return the doctor's page in the conversation."""
    return screens.chat(doctor, patient)


def test_who_is_disabled_is_signed_out_at_once(clinic: Clinic, page: Page, doctor: Person) -> None:
    """The page says why it is over."""
    clinic.operator("users", "disable", doctor.email)
    page.wait_for_url("**/login*", timeout=SOON_MS, wait_until="commit")
    expect(page.get_by_text("You were signed out.")).to_be_visible()


def test_a_conversation_with_somebody_disabled_can_only_be_read(
    clinic: Clinic, page: Page, patient: Person
) -> None:
    """A sentence stands where the composer was."""
    clinic.operator("users", "disable", patient.email)
    expect(page.get_by_text("but not write in it any more")).to_be_visible(timeout=SOON_MS)
    expect(on.field_of(page)).to_be_hidden()


def test_somebody_disabled_has_no_chat_button(
    clinic: Clinic, screens: Screens, doctor: Person, patient: Person
) -> None:
    """On the doctor's card of them, without a reload; enabling brings it back."""
    card = on.card(screens.dashboard(doctor), patient)
    expect(card.get_by_role("link")).to_have_text(["Chat"])
    clinic.operator("users", "disable", patient.email)
    expect(card.get_by_role("link")).to_have_text(["Read"])
    expect(card).to_contain_text("Closed for new messages")
    clinic.operator("users", "enable", patient.email)
    expect(card.get_by_role("link")).to_have_text(["Chat"])


def test_after_unassign_both_can_only_read(
    clinic: Clinic, screens: Screens, page: Page, doctor: Person, patient: Person
) -> None:
    """In the thread and on both dashboards, without a reload; assigning opens it again."""
    theirs, cards = screens.dashboard(patient), screens.dashboard(doctor)
    clinic.operator("unassign", doctor.email, patient.email)
    expect(page.get_by_text("but not write in it any more")).to_be_visible(timeout=SOON_MS)
    expect(on.field_of(page)).to_be_hidden()
    for shown, person, way in [(theirs, doctor, "Start Chat"), (cards, patient, "Chat")]:
        expect(on.card(shown, person).get_by_role("link", name="Read")).to_be_visible()
        expect(on.card(shown, person).get_by_role("link", name=way)).to_be_hidden()

    clinic.operator("assign", doctor.email, patient.email)
    expect(on.field_of(page)).to_be_visible(timeout=SOON_MS)


def test_a_password_chosen_by_a_reset_link_ends_the_other_sessions(
    clinic: Clinic, screens: Screens, page: Page, doctor: Person
) -> None:
    """And signs in who chose it."""
    link = clinic.operator("users", "reset", doctor.email).split()[-1]
    other = screens.open()
    other.goto(link)
    expect(other.get_by_role("heading", name="Choose a new password")).to_be_visible()
    other.get_by_label("Password", exact=True).fill("quite another password")
    other.get_by_role("button", name="Save and sign in").click()
    expect(other.get_by_role("heading", name="My Patients")).to_be_visible()
    page.wait_for_url("**/login*", timeout=SOON_MS, wait_until="commit")


def test_changing_the_own_password_ends_the_other_sessions(
    screens: Screens, page: Page, doctor: Person
) -> None:
    """Not the one in which it was changed."""
    own = screens.as_somebody(doctor)
    own.goto("/account")
    own.get_by_label("Current password").fill("correct horse battery")
    own.get_by_label("New password").fill("quite another password")
    own.get_by_role("button", name="Change password").click()
    expect(own.get_by_role("alert")).to_contain_text("Your password is changed.")
    page.wait_for_url("**/login*", timeout=SOON_MS, wait_until="commit")
    own.get_by_role("link", name="Back to the dashboard").click()
    expect(own.get_by_role("heading", name="My Patients")).to_be_visible()
