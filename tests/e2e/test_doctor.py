"""A doctor's whole way: who waits, the cards, an invitation, and the list beside the thread."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from playwright.sync_api import Page, expect

from tests.e2e import screens as on
from tests.e2e.clinic import Clinic, Person
from tests.e2e.screens import Screens
from tests.people import PASSWORD

WIDE = {"width": 1440, "height": 900}

RESTED_MS = 20_000
"""How long a mouse may have been left at most until the rows are in order."""


def test_without_patients_the_next_step_is_named(screens: Screens, doctor: Person) -> None:
    """An empty page says what to do."""
    page = screens.dashboard(doctor)
    expect(page.get_by_role("heading", name="No patients yet")).to_be_visible()
    expect(page.get_by_role("button", name="Invite")).to_be_visible()


def test_who_waits_comes_first_and_is_counted(
    clinic: Clinic, screens: Screens, doctor: Person
) -> None:
    """Unread before the newest; the line above says how many wait."""
    tom, ana, eva = (clinic.patient(doctor, name=name) for name in ("Tom", "Ana", "Eva"))
    ana.says(doctor, "My knee hurts.")
    tom.says(doctor, "I feel dizzy.", "And tired.")
    doctor.says(eva, "See you on Monday.")

    page = screens.dashboard(doctor)
    expect(page.get_by_role("article").get_by_role("heading")).to_have_text(["Tom", "Ana", "Eva"])
    expect(page.get_by_text("2 waiting · longest less than 1 min")).to_be_visible()
    expect(on.card(page, tom)).to_contain_text("2 unread")
    expect(on.card(page, eva)).to_contain_text("You: See you on Monday.")
    expect(page).to_have_title(re.compile(r"^\(3\) Dashboard"))


def test_the_search_narrows_the_cards_while_one_types(
    clinic: Clinic, screens: Screens, doctor: Person
) -> None:
    """And shows everybody again when it is cleared."""
    tom, ana = (clinic.patient(doctor, name=name) for name in ("Tom Kowalski", "Ana López"))
    page = screens.dashboard(doctor)
    search = page.get_by_role("searchbox", name="Search by name")

    search.press_sequentially("kow")
    expect(on.card(page, ana)).to_be_hidden()
    expect(on.card(page, tom)).to_be_visible()
    search.fill("nobody")
    expect(page.get_by_role("heading", name="Nobody of that name")).to_be_visible()
    search.fill("")
    expect(on.card(page, ana)).to_be_visible()


def test_a_search_ends_when_its_field_is_left(
    clinic: Clinic, screens: Screens, doctor: Person
) -> None:
    """Beside a thread there is none that could show it, and back again it is empty."""
    tom, ana = (clinic.patient(doctor, name=name) for name in ("Tom Kowalski", "Ana López"))
    page = screens.dashboard(doctor, viewport=WIDE)
    page.get_by_role("searchbox").press_sequentially("kow")
    expect(on.card(page, ana)).to_be_hidden()

    on.card(page, tom).get_by_role("link", name="Chat").click()
    beside = page.get_by_role("navigation", name="Conversations")
    expect(beside.get_by_role("link", name="Ana López")).to_be_visible()
    page.get_by_role("link", name="Dashboard", exact=True).click()
    expect(on.card(page, ana)).to_be_visible()
    expect(page.get_by_role("searchbox")).to_have_value("")


def test_a_search_that_outlives_a_reload_is_in_its_field(
    clinic: Clinic, screens: Screens, doctor: Person
) -> None:
    """What is not shown has a reason that is."""
    tom, ana = (clinic.patient(doctor, name=name) for name in ("Tom Kowalski", "Ana López"))
    page = screens.dashboard(doctor)
    page.get_by_role("searchbox").press_sequentially("kow")
    expect(on.card(page, ana)).to_be_hidden()
    page.reload()
    expect(on.card(page, tom)).to_be_visible()
    expect(page.get_by_role("searchbox")).to_have_value("kow")
    expect(on.card(page, ana)).to_be_hidden()


def test_the_longest_wait_leads_to_that_patient(
    clinic: Clinic, screens: Screens, doctor: Person
) -> None:
    """Also while a search shows somebody else, and to the next one after that."""
    tom, ana = (clinic.patient(doctor, name=name) for name in ("Tom", "Ana"))
    tom.says(doctor, "I feel dizzy.")
    ana.says(doctor, "My knee hurts.")
    tom.says(doctor, "Still there?")
    page = screens.dashboard(doctor)
    page.get_by_role("searchbox").fill("ana")
    expect(on.card(page, tom)).to_be_hidden()
    page.get_by_role("link", name="longest").click()
    expect(page.get_by_role("heading", name="Tom")).to_be_visible()
    expect(on.message(page, "I feel dizzy.")).to_be_visible()

    page.get_by_role("link", name="Back to the dashboard").click()
    expect(page.get_by_text("1 waiting")).to_be_visible()
    page.get_by_role("link", name="longest").click()
    expect(on.message(page, "My knee hurts.")).to_be_visible()


def test_two_patients_of_one_name_are_told_apart_by_their_addresses(
    clinic: Clinic, screens: Screens, doctor: Person
) -> None:
    """On the cards, in the list and above the thread; nobody else's is in the way."""
    one, other = (clinic.patient(doctor, name="Maria Jones") for _ in range(2))
    tom = clinic.patient(doctor, name="Tom")
    page = screens.dashboard(doctor, viewport=WIDE)
    cards = page.get_by_role("main")
    for maria in (one, other):
        expect(cards.get_by_text(maria.email)).to_be_visible()
    expect(cards.get_by_text(tom.email)).to_have_count(0)

    on.open_chat(page, one)
    expect(page.get_by_role("main").get_by_text(one.email)).to_be_visible()
    beside = page.get_by_role("navigation", name="Conversations")
    expect(beside.get_by_role("link", name=other.email)).to_be_visible()
    expect(beside.get_by_role("link", name="Tom")).not_to_contain_text("@")


def test_a_card_changes_by_itself_when_a_message_arrives(
    clinic: Clinic, screens: Screens, doctor: Person
) -> None:
    """Its words, its count, its place and the page's title."""
    tom, ana = (clinic.patient(doctor, name=name) for name in ("Tom", "Ana"))
    doctor.says(ana, "See you on Monday.")
    page = screens.dashboard(doctor)
    names = page.get_by_role("article").get_by_role("heading")
    expect(names).to_have_text(["Ana", "Tom"])

    tom.says(doctor, "I feel dizzy.")
    expect(on.card(page, tom)).to_contain_text("1 unread")
    expect(on.card(page, tom)).to_contain_text("I feel dizzy.")
    expect(names).to_have_text(["Tom", "Ana"])
    expect(page).to_have_title(re.compile(r"^\(1\) "))


def test_a_card_forgets_its_count_when_the_message_is_read_elsewhere(
    clinic: Clinic, screens: Screens, doctor: Person
) -> None:
    """Here through the API, as another device would."""
    tom = clinic.patient(doctor, name="Tom")
    tom.says(doctor, "I feel dizzy.")
    page = screens.dashboard(doctor)
    expect(on.card(page, tom)).to_contain_text("1 unread")

    doctor.reads(tom)
    expect(on.card(page, tom)).not_to_contain_text("unread")
    expect(page.get_by_text("Nobody is waiting")).to_be_visible()


def test_more_patients_than_a_page_holds_come_while_one_scrolls(
    clinic: Clinic, screens: Screens, doctor: Person
) -> None:
    """Each once."""
    clinic.add_patients(doctor, 120)
    page = screens.dashboard(doctor)
    cards = page.get_by_role("article")
    expect(cards).to_have_count(50)

    cards.last.scroll_into_view_if_needed()
    expect(cards).to_have_count(100)
    cards.last.scroll_into_view_if_needed()
    expect(cards).to_have_count(120)


def test_every_card_changes_when_many_write_at_once(
    clinic: Clinic, screens: Screens, doctor: Person
) -> None:
    """As after an outage, when what waited in the browsers comes together."""
    patients = [clinic.patient(doctor, name=f"Patient {number}") for number in range(16)]
    page = screens.dashboard(doctor)
    with ThreadPoolExecutor(len(patients)) as all_at_once:
        list(all_at_once.map(lambda patient: patient.says(doctor, "I am back."), patients))
    expect(page.get_by_text("16 waiting")).to_be_visible()
    expect(page.get_by_role("article").filter(has_text="I am back.")).to_have_count(16)


def test_cards_go_on_changing_after_a_page_was_left_in_the_middle_of_a_change(
    clinic: Clinic, screens: Screens, doctor: Person
) -> None:
    """Away and back before what has happened is painted."""
    tom = clinic.patient(doctor, name="Tom")
    page = screens.dashboard(doctor)
    for text in ("One", "Two", "Three"):
        tom.says(doctor, text)
        page.evaluate("location.hash = ''; document.querySelector('a[href=\"/account\"]').click()")
        page.get_by_role("heading", name="Change password").wait_for()
        page.get_by_role("link", name="Dashboard").first.click()
        expect(on.card(page, tom)).to_contain_text(text)
    tom.says(doctor, "Four")
    expect(on.card(page, tom)).to_contain_text("Four")
    expect(on.card(page, tom)).to_contain_text("4 unread")


class TestInviting:
    """From the button to the first message."""

    def test_an_invited_patient_joins_appears_and_can_be_written_to(
        self, screens: Screens, doctor: Person
    ) -> None:
        """The link works in a browser that is nobody yet; the card appears without a reload."""
        page, other = screens.dashboard(doctor), screens.open()
        _invite(page, "Nora New", f"nora.of.{doctor.email}")
        link = page.get_by_role("textbox", name="Link").input_value()
        page.get_by_role("button", name="Done").click()

        other.goto(link)
        expect(other.get_by_role("heading", name="Welcome, Nora New")).to_be_visible()
        other.get_by_label("Password", exact=True).fill(PASSWORD)
        other.get_by_role("button", name="Join").click()
        expect(other.get_by_role("heading", name="Your Doctor is Available")).to_be_visible()

        card = page.get_by_role("article", name="Nora New")
        card.get_by_role("link", name="Chat").click()
        on.write(page, "Welcome!")
        other.get_by_role("link", name="Start Chat").click()
        expect(on.message(other, "Welcome!")).to_be_visible()

    def test_a_link_works_once(self, screens: Screens, doctor: Person) -> None:
        """The second time the page says so and leads on."""
        page, other = screens.dashboard(doctor), screens.open()
        _invite(page, "Nora New", f"nora.of.{doctor.email}")
        link = page.get_by_role("textbox", name="Link").input_value()
        other.goto(link)
        other.get_by_label("Password", exact=True).fill(PASSWORD)
        other.get_by_role("button", name="Join").click()
        other.wait_for_url("**/dashboard")

        other.goto(link)
        expect(other.get_by_role("heading", name="This link no longer works")).to_be_visible()

    def test_an_existing_patient_is_there_at_once(
        self, clinic: Clinic, screens: Screens, doctor: Person
    ) -> None:
        """No link is needed."""
        patient = clinic.patient(clinic.doctor(), name="Tom Kowalski")
        page = screens.dashboard(doctor)
        _invite(page, "Tom", patient.email)
        expect(page.get_by_role("alert")).to_have_text(
            "Tom Kowalski has an account already and is now your patient."
        )
        page.get_by_role("button", name="Done").click()
        expect(on.card(page, patient)).to_be_visible()

    def test_another_account_is_refused_in_words(
        self, clinic: Clinic, screens: Screens, doctor: Person
    ) -> None:
        """The dialog stays, and its field says so too."""
        colleague = clinic.doctor()
        page = screens.dashboard(doctor)
        _invite(page, "Colleague", colleague.email)
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_role("alert")).to_be_visible()
        email = dialog.get_by_label("Email")
        words = re.compile("^That address has an account that cannot become your patient")
        expect(email).to_have_accessible_description(words)
        expect(email).to_have_attribute("aria-invalid", "true")


def test_beside_the_thread_stands_the_list_with_what_arrives(
    clinic: Clinic, screens: Screens, doctor: Person
) -> None:
    """The open one is marked, another shows its count and leads to its thread."""
    tom, ana = (clinic.patient(doctor, name=name) for name in ("Tom", "Ana"))
    page = screens.chat(doctor, tom, viewport=WIDE)
    beside = page.get_by_role("navigation", name="Conversations")
    expect(beside.get_by_role("link", name="Tom")).to_have_attribute("aria-current", "page")

    ana.says(doctor, "My knee hurts.")
    entry = beside.get_by_role("link", name="Ana")
    expect(entry).to_contain_text("1 unread")
    entry.click()
    expect(on.message(page, "My knee hurts.")).to_be_visible()
    expect(entry).not_to_contain_text("unread")


def test_nothing_can_be_sent_until_it_is_known_to_whom(
    clinic: Clinic, screens: Screens, doctor: Person
) -> None:
    """The other patient was clicked, the server has not answered yet, and one types at once.

    What is typed is for the other one, who gets it with an Enter after their name is there.
    """
    tom, ana = (clinic.patient(doctor, name=name) for name in ("Tom", "Ana"))
    tom.says(doctor, "I feel dizzy.")
    page = screens.chat(doctor, tom, viewport=WIDE)
    expect(on.message(page, "I feel dizzy.")).to_be_visible()
    beside = page.get_by_role("navigation", name="Conversations")
    with clinic.frozen_server():
        beside.get_by_role("link", name="Ana").click()
        expect(beside.get_by_role("link", name="Ana")).to_have_attribute("aria-current", "page")
        expect(on.field_of(page)).to_be_hidden()
        expect(on.message(page, "I feel dizzy.")).to_be_hidden()
        expect(page.get_by_role("main").get_by_text("Tom")).to_have_count(0)
        expect(page.get_by_role("main").get_by_text(tom.email)).to_have_count(0)
        page.keyboard.type("Take it")
        page.keyboard.press("Enter")
        page.keyboard.type("twice")
    expect(page.get_by_role("heading", name="Ana")).to_be_visible()
    expect(on.field_of(page)).to_be_focused()
    expect(on.field_of(page)).to_have_value("Take it\ntwice")
    assert (doctor.texts(tom), doctor.texts(ana)) == (["I feel dizzy."], [])
    page.keyboard.type(" a day.")
    page.keyboard.press("Enter")
    whole = "Take it\ntwice a day."
    expect(on.state(page, whole)).to_have_text("Sent")
    assert (doctor.texts(tom), doctor.texts(ana)) == (["I feel dizzy."], [whole])


def test_what_is_typed_for_one_who_was_clicked_never_stands_with_the_next(
    clinic: Clinic, screens: Screens, doctor: Person
) -> None:
    """It is there when one comes back to them."""
    tom, ana, eva = (clinic.patient(doctor, name=name) for name in ("Tom", "Ana", "Eva"))
    page = screens.chat(doctor, tom, viewport=WIDE)
    beside = page.get_by_role("navigation", name="Conversations")
    with clinic.frozen_server():
        for name in ("Ana", "Eva"):
            beside.get_by_role("link", name=name).click()
            # Nobody is as fast as a script, which types before the page is drawn.
            expect(beside.get_by_role("link", name=name)).to_have_attribute("aria-current", "page")
            page.keyboard.type(f"For {name}")
    expect(on.log(page, eva)).to_be_visible()
    expect(on.field_of(page)).to_have_value("For Eva")
    beside.get_by_role("link", name="Tom").click()
    expect(on.log(page, tom)).to_be_visible()
    expect(on.field_of(page)).to_have_value("")
    beside.get_by_role("link", name="Ana").click()
    expect(on.log(page, ana)).to_be_visible()
    expect(on.field_of(page)).to_have_value("For Ana")


def test_who_is_chosen_by_pointer_can_be_written_to_at_once(
    clinic: Clinic, screens: Screens, doctor: Person
) -> None:
    """A keyboard stays in the list."""
    tom, ana = (clinic.patient(doctor, name=name) for name in ("Tom", "Ana"))
    page = screens.chat(doctor, tom, viewport=WIDE)
    beside = page.get_by_role("navigation", name="Conversations")
    beside.get_by_role("link", name="Ana").click()
    expect(page.get_by_placeholder("Message to Ana…")).to_be_focused()
    page.keyboard.type("Hello, Ana.")
    page.keyboard.press("Enter")
    expect(on.state(page, "Hello, Ana.")).to_have_text("Sent")

    beside.get_by_role("link", name="Tom").focus()
    page.keyboard.press("Enter")
    expect(on.log(page, tom)).to_be_visible()
    expect(beside.get_by_role("link", name="Tom")).to_be_focused()
    assert (doctor.texts(tom), doctor.texts(ana)) == ([], ["Hello, Ana."])


def test_the_list_rests_while_the_pointer_is_in_it(
    clinic: Clinic, screens: Screens, doctor: Person
) -> None:
    """What is clicked is what was aimed at; it moves when the pointer is gone."""
    tom, ana, eva = (clinic.patient(doctor, name=name) for name in ("Tom", "Ana", "Eva"))
    for patient in (tom, ana, eva):
        doctor.says(patient, f"Hello, {patient.name}.")
    page = screens.chat(doctor, eva, viewport=WIDE)
    beside = page.get_by_role("navigation", name="Conversations")
    names = beside.locator(".name")
    expect(names).to_have_text(["Eva", "Ana", "Tom"])

    beside.get_by_role("link", name="Ana").hover()
    tom.says(doctor, "I feel dizzy.")
    expect(beside.get_by_role("link", name="Tom")).to_contain_text("1 unread")
    expect(names).to_have_text(["Eva", "Ana", "Tom"])
    page.mouse.down()
    page.mouse.up()
    expect(page.get_by_role("heading", name="Ana")).to_be_visible()
    expect(names).to_have_text(["Eva", "Ana", "Tom"])
    on.log(page).hover()
    expect(names).to_have_text(["Tom", "Eva", "Ana"])


def test_the_open_conversation_does_not_look_like_the_one_under_the_mouse(
    clinic: Clinic, screens: Screens, doctor: Person
) -> None:
    """Only the open one has a ground of its own."""
    tom, ana = (clinic.patient(doctor, name=name) for name in ("Tom", "Ana"))
    page = screens.chat(doctor, tom, viewport=WIDE)
    beside = page.get_by_role("navigation", name="Conversations")
    beside.get_by_role("link", name=ana.name).hover()
    ground = "link => getComputedStyle(link).backgroundColor"
    under = beside.get_by_role("link", name=ana.name).evaluate(ground)
    assert under == "rgba(0, 0, 0, 0)"
    assert beside.get_by_role("link", name=tom.name).evaluate(ground) != under


def test_a_mouse_that_was_left_among_the_cards_hides_nobody_who_waits(
    clinic: Clinic, screens: Screens, doctor: Person
) -> None:
    """Just moved, it keeps the cards in place and one button tells; later they are in order."""
    tom, ana = (clinic.patient(doctor, name=name) for name in ("Tom", "Ana"))
    tom.says(doctor, "I feel dizzy.")
    page = screens.dashboard(doctor, viewport=WIDE)
    names = page.get_by_role("article").get_by_role("heading")
    show = page.get_by_role("button", name="1 more is waiting. Show")
    expect(names).to_have_text(["Tom", "Ana"])
    on.card(page, tom).hover()
    ana.says(doctor, "My knee hurts.")
    expect(show).to_be_visible()
    expect(names).to_have_text(["Tom", "Ana"])
    show.click()
    expect(names).to_have_text(["Ana", "Tom"])
    expect(show).to_be_hidden()

    on.card(page, ana).hover()
    tom.says(doctor, "Still dizzy.")
    expect(on.card(page, tom)).to_contain_text("2 unread")
    expect(names).to_have_text(["Ana", "Tom"])
    expect(names).to_have_text(["Tom", "Ana"], timeout=RESTED_MS)


def test_the_open_conversation_is_in_its_list_however_many_are_newer(
    clinic: Clinic, screens: Screens, doctor: Person
) -> None:
    """Those who wait come first on the dashboard, not here."""
    clinic.add_patients(doctor, 52)
    tom = clinic.patient(doctor, name="Tom")
    with clinic.database() as database:
        # As if all the others had been written to after Tom.
        database["conversations"].update_many(
            {"members.email": doctor.email, "members.name": {"$ne": "Tom"}},
            {"$set": {"last_at": datetime.now(UTC)}},
        )
    page = screens.chat(doctor, tom, viewport=WIDE)
    beside = page.get_by_role("navigation", name="Conversations")
    expect(beside.get_by_role("link")).to_have_count(51)
    expect(beside.get_by_role("link", name="Tom")).to_have_attribute("aria-current", "page")


def test_arrow_keys_move_through_the_list(clinic: Clinic, screens: Screens, doctor: Person) -> None:
    """Down and up again."""
    tom, _ana = (clinic.patient(doctor, name=name) for name in ("Tom", "Ana"))
    tom.says(doctor, "I am the newest.")
    page = screens.chat(doctor, tom, viewport=WIDE)
    beside = page.get_by_role("navigation", name="Conversations")

    beside.get_by_role("link", name="Tom").focus()
    page.keyboard.press("ArrowDown")
    expect(beside.get_by_role("link", name="Ana")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(beside.get_by_role("link", name="Tom")).to_be_focused()


def _invite(page: Page, name: str, email: str) -> None:
    page.get_by_role("button", name="Invite").click()
    dialog = page.get_by_role("dialog", name="Invite a patient")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("Email").fill(email)
    dialog.get_by_role("button", name="Create invitation").click()
