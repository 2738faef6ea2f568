"""The pages' own socket in the hands of somebody who does not use our pages: its bounds."""

import time
import uuid
from contextlib import suppress

import httpx
import pytest
from playwright.sync_api import expect
from websockets.exceptions import ConnectionClosed

from tests.e2e import page_sockets
from tests.e2e import screens as on
from tests.e2e.clinic import URL, Clinic, Person
from tests.e2e.screens import WAIT_MS, Screens
from tests.scraping import read

SECRET = "It is about my knee."


@pytest.fixture
def pair(clinic: Clinic) -> tuple[Person, Person]:
    """Return a doctor and a patient, who has written something."""
    doctor, patient = clinic.pair()
    patient.says(doctor, SECRET)
    return doctor, patient


def test_a_silent_socket_with_a_tabs_token_is_told_nothing(pair: tuple[Person, Person]) -> None:
    """Its owner has gone in the middle of something, and the answer is not for whoever comes."""
    doctor, patient = pair
    cookie, found = page_sockets.cookie_of(doctor), ""
    for _ in range(6):
        token = str(uuid.uuid4())
        with page_sockets.tab(cookie, token) as owner:
            owner.hydrate("/chat", email=patient.email)
            owner.until(SECRET)
            for _ in range(3):
                owner.call("inbox.state.Inbox.load", "/chat")
        found += _told_to_a_silent_one(token)
    assert SECRET not in found
    assert patient.name not in found


def _told_to_a_silent_one(token: str) -> str:
    """What a socket is told that has the token of one that was there until now."""
    deadline = time.monotonic() + page_sockets.SECONDS
    while True:
        try:
            with page_sockets.tab(token=token) as silent:
                return silent.rest()
        except page_sockets.TakenError:
            assert time.monotonic() < deadline, "the token stays taken"


def test_nobody_stays_present_by_a_follower_that_no_page_has_started(
    screens: Screens, pair: tuple[Person, Person]
) -> None:
    """However often it was asked for, it ends with the socket."""
    doctor, patient = pair
    page = screens.dashboard(patient)
    with page_sockets.tab(page_sockets.cookie_of(doctor)) as tab:
        tab.hydrate("/dashboard")
        tab.until(doctor.name)
        for _ in range(20):
            tab.call_internal(f"{page_sockets.ROOT}.carechat___ui___live____live.listen")
        expect(page.get_by_role("heading", name="Your Doctor is Available")).to_be_visible()
        tab.rest()
    away = page.get_by_role("heading", name="Your Doctor is Away")
    expect(away).to_be_visible(timeout=2 * WAIT_MS)


def test_an_event_of_more_than_64_kib_ends_the_socket(pair: tuple[Person, Person]) -> None:
    """As it would on `/ws`."""
    with page_sockets.tab(page_sockets.cookie_of(pair[0])) as tab:
        tab.hydrate("/dashboard")
        tab.call("inbox.state.Inbox.search", name="x" * 70_000)
        tab.until_cut_off()


def test_who_floods_the_server_with_events_is_cut_off(pair: tuple[Person, Person]) -> None:
    """Nobody at a page is ever so quick."""
    with page_sockets.tab(page_sockets.cookie_of(pair[0])) as tab:
        with suppress(ConnectionClosed):
            for _ in range(1_000):
                tab.call("inbox.state.Inbox.keep_awake")
        tab.until_cut_off()


def test_who_announces_attachments_is_cut_off_before_they_come(pair: tuple[Person, Person]) -> None:
    """They would be collected until all of them are there, which may be never."""
    with page_sockets.tab() as tab:
        with suppress(ConnectionClosed):
            tab.send('459999999999-/_event,["event",{"_placeholder":true,"num":0}]')
            for _ in range(100):
                tab.send(b"x" * 60_000)
        tab.until_cut_off()


def test_who_comes_again_and_again_on_one_socket_is_cut_off() -> None:
    """As who sends one thing after the other, also what no State is asked for."""
    for frames in (["41/_event,", "40/_event,"], ['42/_event,["ping"]']):
        with page_sockets.tab() as tab:
            with suppress(ConnectionClosed):
                for _ in range(1_000):
                    for frame in frames:
                        tab.send(frame)
            tab.until_cut_off()


def cut_off_for_updates() -> float:
    """Return how often a socket was cut off because its browser did not take what is new."""
    page = httpx.get(f"{URL}/metrics").raise_for_status().text
    return read(page, "carechat_limits_total", limit="page_updates")


def test_who_takes_nothing_does_not_let_much_wait(pair: tuple[Person, Person]) -> None:
    """Few updates may be a lot."""
    doctor, patient = pair
    patient.says(doctor, *["\N{GRINNING FACE}" * 5_000] * 60, "That is all.")
    conversation = patient.conversation(doctor)
    with page_sockets.tab(page_sockets.cookie_of(doctor)) as tab:
        tab.hydrate("/chat", email=patient.email)
        tab.until("That is all.")
        before = cut_off_for_updates()
        for _ in range(60):
            tab.call("chat.state.Chat.fill_gap", "/chat", conversation=conversation, after=0)
        deadline = time.monotonic() + page_sockets.CUT_OFF_SECONDS
        while cut_off_for_updates() == before:
            assert time.monotonic() < deadline
        tab.until_cut_off()


@pytest.mark.parametrize("before", ['a={"x":1}', 'a="b c;', "sp ace=1", "=1"])
def test_a_cookie_of_another_application_hides_not_ours(
    before: str, pair: tuple[Person, Person]
) -> None:
    """Whatever it looks like."""
    doctor, patient = pair
    with page_sockets.tab(f"{before}; {page_sockets.cookie_of(doctor)}") as tab:
        tab.hydrate("/chat", email=patient.email)
        tab.until(SECRET)


def test_a_long_name_is_searched_for_as_far_as_names_go(
    screens: Screens, pair: tuple[Person, Person]
) -> None:
    """A letter that becomes eighteen, thousands of times, keeps nobody waiting."""
    doctor, patient = pair
    with page_sockets.tab(page_sockets.cookie_of(doctor)) as tab:
        tab.hydrate("/dashboard")
        tab.call("inbox.state.Inbox.search", name="\ufdfa" * 9_000)
        tab.until('"total_rx_state_":0')
        assert len(tab.received) < 100_000
    page = screens.dashboard(doctor)
    expect(on.card(page, patient)).to_be_visible()


def test_a_former_patient_does_not_hear_who_comes(
    clinic: Clinic, pair: tuple[Person, Person]
) -> None:
    """Neither on the page nor on the page_sockets."""
    doctor, patient = pair
    clinic.operator("unassign", doctor.email, patient.email)
    with page_sockets.tab(page_sockets.cookie_of(patient)) as tab:
        tab.hydrate("/dashboard")
        tab.until(doctor.name)
        with page_sockets.tab(page_sockets.cookie_of(doctor)) as theirs:
            theirs.hydrate("/dashboard")
            theirs.until(doctor.name)
            assert '"present":true' not in tab.rest()
