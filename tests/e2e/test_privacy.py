"""Who gets to see what: in one tab after the other, and with a socket that no page has opened."""

import inspect
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import reflex as rx
from playwright.sync_api import Page, expect
from pymongo.database import Database
from websockets.exceptions import InvalidStatus

from carechat.ui import pages
from tests.e2e import page_sockets
from tests.e2e import screens as on
from tests.e2e.clinic import PROJECT, URL, Clinic, Person
from tests.e2e.page_sockets import Wire
from tests.e2e.screens import Screens

SECRET = "The result of your test is here."
"""A message that only two may see."""

JS_READABLE = """
async () => {
  const databases = await indexedDB.databases();
  const caches = await globalThis.caches.keys();
  const registrations = await navigator.serviceWorker.getRegistrations();
  return [document.cookie, JSON.stringify([{ ...localStorage }, { ...sessionStorage }]),
    databases.map(({ name }) => name), caches, registrations.length, window.name].join("\\n");
}
"""


@pytest.fixture
def patient(clinic: Clinic, doctor: Person) -> Person:
    """Return that doctor's patient, to whom the doctor has written."""
    patient = clinic.patient(doctor, name="Private Patient")
    doctor.says(patient, SECRET)
    return patient


class TestOneTab:
    """Two people, one after the other, at the same screen."""

    def test_the_next_person_sees_nothing_of_the_one_before(
        self, clinic: Clinic, screens: Screens, doctor: Person, patient: Person
    ) -> None:
        """Neither on the page nor in any frame that it receives."""
        other = clinic.doctor()
        page = screens.chat(doctor, patient)
        expect(on.message(page, SECRET)).to_be_visible()
        on.sign_out(page)
        wire = Wire(page)
        on.sign_in(page, other.email)
        expect(page.get_by_role("button", name=f"{other.name} menu")).to_be_visible()
        page.goto(f"/chat?email={patient.email}")
        expect(page.get_by_role("heading", name="We cannot find")).to_be_visible()

        frames = "".join(wire.received)
        assert other.email in frames
        for word in (SECRET, doctor.name, doctor.email, patient.name):
            assert word not in frames
            assert word not in page.content()

    def test_going_back_after_signing_out_shows_nothing(
        self, screens: Screens, doctor: Person, patient: Person
    ) -> None:
        """It leads to the sign-in page, however far one goes."""
        page = screens.dashboard(doctor)
        on.open_chat(page, patient)
        expect(on.message(page, SECRET)).to_be_visible()
        on.sign_out(page)
        wire = Wire(page)
        for _ in range(2):
            page.go_back(wait_until="commit")
            expect(page.get_by_text(SECRET)).to_have_count(0)
            page.wait_for_url("**/login*")
            assert patient.name not in page.content()
        assert patient.name not in "".join(wire.received)

    def test_signing_out_reaches_the_other_tabs(
        self, screens: Screens, doctor: Person, patient: Person
    ) -> None:
        """Within a second, and then they show nothing either."""
        page = screens.chat(doctor, patient)
        second = page.context.new_page()
        on.open_chat(second, patient)
        expect(on.message(second, SECRET)).to_be_visible()
        on.sign_out(page)
        second.wait_for_url("**/login*", timeout=1_000, wait_until="commit")
        assert SECRET not in second.content()

    def test_nothing_that_proves_identity_can_be_read_by_a_script(
        self, screens: Screens, doctor: Person, patient: Person
    ) -> None:
        """The cookie is HttpOnly and its token nowhere else, in no frame either."""
        page = screens.as_somebody(doctor)
        wire = Wire(page)
        on.open_chat(page, patient)
        [cookie] = page.context.cookies()
        assert (cookie.get("httpOnly"), cookie.get("sameSite")) == (True, "Lax")
        assert page.evaluate("document.cookie") == ""
        token = cookie.get("value", "")
        assert token
        assert token not in page.evaluate(JS_READABLE)
        assert token not in page.content()
        assert token not in "".join(wire.received + wire.sent)


class TestStolenTabToken:
    """Reflex's name for a tab, which any script can read, proves nobody."""

    @pytest.fixture
    def stolen(self, screens: Screens, doctor: Person, patient: Person) -> tuple[str, str]:
        """Return the token of a tab that showed a conversation, and its browser's cookie."""
        page = screens.chat(doctor, patient)
        expect(on.message(page, SECRET)).to_be_visible()
        token = str(page.evaluate("sessionStorage.token"))
        cookie = page_sockets.cookies(page.context.cookies())
        page.close()
        return token, cookie

    def test_without_the_cookie_it_gets_an_empty_state(
        self, stolen: tuple[str, str], doctor: Person, patient: Person
    ) -> None:
        """And is led to the sign-in page."""
        token, _ = stolen
        with page_sockets.tab(token=token) as thief:
            thief.hydrate("/chat", email=patient.email)
            thief.until("/login")
            found = thief.rest()
        assert_reveals_nothing(found, doctor, patient)

    def test_with_somebody_elses_cookie_it_gets_theirs(
        self, clinic: Clinic, stolen: tuple[str, str], doctor: Person, patient: Person
    ) -> None:
        """Nothing of the tab's owner is left in it."""
        token, _ = stolen
        other = clinic.doctor()
        with page_sockets.tab(page_sockets.cookie_of(other), token) as thief:
            thief.hydrate("/dashboard")
            thief.until(other.email)
            found = thief.rest()
        assert_reveals_nothing(found, doctor, patient)

    def test_with_its_own_cookie_it_gets_what_was_there(
        self, stolen: tuple[str, str], patient: Person
    ) -> None:
        """Which shows that the other two asked rightly."""
        token, cookie = stolen
        with page_sockets.tab(cookie, token) as owner:
            owner.hydrate("/chat", email=patient.email)
            owner.until(SECRET)

    @pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost:1", "null"])
    def test_another_sites_page_gets_no_socket(self, origin: str, doctor: Person) -> None:
        """Though the browser would send the cookie along."""
        with (
            pytest.raises(InvalidStatus, match=r"HTTP 40[03]"),
            page_sockets.tab(page_sockets.cookie_of(doctor), origin=origin),
        ):
            pass

    def test_another_sites_page_cannot_poll_either(self, doctor: Person) -> None:
        """The socket's other transport."""
        headers = {"Origin": "https://evil.example", "Cookie": page_sockets.cookie_of(doctor)}
        answer = httpx.get(f"{URL}/_event/?EIO=4&transport=polling&token=x", headers=headers)
        assert answer.status_code in {400, 403}


NOBODYS = [None, 1, -1, True, 1.5, [], {}, {"$ne": ""}, {"$gt": 0}, "$where", "x" * 50_000]
"""What no handler expects in some argument or other."""

TEXTS = [value for value in NOBODYS if not isinstance(value, str)]


def _handlers() -> Iterator[tuple[str, list[str]]]:
    """Every handler of every State of the pages: its whole name and its arguments' names."""
    for state in _own_states():
        for name, handler in state.event_handlers.items():
            arguments = list(inspect.signature(handler.fn).parameters)[1:]
            yield f"{state.get_full_name()}.{name}", arguments


def _own_states() -> Iterator[type[rx.State]]:
    package = f"{pages.__package__}."
    return (state for state in _states(rx.State) if state.__module__.startswith(package))


def _states(above: type[rx.State]) -> Iterator[type[rx.State]]:
    for state in above.__subclasses__():
        yield state
        yield from _states(state)


HANDLERS = dict(_handlers())
"""The arguments' names of each, by its own."""


class TestHandlersCalledRaw:
    """A patient who speaks to the States without our pages."""

    @pytest.fixture
    def stranger(self, clinic: Clinic, patient: Person) -> Person:
        """Return a patient of somebody else."""
        assert patient
        return clinic.patient(clinic.doctor(), name="Curious Stranger")

    def test_anothers_conversation_stays_closed(
        self, doctor: Person, patient: Person, stranger: Person
    ) -> None:
        """Its id is known, and it is neither written to, read from nor marked as read."""
        theirs = doctor.conversation(patient)
        with _signed_in(stranger) as tab:
            tab.hydrate("/chat", email=patient.email)
            _send(tab, account=stranger.email, conversation=theirs)
            tab.until("refused")
            _send(tab, account=doctor.email, conversation=theirs)
            for name in ("conversation", "account", "history", "phase", "_summaries"):
                tab.call(f"chat.state.Chat.set_{name}", value=theirs)
                tab.call(f"inbox.state.Inbox.set_{name}", value=theirs)
            _set_vars(tab, conversation=theirs, account=doctor.email)
            tab.call("chat.state.Chat.load", "/chat")
            tab.call("chat.state.Chat.show_older", conversation=theirs, before=100)
            tab.call("chat.state.Chat.fill_gap", conversation=theirs, after=0)
            tab.call("chat.state.Chat.read", conversation=theirs, seq=1)
            found = tab.rest()

        assert SECRET not in found
        assert patient.name not in found
        [message] = doctor.history(patient)
        assert (message["message"], message["read"]) == (SECRET, False)

    def test_a_patient_cannot_do_what_a_doctor_can(self, stranger: Person) -> None:
        """An invitation is refused and makes nothing."""
        with _signed_in(stranger) as tab:
            tab.hydrate("/dashboard")
            form = {"email": "made-up@example.com", "name": "Made Up"}
            tab.call("doctor.state.Invite.invite", form=form)
            tab.until("refusal")
            assert "/join" not in tab.rest()

    @pytest.mark.parametrize(
        ("handler", "argument", "values"),
        [
            ("chat.state.Chat.send", "conversation", NOBODYS),
            ("chat.state.Chat.send", "client_id", TEXTS),
            ("chat.state.Chat.send", "text", TEXTS),
            ("chat.state.Chat.read", "conversation", NOBODYS),
            ("chat.state.Chat.read", "seq", NOBODYS),
            ("chat.state.Chat.show_older", "before", NOBODYS),
            ("chat.state.Chat.fill_gap", "after", NOBODYS),
            ("inbox.state.Inbox.search", "name", NOBODYS),
            ("doctor.state.Invite.invite", "form", NOBODYS),
            ("account.state.Password.change", "form", NOBODYS),
        ],
    )
    def test_what_is_not_expected_changes_and_reveals_nothing(
        self, doctor: Person, patient: Person, handler: str, argument: str, values: list[Any]
    ) -> None:
        """Wrong types and operators of MongoDB; the socket goes on working."""
        rest: dict[str, object] = {}
        if handler.startswith("chat."):
            rest = {"conversation": patient.conversation(doctor)}
        if handler.endswith("read"):
            rest |= {"seq": 1}
        if handler.endswith("send"):
            rest |= {"account": patient.email, "client_id": "c", "text": "t"}
        with _signed_in(patient) as tab:
            tab.hydrate("/chat", email=doctor.email)
            tab.until(SECRET)
            for value in values:
                tab.call(handler, "/chat", **(rest | {argument: value}))
            tab.call("inbox.state.Inbox.search", name="Sarah")
            tab.until('"name_rx_state_":"Sarah"')
            tab.rest()
        assert patient.texts(doctor) == [SECRET]

    def test_somebody_who_is_not_signed_in_gets_nothing_from_any_handler(
        self, doctor: Person, patient: Person
    ) -> None:
        """Each leads to the sign-in page or says nothing."""
        with page_sockets.tab() as tab:
            tab.hydrate("/chat", email=patient.email)
            tab.until("/login")
            for handler in ("chat.state.Chat.load", "inbox.state.Inbox.load"):
                tab.call(handler, "/chat")
            _send(tab, account=doctor.email, conversation=doctor.conversation(patient))
            found = tab.rest()
        assert_reveals_nothing(found, doctor, patient)
        assert doctor.texts(patient) == [SECRET]

    def test_a_member_cannot_send_for_another_account(
        self, doctor: Person, patient: Person
    ) -> None:
        """An outbox of somebody else in the same browser goes out in nobody's name."""
        theirs = doctor.conversation(patient)
        with _signed_in(patient) as tab:
            tab.hydrate("/chat", email=doctor.email)
            tab.until(SECRET)
            _send(tab, account=doctor.email, conversation=theirs)
            tab.call("inbox.state.Inbox.search", name="Sarah")
            tab.until('"name_rx_state_":"Sarah"')
            tab.rest()
        assert doctor.texts(patient) == [SECRET]

    def test_a_member_can_send_for_their_own(self, doctor: Person, patient: Person) -> None:
        """Which shows that the test before asked rightly."""
        with _signed_in(patient) as tab:
            tab.hydrate("/chat", email=doctor.email)
            tab.until(SECRET)
            _send(tab, account=patient.email, conversation=patient.conversation(doctor))
            tab.until("I should not be here.")
        assert doctor.texts(patient) == [SECRET, "I should not be here."]


OWN_HANDLERS = {
    "agreement.check",
    "chat.ask_times",
    "chat.fill_gap",
    "chat.load",
    "chat.prove",
    "chat.read",
    "chat.send",
    "chat.show_older",
    "inbox.keep_awake",
    "inbox.load",
    "inbox.search",
    "inbox.show_more",
    "invite.begin",
    "invite.invite",
    "joining.load",
    "live.listen",
    "password.begin",
    "password.change",
}
"""What pages may ask of the States, and so anybody."""

Call = tuple[str, dict[str, object]]
AT_ONCE = 150
"""Calls that one socket sends in a test; it is cut off at 200."""


class TestEveryHandlerCalledRaw:
    """Whatever the States can be asked, also by names that no page uses."""

    def test_anybody_can_call_these_and_no_others(self) -> None:
        """A method that lacks its underscore is one more, which has to be meant to be one."""
        found = {name.rpartition("____")[2] for name in HANDLERS}
        assert {name for name in found if not name.endswith(".setvar")} == OWN_HANDLERS

    def test_what_reflex_adds_is_called_as_well(self) -> None:
        """Each State has it, whatever its own handlers are."""
        assert sum(name.endswith(".setvar") for name in HANDLERS) == len({*_own_states()})

    def test_a_stranger_gets_and_changes_nothing_of_others(
        self, clinic: Clinic, doctor: Person, patient: Person
    ) -> None:
        """With what is plausible and with what is not, and nothing of it shows up afterwards."""
        every = list(self._calls(doctor, patient))
        strangers = [clinic.patient(clinic.doctor(), name="Curious Stranger") for _ in every]
        before = _stored(clinic, doctor, patient, *strangers)
        for stranger, calls in zip(strangers, every, strict=True):
            with _signed_in(stranger) as tab:
                tab.hydrate("/chat", email=patient.email)
                tab.until(stranger.email)
                for handler, payload in calls:
                    _ask(tab, handler, payload)
                tab.hydrate("/chat", email=patient.email)
                tab.call("inbox.state.Inbox.search", name="Sarah")
                tab.until('"name_rx_state_":"Sarah"')
                assert_reveals_nothing(tab.rest(), doctor, patient)
        assert _stored(clinic, doctor, patient, *strangers) == before

    def test_somebody_who_is_not_signed_in_gets_and_changes_nothing(
        self, clinic: Clinic, doctor: Person, patient: Person
    ) -> None:
        """The same calls, without a cookie."""
        before = _stored(clinic, doctor, patient)
        for calls in self._calls(doctor, patient):
            with page_sockets.tab() as tab:
                tab.hydrate("/chat", email=patient.email)
                tab.until("/login")
                for handler, payload in calls:
                    _ask(tab, handler, payload)
                tab.hydrate("/chat", email=patient.email)
                assert_reveals_nothing(tab.rest(), doctor, patient)
        assert _stored(clinic, doctor, patient) == before

    def _calls(self, doctor: Person, patient: Person) -> Iterator[list[Call]]:
        """Give all calls, as many at a time as one person is let send at once."""
        theirs = doctor.conversation(patient)
        person = {"id": "1", "email": doctor.email, "name": "D", "role": "doctor"}
        plausible: dict[str, object] = {
            "account": doctor.email,
            "conversation": theirs,
            "client_id": "c",
            "text": "I should not be here.",
            "seq": 1,
            "before": 100,
            "seen": 1,
            "after": 0,
            "name": "private",
            "form": {
                "email": patient.email,
                "name": "Private",
                "current": "not the password",
                "new": "quite another password",
            },
            "ctx": {"backend": {}, "session": {"user": person}},
            "event": {"conversation": {"id": theirs}, "message": {"conversation_id": theirs}},
            "chat": 0,
            "inbox": 0,
            "tab": 0,
            "var_name": "conversation",
            "value": theirs,
        }
        calls: list[Call] = []
        for name, arguments in HANDLERS.items():
            calls.append((name, {argument: plausible[argument] for argument in arguments}))
            for value in NOBODYS if arguments else []:
                # All arguments together are less than an event may have.
                fitting = value[:12_000] if isinstance(value, str) else value
                calls.append((name, dict[str, object].fromkeys(arguments, fitting)))
        for first in range(0, len(calls), AT_ONCE):
            yield calls[first : first + AT_ONCE]


def test_nothing_that_was_said_is_on_disk_but_in_the_database(
    clinic: Clinic, page_with_secret: Page
) -> None:
    """No State and no log has it."""
    expect(page_with_secret.get_by_text(SECRET)).not_to_have_count(0)
    assert not (PROJECT / ".states").exists()
    assert [str(path) for path in clinic.files() if _holds(path, SECRET)] == []


@pytest.fixture
def page_with_secret(screens: Screens, doctor: Person, patient: Person) -> Page:
    """Return a page in whose State the secret is."""
    return screens.chat(doctor, patient)


def assert_reveals_nothing(frames: str, doctor: Person, patient: Person) -> None:
    """Fail if anything of these two is there, but for the address that was asked for."""
    for word in (SECRET, doctor.name, doctor.email, patient.name):
        assert word not in frames


def _stored(clinic: Clinic, doctor: Person, patient: Person, *others: Person) -> dict[str, Any]:
    """Return all that the database has of them, but for the others' sessions."""
    theirs = {"$in": [doctor.email, patient.email]}
    anybodys = {"$in": [doctor.email, patient.email, *(other.email for other in others)]}
    queries: dict[str, dict[str, Any]] = {
        "users": {"email": anybodys},
        "conversations": {"members.email": anybodys},
        "messages": {"$or": [{"sender_email": anybodys}, {"receiver_email": anybodys}]},
        "invitations": {},
        "sessions": {"email": theirs},
    }
    with clinic.database() as database:
        _until_noted(database, queries["conversations"])
        return {name: list(database[name].find(query)) for name, query in queries.items()}


def _until_noted(database: Database[dict[str, Any]], query: dict[str, Any]) -> None:
    """Wait until those conversations stand where their newest messages put them, soon after."""
    give_up = time.monotonic() + page_sockets.SECONDS
    for conversation in database["conversations"].find(query):
        of_it = {"conversation_id": str(conversation["_id"])}
        newest = database["messages"].find_one(of_it, sort=[("seq", -1)])
        noted = {"_id": conversation["_id"], "last_at": newest and newest["timestamp"]}
        while newest and not database["conversations"].find_one(noted):
            assert time.monotonic() < give_up, "it was never noted"
            time.sleep(0.02)


def _signed_in(person: Person) -> Any:
    return page_sockets.tab(page_sockets.cookie_of(person))


def _send(tab: page_sockets.Tab, account: str, conversation: str) -> None:
    words = {"client_id": "c", "text": "I should not be here."}
    tab.call("chat.state.Chat.send", "/chat", account=account, conversation=conversation, **words)


def _ask(tab: page_sockets.Tab, handler: str, payload: Mapping[str, object]) -> None:
    """Call a handler by its whole name; an argument may have any name, also `name`."""
    tab._event(handler, payload, "/dashboard", {})


def _set_vars(tab: page_sockets.Tab, **values: str) -> None:
    chat = f"{page_sockets.ROOT}.carechat___ui___chat___state____chat"
    states = {f"{chat}.{name}": value for name, value in values.items()}
    with_suffix = {f"{name}_rx_state_": value for name, value in states.items()}
    tab.call_internal(
        f"{page_sockets.ROOT}.reflex___state____update_vars_internal_state.update_vars_internal",
        vars=states | with_suffix,
    )


def _holds(path: Path, text: str) -> bool:
    return text.encode() in path.read_bytes()
