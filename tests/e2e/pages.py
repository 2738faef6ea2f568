"""Every page in the states that look different, to be looked at in several sizes and themes."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from tests.e2e import screens as on
from tests.e2e.clinic import Clinic, Person
from tests.e2e.screens import Screens

LONG_NAME = "Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh"
TEXTS = (
    "How are you?",
    "x" * 200,
    "😅",
    "First line\nand a second one that is a good deal longer.",
)

Show = Callable[[Clinic, Screens, dict[str, Any]], Page]


def visit(clinic: Clinic, screens: Screens, name: str, **options: Any) -> Page:
    """Return a browser on that page, loaded; `options` are Playwright's for the browser."""
    return PAGES[name](clinic, screens, {"reduced_motion": "reduce", **options})


def _sign_in(clinic: Clinic, screens: Screens, options: dict[str, Any]) -> Page:
    page = screens.open(**options)
    page.goto("/login?error=unauthenticated")
    expect(page.get_by_role("alert")).to_be_visible()
    return page


def _join(clinic: Clinic, screens: Screens, options: dict[str, Any]) -> Page:
    invited = {"email": f"{LONG_NAME.lower()}@example.com", "name": LONG_NAME}
    answer = clinic.doctor().api.post("/invitations", json=invited).raise_for_status()
    page = screens.open(**options)
    page.goto(answer.json()["url"])
    expect(page.get_by_role("button", name="Join")).to_be_visible()
    return page


def _used_link(clinic: Clinic, screens: Screens, options: dict[str, Any]) -> Page:
    page = screens.open(**options)
    page.goto("/join?token=used")
    expect(page.get_by_role("heading", name="This link no longer works")).to_be_visible()
    return page


def _doctor(clinic: Clinic, screens: Screens, options: dict[str, Any]) -> Page:
    doctor, patient = _people(clinic)
    page = screens.dashboard(doctor, **options)
    expect(on.card(page, patient)).to_contain_text("1 unread")
    return page


def _doctor_alone(clinic: Clinic, screens: Screens, options: dict[str, Any]) -> Page:
    page = screens.dashboard(clinic.doctor(), **options)
    expect(page.get_by_role("heading", name="No patients yet")).to_be_visible()
    return page


def _inviting(clinic: Clinic, screens: Screens, options: dict[str, Any]) -> Page:
    page = _doctor_alone(clinic, screens, options)
    page.get_by_role("button", name="Invite").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill(LONG_NAME)
    dialog.get_by_label("Email").fill(f"{LONG_NAME.lower()}.invited@example.com")
    dialog.get_by_role("button", name="Create invitation").click()
    expect(dialog.get_by_role("textbox", name="Link")).to_be_visible()
    return page


def _menu(clinic: Clinic, screens: Screens, options: dict[str, Any]) -> Page:
    page = _doctor(clinic, screens, options)
    page.get_by_role("button", name="menu").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    return page


def _patient(clinic: Clinic, screens: Screens, options: dict[str, Any]) -> Page:
    doctor, patient = _people(clinic)
    former = clinic.doctor()
    clinic.invite(former, patient.email, patient.name)
    clinic.operator("unassign", former.email, patient.email)
    doctor.says(patient, "How are you?")
    page = screens.dashboard(patient, **options)
    expect(on.card(page, doctor)).to_contain_text("1 unread")
    return page


def _account(clinic: Clinic, screens: Screens, options: dict[str, Any]) -> Page:
    page = screens.as_somebody(clinic.doctor(), **options)
    page.goto("/account")
    page.get_by_label("Current password").fill("not the password")
    page.get_by_label("New password").fill("another one")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_role("alert")).to_be_visible()
    return page


def _chat(clinic: Clinic, screens: Screens, options: dict[str, Any]) -> Page:
    doctor, patient = _people(clinic)
    patient.says(doctor, *TEXTS)
    page = screens.chat(doctor, patient, **options)
    on.write(page, *TEXTS, "not\u0007sent")
    expect(on.log(page).get_by_text("Not sent")).to_be_visible()
    on.field_of(page).fill("x" * 4_999)
    return page


def _offline(clinic: Clinic, screens: Screens, options: dict[str, Any]) -> Page:
    doctor, patient = _people(clinic)
    page = screens.chat(doctor, patient, **options)
    page.context.set_offline(True)
    on.write(page, "Hi!")
    expect(on.connection(page)).to_have_text("Disconnected")
    expect(page.get_by_text("We could not send this yet.")).to_be_visible()
    return page


def _closed(clinic: Clinic, screens: Screens, options: dict[str, Any]) -> Page:
    doctor, patient = _people(clinic)
    page = screens.chat(doctor, patient, **options)
    clinic.operator("unassign", doctor.email, patient.email)
    expect(page.get_by_text("but not write in it any more")).to_be_visible()
    return page


def _unknown(clinic: Clinic, screens: Screens, options: dict[str, Any]) -> Page:
    page = screens.as_somebody(clinic.doctor(), **options)
    page.goto("/chat")
    expect(page.get_by_role("heading", name="We cannot find this conversation")).to_be_visible()
    return page


def _missing(clinic: Clinic, screens: Screens, options: dict[str, Any]) -> Page:
    page = screens.open(**options)
    page.goto("/nothing-here")
    expect(page.get_by_role("heading", name="This page does not exist")).to_be_visible()
    return page


def _people(clinic: Clinic) -> tuple[Person, Person]:
    doctor = clinic.doctor()
    patient = clinic.patient(doctor, name=LONG_NAME)
    patient.says(doctor, "x" * 300)
    return doctor, patient


PAGES: dict[str, Show] = {
    "sign in": _sign_in,
    "join": _join,
    "used link": _used_link,
    "doctor": _doctor,
    "doctor alone": _doctor_alone,
    "inviting": _inviting,
    "menu": _menu,
    "patient": _patient,
    "account": _account,
    "chat": _chat,
    "offline": _offline,
    "closed": _closed,
    "unknown": _unknown,
    "missing": _missing,
}
