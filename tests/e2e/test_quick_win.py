"""The quick win: two people in two browsers, and a message from one to the other."""

from playwright.sync_api import Page, expect

from carechat import demo
from tests.e2e import screens as on
from tests.e2e.clinic import Clinic
from tests.e2e.screens import Screens


def test_what_a_doctor_sends_awaits_the_patient_who_signs_in(
    clinic: Clinic, screens: Screens
) -> None:
    """The doctor begins at the card, the patient at Start Chat."""
    doctor, patient = clinic.pair()
    first, second = screens.open(), screens.open()

    first.goto("/login")
    on.sign_in(first, doctor.email)
    on.card(first, patient).get_by_role("link", name="Chat").click()
    on.write(first, "Hi!")

    second.goto("/login")
    on.sign_in(second, patient.email)
    on.card(second, doctor).get_by_role("link", name="Start Chat").click()
    expect(on.message(second, "Hi!")).to_be_visible()


def test_a_message_appears_by_itself_on_the_screen_of_the_other(
    clinic: Clinic, screens: Screens
) -> None:
    """Both are in the conversation already."""
    doctor, patient = clinic.pair()
    first, second = screens.chat(doctor, patient), screens.chat(patient, doctor)

    on.write(first, "Hi!")
    expect(on.message(second, "Hi!")).to_be_visible()
    on.write(second, "Hello, doctor.")
    expect(on.message(first, "Hello, doctor.")).to_be_visible()


def test_a_message_is_still_there_after_a_reload(clinic: Clinic, screens: Screens) -> None:
    """Once, on both sides."""
    doctor, patient = clinic.pair()
    first, second = screens.chat(doctor, patient), screens.chat(patient, doctor)
    on.write(first, "Hi!")
    expect(on.message(second, "Hi!")).to_be_visible()

    for page in (first, second):
        page.reload()
        expect(on.messages(page)).to_have_text(["Hi!"])


def test_the_demo_needs_no_password_to_be_typed(screens: Screens) -> None:
    """One button each, for a doctor and for a patient of theirs."""
    first, second = _demo(screens, "As a doctor"), _demo(screens, "As a patient")
    first.get_by_role("article", name="Maria Jones").get_by_role("link", name="Chat").click()
    on.write(first, "Hi!")

    second.get_by_role("article", name="Dr. Sarah Chen").get_by_role("link").click()
    expect(on.message(second, "Hi!")).to_be_visible()


def test_the_sign_in_page_shows_the_accounts_of_the_demo(screens: Screens) -> None:
    """Both addresses and the password."""
    page = screens.open()
    page.goto("/login")
    for word in (demo.DOCTOR_EMAIL, demo.PATIENT_EMAIL, demo.PASSWORD):
        expect(page.get_by_text(word, exact=True)).to_be_visible()


def test_a_wrong_password_is_refused_in_words(clinic: Clinic, screens: Screens) -> None:
    """The page stays, with an alert."""
    page = screens.open()
    page.goto("/login")
    on.sign_in(page, clinic.doctor().email, "not the password")
    expect(page.get_by_role("alert")).to_have_text("Email or password is not right")


def test_after_signing_in_one_is_where_one_wanted_to_be(clinic: Clinic, screens: Screens) -> None:
    """A page that asked for it comes back."""
    doctor, patient = clinic.pair()
    page = screens.open()
    page.goto(f"/chat?email={patient.email}")
    page.wait_for_url("**/login?*")
    on.sign_in(page, doctor.email)
    expect(on.log(page, patient)).to_be_visible()


def _demo(screens: Screens, button: str) -> Page:
    page = screens.open()
    page.goto("/login")
    page.get_by_role("button", name=button).click()
    page.wait_for_url("**/dashboard")
    return page
