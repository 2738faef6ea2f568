"""Every page in the states that look different, to be looked at in several sizes and themes."""

import re
import tempfile
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, WebSocketRoute, expect

from tests.e2e import screens as on
from tests.e2e.clinic import Clinic, Person
from tests.e2e.screens import Screens
from tests.people import PASSWORD

LONG_NAME = "Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh"
TEXTS = (
    "How are you?",
    "x" * 200,
    "😅",
    "First line\nand a second one that is a good deal longer.",
)
LISTED = 12
"""Conversations, more than a screen holds beside a thread."""

PING = "2"
"""The server's question over a page's socket whether the page is still there."""

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


def _reset_link(clinic: Clinic, screens: Screens, options: dict[str, Any]) -> Page:
    page = screens.open(**options)
    page.goto(clinic.operator("users", "reset", clinic.doctor().email).split()[-1])
    expect(page.get_by_role("heading", name="Choose a new password")).to_be_visible()
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


def _nobody_found(clinic: Clinic, screens: Screens, options: dict[str, Any]) -> Page:
    page = _doctor(clinic, screens, options)
    page.get_by_role("searchbox", name="Search by name").fill(LONG_NAME * 2)
    expect(page.get_by_role("heading", name="Nobody of that name")).to_be_visible()
    return page


def _admin(clinic: Clinic, screens: Screens, options: dict[str, Any]) -> Page:
    page = screens.dashboard(_newcomer(clinic, "admin"), **options)
    expect(page.get_by_role("heading", name="Administration")).to_be_visible()
    return page


def _still_there(clinic: Clinic, screens: Screens, options: dict[str, Any]) -> Page:
    page = screens.as_somebody(clinic.doctor(), **options)
    # Fixed, so that the minute in which it asks lasts as long as somebody looks at it.
    now = datetime.now(UTC)
    page.clock.set_fixed_time(now)
    page.goto("/dashboard")
    expect(page.get_by_role("heading", name="No patients yet")).to_be_visible()
    page.clock.set_fixed_time(now + timedelta(minutes=14, seconds=10))
    expect(page.get_by_role("alertdialog")).to_be_visible()
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


def _patient_alone(clinic: Clinic, screens: Screens, options: dict[str, Any]) -> Page:
    page = screens.dashboard(_newcomer(clinic, "patient"), **options)
    expect(page.get_by_role("heading", name="No doctor yet")).to_be_visible()
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


def _delivery(clinic: Clinic, screens: Screens, options: dict[str, Any]) -> Page:
    page = _chat(clinic, screens, options)
    on.message(page, TEXTS[0]).last.get_by_role("button", name="Sent").click()
    expect(on.log(page).get_by_text("not delivered yet")).to_be_visible()
    page.get_by_role("button", name="Delivery").click()
    panel = page.get_by_role("region", name="Has everything arrived?")
    expect(panel.get_by_text("no gaps")).to_be_visible()
    return page


def _listed(clinic: Clinic, screens: Screens, options: dict[str, Any]) -> Page:
    doctor, patient = _people(clinic)
    clinic.add_patients(doctor, LISTED)
    doctor.says(patient, *TEXTS)
    page = screens.chat(doctor, patient, **options)
    beside = page.get_by_role("navigation", name="Conversations", include_hidden=True)
    expect(beside.locator("li")).to_have_count(LISTED + 1)
    return page


def _new_messages(clinic: Clinic, screens: Screens, options: dict[str, Any]) -> Page:
    doctor, patient = _people(clinic)
    patient.says(doctor, *("x " * 100 for _ in range(20)))
    page = screens.chat(doctor, patient, **options)
    expect(on.messages(page).last).to_be_in_viewport()
    on.log(page).evaluate("log => { log.scrollTop = log.scrollHeight / 2 }")
    expect(on.messages(page).last).not_to_be_in_viewport()
    patient.says(doctor, "news")
    expect(page.get_by_role("button", name="New messages (1)")).to_be_visible()
    return page


def _unreachable(clinic: Clinic, screens: Screens, options: dict[str, Any]) -> Page:
    doctor, patient = _people(clinic)
    page, hushed = screens.as_somebody(doctor, **options), False

    def relay(socket: WebSocketRoute) -> None:
        """Keep from the page, once it knows, that the database is back."""
        server = socket.connect_to_server()
        server.on_message(lambda frame: socket.send(frame) if not hushed or frame == PING else None)

    page.route_web_socket(re.compile("/_event"), relay)
    on.open_chat(page, patient)
    with clinic.frozen_database():
        on.write(page, "Hi!")
        words = "Messages cannot be saved right now."
        expect(on.connection(page)).to_contain_text(words, timeout=on.WAIT_MS)
        expect(on.state(page, "Hi!")).to_have_text("Sending")
        hushed = True
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


def _newcomer(clinic: Clinic, role: str) -> Person:
    """Return somebody in that role who belongs to nobody."""
    email = f"{uuid.uuid4().hex}@example.com"
    rows = f"email,name,role,doctor_emails,password\n{email},{LONG_NAME},{role},,{PASSWORD}"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "people.csv")
        path.write_text(rows)
        clinic.operator("users", "import", str(path))
    return clinic.known(email, LONG_NAME)


def _people(clinic: Clinic) -> tuple[Person, Person]:
    doctor = clinic.doctor()
    patient = clinic.patient(doctor, name=LONG_NAME)
    patient.says(doctor, "x" * 300)
    return doctor, patient


PAGES: dict[str, Show] = {
    "sign in": _sign_in,
    "join": _join,
    "reset link": _reset_link,
    "used link": _used_link,
    "doctor": _doctor,
    "doctor alone": _doctor_alone,
    "nobody found": _nobody_found,
    "inviting": _inviting,
    "menu": _menu,
    "patient": _patient,
    "patient alone": _patient_alone,
    "admin": _admin,
    "still there": _still_there,
    "account": _account,
    "chat": _chat,
    "delivery": _delivery,
    "listed": _listed,
    "new messages": _new_messages,
    "unreachable": _unreachable,
    "offline": _offline,
    "closed": _closed,
    "unknown": _unknown,
    "missing": _missing,
}
