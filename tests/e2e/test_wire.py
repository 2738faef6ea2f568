"""What a message costs on the wire."""

from playwright.sync_api import expect

from tests.e2e import screens as on
from tests.e2e.clinic import Clinic, Person
from tests.e2e.page_sockets import Wire
from tests.e2e.screens import Screens

MESSAGES = 10
MOST_BYTES = 600


def test_a_message_costs_few_bytes_however_long_the_thread(
    clinic: Clinic, screens: Screens
) -> None:
    """40 characters in a thread of 200, with its receipts and the list beside it."""
    doctor, patient = clinic.pair()
    doctor.says(patient, *(f"line {number}" for number in range(200)))
    page = screens.as_somebody(patient, viewport={"width": 1440, "height": 900})
    wire = Wire(page)
    on.open_chat(page, doctor)
    expect(on.message(page, "line 199")).to_be_in_viewport()
    beside = page.get_by_role("navigation", name="Conversations")
    expect(beside.get_by_text("unread")).to_have_count(0)
    wire.received.clear()
    for number in range(MESSAGES):
        text = f"{number:040}"
        doctor.says(patient, text)
        expect(on.message(page, text)).to_be_visible()
        expect(beside).to_contain_text(text)
        expect(beside.get_by_text("unread")).to_have_count(0)
    assert wire.bytes_received() / MESSAGES <= MOST_BYTES


def test_a_message_comes_back_to_its_writer_once(
    screens: Screens, doctor: Person, patient: Person
) -> None:
    """Not once as an acknowledgement and once as everybody's news."""
    page = screens.as_somebody(doctor)
    wire = Wire(page)
    on.open_chat(page, patient)
    for number in range(MESSAGES):
        on.write(page, f"line {number}")
        expect(on.state(page, f"line {number}")).to_have_text("Sent")
    assert sum(frame.count('"client_id"') for frame in wire.received) == MESSAGES
