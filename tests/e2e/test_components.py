"""The chat page's modules in a real browser, without a server: timeline, outbox, drafts."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route

MODULES = Path(__file__).parents[2] / "carechat" / "ui" / "chat"
SITE = "http://localhost:1"  # a secure context, as locks need; every request is answered from disk
DOCTOR = "doctor@example.com"
HOUR_MS = 3600 * 1000
SENT_SECONDS = 5.0
WITH_ORDER = """() => {
  window.order = [];
  box.carry("c1", () => order.push("sent"));
  box.subscribe(() => order.push("shown"));
}"""


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh profile far from UTC."""
    profile = browser.new_context(timezone_id="America/New_York", locale="en-GB")
    profile.route(f"{SITE}/**", _answer)
    yield profile
    profile.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A page with the modules at hand, and `sent`: what a carrier was given so far."""
    return _open(context)


@pytest.fixture
def broken(browser: Browser) -> Iterator[Callable[[str], Page]]:
    """Give what opens a page in a browser in which, by a script, something does not work."""
    profiles: list[BrowserContext] = []

    def opened(script: str) -> Page:
        profiles.append(browser.new_context())
        profiles[-1].route(f"{SITE}/**", _answer)
        profiles[-1].add_init_script(script)
        return _open(profiles[-1])

    yield opened
    for profile in profiles:
        profile.close()


def _answer(route: Route) -> None:
    name = route.request.url.rsplit("/", 1)[1]
    if name.endswith(".js"):
        body = (MODULES / name).read_text(encoding="utf-8")
        route.fulfill(body=body, content_type="text/javascript")
    else:
        route.fulfill(body="<!doctype html><title>modules</title>", content_type="text/html")


def _open(context: BrowserContext) -> Page:
    page = context.new_page()
    _load(page)
    return page


def _load(page: Page) -> None:
    page.goto(SITE)
    page.evaluate(
        """async (account) => {
          window.timeline = await import("/timeline.js");
          window.drafts = await import("/drafts.js");
          window.outbox = await import("/outbox.js");
          window.box = outbox.of(account);
          window.sent = [];
          window.carry = (conversation = "c1") => {
            box.carry(conversation, (entry) => sent.push([entry.client_id, entry.text]));
          };
          window.waiting = () => box.entries().map((entry) => entry.text);
          window.row = (seq, more) =>
            ({ seq, client_id: "", mine: false, text: "", at: seq, ...more });
        }""",
        DOCTOR,
    )


def _texts(page: Page) -> list[str]:
    return page.evaluate("sent.map(([, text]) => text)")


def _until_sent(page: Page, count: int) -> None:
    page.wait_for_function("count => sent.length >= count", arg=count)


class TestTimeline:
    """Pure functions of the rows."""

    def test_rows_are_merged_by_number_without_duplicates(self, page: Page) -> None:
        """The later list's row wins, and the order is that of the numbers."""
        merged = page.evaluate(
            """timeline.merge([row(2), row(3, {text: "old"})], [row(3, {text: "new"}), row(1)])
              .map(({ seq, text }) => [seq, text])"""
        )
        assert merged == [[1, ""], [2, ""], [3, "new"]]

    def test_the_newest_missing_number_is_found(self, page: Page) -> None:
        """What is asked for is what comes after the row before the gap."""
        assert page.evaluate("timeline.gapAfter([row(1), row(4), row(5), row(8)], true)") == 5
        assert page.evaluate("timeline.gapAfter([row(7), row(8)], true)") is None
        assert page.evaluate("timeline.gapAfter([row(7), row(8)], false)") == 0
        assert page.evaluate("timeline.gapAfter([row(1), row(2)], false)") is None
        assert page.evaluate("timeline.gapAfter([row(900)], false)") is None
        assert page.evaluate("timeline.gapAfter([], false)") is None

    def test_rows_above_a_large_gap_leave(self, page: Page) -> None:
        """They come again by scrolling up."""
        merged = page.evaluate("timeline.merge([row(1), row(2)], [row(900)]).map((r) => r.seq)")
        assert merged == [900]

    def test_the_window_holds_300_rows_and_moves_in_steps(self, page: Page) -> None:
        """It follows the newest until the reader goes up, and again when the reader is back."""
        result = page.evaluate(
            """() => {
              const rows = Array.from({ length: 500 }, (_, i) => row(i + 1));
              const up = timeline.moved(rows, null, -50);
              return [timeline.windowOf(rows, null), up, timeline.windowOf(rows, up),
                timeline.moved(rows, up, 50)];
            }"""
        )
        assert result == [{"start": 200, "end": 500}, 151, {"start": 150, "end": 450}, None]

    def test_days_are_the_readers_and_not_those_of_utc(self, page: Page) -> None:
        """03:30 UTC is the evening before in New York."""
        headings = page.evaluate(
            """() => {
              const now = Date.UTC(2026, 0, 15, 3, 30);
              return [now, now - 24 * 3600e3, Date.UTC(2026, 0, 12, 18), Date.UTC(2025, 11, 31, 18)]
                .map((at) => timeline.dayHeading(at, now));
            }"""
        )
        assert headings == [
            "Today",
            "Yesterday",
            "Monday 12 January",
            "Wednesday, 31 December 2025",
        ]

    def test_messages_of_one_writer_within_five_minutes_are_a_group(self, page: Page) -> None:
        """A new writer, a pause and a new day begin another."""
        firsts = page.evaluate(
            """() => {
              const minute = 60e3, noon = Date.UTC(2026, 0, 15, 17);
              const said = (mine, minutes) =>
                ({ key: String(minutes), mine, at: noon + minutes * minute });
              return timeline.byDay([said(true, 0), said(true, 4), said(false, 5), said(false, 11),
                said(false, 24 * 60)]).map(({ messages }) => messages.map(({ first }) => first));
            }"""
        )
        assert firsts == [[True, False, True, True], [True]]

    @pytest.mark.parametrize("text", ["👍", "❤️🎉", "👩‍⚕️", "🇩🇪 🇫🇷", "1️⃣", "👍🏽"])
    def test_emoji_alone_are_recognised(self, page: Page, text: str) -> None:
        """Also joined, coloured and flags."""
        assert page.evaluate("(text) => timeline.isEmojiOnly(text)", text)

    @pytest.mark.parametrize("text", ["ok 👍", "1", "#", "©", "", "👍" * 9])
    def test_other_texts_are_no_emoji(self, page: Page, text: str) -> None:
        """A digit is part of some emoji, but none by itself."""
        assert not page.evaluate("(text) => timeline.isEmojiOnly(text)", text)

    def test_the_state_follows_the_partners_cursors(self, page: Page) -> None:
        """Read implies delivered."""
        states = page.evaluate("[1, 2, 3].map((seq) => timeline.stateOf(seq, 2, 1))")
        assert states == ["read", "delivered", "sent"]


class TestOutbox:
    """What is written gets through, once and in order."""

    def test_the_next_message_waits_for_the_one_before(self, page: Page) -> None:
        """Only an acknowledgement lets it go."""
        page.evaluate("box.setConnected(true); carry(); box.add('c1', 'a'); box.add('c1', 'b')")
        _until_sent(page, 1)
        page.wait_for_timeout(100)
        assert _texts(page) == ["a"]
        page.evaluate("box.drop([sent[0][0]])")
        _until_sent(page, 2)
        assert _texts(page) == ["a", "b"]

    def test_a_message_is_handed_over_before_the_page_is_drawn_with_it(self, page: Page) -> None:
        """Drawing would keep it waiting; it is kept before both."""
        page.evaluate("box.setConnected(true); carry(); box.add('c1', 'a')")
        _until_sent(page, 1)
        page.evaluate("box.drop([sent[0][0]])")
        page.evaluate(WITH_ORDER)
        page.evaluate("box.add('c1', 'b')")
        page.wait_for_function("() => order.includes('shown')")
        assert page.evaluate("order.slice(0, 2)") == ["sent", "shown"]

    def test_a_refusal_lets_the_next_one_go(self, page: Page) -> None:
        """The refused one stays with its sentence and is not sent again by itself."""
        page.evaluate("box.setConnected(true); carry(); box.add('c1', 'a'); box.add('c1', 'b')")
        _until_sent(page, 1)
        page.evaluate("box.refuse([{ client_id: sent[0][0], detail: 'No.' }])")
        _until_sent(page, 2)
        assert page.evaluate("box.entries().map((entry) => entry.refused ?? null)") == ["No.", None]

    def test_retry_is_a_new_message(self, page: Page) -> None:
        """It has another client_id."""
        page.evaluate("box.setConnected(true); carry(); box.add('c1', 'a')")
        _until_sent(page, 1)
        page.evaluate("box.refuse([{ client_id: sent[0][0], detail: 'No.' }])")
        page.evaluate("box.retry(sent[0][0])")
        _until_sent(page, 2)
        assert page.evaluate("sent[0][0] !== sent[1][0]")
        assert page.evaluate("waiting()") == ["a"]

    @pytest.mark.parametrize("late", [False, True], ids=["refused", "late"])
    def test_retry_takes_along_all_that_was_written(self, page: Page, late: bool) -> None:
        """Also what this page knows nothing of; only why it was not sent is over."""
        page.evaluate(
            """async ([account, late]) => {
              const entry = { client_id: "m", account, conversation: "c1", text: "a" };
              const at = Date.now();
              const store = await import("/store.js");
              const why = late ? { refused: "Late.", late_at: at } : { refused: "No." };
              await store.put("outbox", { ...entry, urgent: true, at, ...why });
            }""",
            [DOCTOR, late],
        )
        _load(page)
        page.wait_for_function("box.entries()[0]?.refused")
        page.evaluate("box.retry('m')")
        [entry] = page.evaluate("box.entries()")
        assert entry["urgent"]
        assert entry.get("refused") is entry.get("late_at") is None
        assert (entry["client_id"] == "m") == late

    def test_without_an_answer_the_same_client_id_goes_again(self, page: Page) -> None:
        """After two seconds the first time."""
        page.evaluate("box.setConnected(true); carry(); box.add('c1', 'a')")
        _until_sent(page, 2)
        assert page.evaluate("new Set(sent.map(([id]) => id)).size") == 1

    def test_a_carrier_that_fails_is_asked_again(self, page: Page) -> None:
        """One failure does not stop the conversation for good."""
        page.evaluate(
            """() => {
              let failed = false;
              box.setConnected(true);
              box.carry("c1", (entry) => {
                if (failed) sent.push([entry.client_id, entry.text]);
                failed = true;
                if (sent.length === 0) throw new Error("not now");
              });
              box.add("c1", "a");
            }"""
        )
        _until_sent(page, 1)
        assert _texts(page) == ["a"]

    def test_a_reconnect_sends_at_once(self, page: Page) -> None:
        """Nothing is tried while there is no connection."""
        page.evaluate("carry(); box.add('c1', 'a')")
        page.wait_for_timeout(100)
        assert _texts(page) == []
        page.evaluate("box.setConnected(true)")
        page.wait_for_function("sent.length === 1", timeout=1_500)

    def test_conversations_do_not_wait_for_each_other(self, page: Page) -> None:
        """Each has one message under way."""
        page.evaluate("box.setConnected(true); carry('c1'); carry(outbox.ELSEWHERE)")
        page.evaluate("box.add('c1', 'a'); box.add('c2', 'b')")
        _until_sent(page, 2)
        assert sorted(_texts(page)) == ["a", "b"]

    def test_a_reload_loses_nothing(self, page: Page) -> None:
        """The order stays too."""
        page.evaluate("box.add('c1', 'a'); box.add('c1', 'b')")
        page.wait_for_timeout(100)
        _load(page)
        page.wait_for_function("waiting().join() === 'a,b'")

    def test_what_could_not_be_sent_for_a_day_is_said_and_kept_one_more(self, page: Page) -> None:
        """It does not go out by itself any more; a day after it was said it is forgotten."""
        page.evaluate("box.add('c1', 'a')")
        page.wait_for_timeout(100)
        page.clock.install()
        page.clock.fast_forward(25 * HOUR_MS)
        _load(page)
        page.wait_for_function("box.entries()[0]?.refused === 'This could not be sent for a day.'")
        page.evaluate("carry(); box.setConnected(true)")
        page.clock.fast_forward(23 * HOUR_MS)
        assert _texts(page) == []
        _load(page)
        page.wait_for_function("waiting().join() === 'a'")
        page.clock.fast_forward(2 * HOUR_MS)
        _load(page)
        page.wait_for_timeout(100)
        assert page.evaluate("waiting()") == []

    def test_what_is_tried_again_after_a_day_is_still_the_same_message(self, page: Page) -> None:
        """It may have been stored without an answer: then it is not stored twice."""
        page.evaluate("box.add('c1', 'a')")
        client_id = page.evaluate("box.entries()[0].client_id")
        page.wait_for_timeout(100)
        page.clock.install()
        page.clock.fast_forward(25 * HOUR_MS)
        _load(page)
        page.wait_for_function("box.entries()[0]?.refused")
        page.evaluate("carry(); box.setConnected(true); box.retry(box.entries()[0].client_id)")
        _until_sent(page, 1)
        assert page.evaluate("sent[0]") == [client_id, "a"]

    def test_what_was_refused_and_seen_is_forgotten_after_a_day(self, page: Page) -> None:
        """Nobody has to be told again."""
        page.evaluate("box.add('c1', 'a')")
        page.evaluate("box.refuse([{ client_id: box.entries()[0].client_id, detail: 'No.' }])")
        page.wait_for_timeout(100)
        page.clock.install()
        page.clock.fast_forward(25 * HOUR_MS)
        _load(page)
        page.wait_for_timeout(100)
        assert page.evaluate("waiting()") == []

    def test_signing_out_leaves_no_tab_that_writes_on(
        self, page: Page, context: BrowserContext
    ) -> None:
        """Whatever another one is about to write, it leads away and nothing is left."""
        other = _open(context)
        other.evaluate(
            """() => {
              outbox.whenForgotten(() => { window.left = true; });
              const write = () => {
                drafts.write("doctor@example.com", "c1", "draft");
                box.add("c1", "a");
              };
              write();
              window.timer = setInterval(write, 1);
            }"""
        )
        page.wait_for_function("waiting().length > 3")
        page.evaluate("outbox.forget('doctor@example.com')")
        other.wait_for_function("window.left")
        other.wait_for_timeout(100)
        other.evaluate("clearInterval(timer)")
        assert other.evaluate("waiting()") == []
        _load(page)
        page.wait_for_timeout(100)
        assert page.evaluate("waiting()") == []
        assert page.evaluate("drafts.read('doctor@example.com', 'c1')") == ""

    def test_signing_out_forgets_one_account_and_no_other(self, page: Page) -> None:
        """In the database as well."""
        page.evaluate(
            """async () => {
              box.add('c1', 'a');
              outbox.of('nurse@example.com').add('c1', 'n');
              await drafts.write('doctor@example.com', 'c1', 'draft');
              await outbox.forget('doctor@example.com');
            }"""
        )
        _load(page)
        page.wait_for_function("outbox.of('nurse@example.com').entries().length === 1")
        assert page.evaluate("waiting()") == []
        assert page.evaluate("drafts.read('doctor@example.com', 'c1')") == ""

    def test_two_tabs_share_it_and_one_of_them_sends(
        self, page: Page, context: BrowserContext
    ) -> None:
        """While one waits for an answer the other does not send."""
        other = _open(context)
        page.evaluate("box.add('c1', 'a')")
        other.wait_for_function("waiting().join() === 'a'")
        for tab in (page, other):
            tab.evaluate("carry(); box.setConnected(true)")
        deadline = time.monotonic() + SENT_SECONDS
        while not _texts(page) + _texts(other):
            assert time.monotonic() < deadline
            page.wait_for_timeout(10)
        page.wait_for_timeout(300)
        assert len(_texts(page)) + len(_texts(other)) == 1
        other.evaluate("box.drop(box.entries().map((entry) => entry.client_id))")
        page.wait_for_function("waiting().length === 0")

    def test_what_waits_goes_out_after_hours_offline(self, page: Page) -> None:
        """In the order in which it was written."""
        page.clock.install()
        page.evaluate("carry(); box.add('c1', 'a')")
        page.clock.fast_forward(10 * HOUR_MS)
        page.evaluate("box.add('c1', 'b')")
        page.clock.fast_forward(13 * HOUR_MS)
        page.evaluate("box.setConnected(true)")
        page.wait_for_function("sent.length === 1")
        page.evaluate("box.drop([sent[0][0]])")
        page.wait_for_function("sent.map(([, text]) => text).join() === 'a,b'")

    def test_a_page_that_was_open_for_days_sends_nothing_old_by_itself(self, page: Page) -> None:
        """As a machine that slept; what is written now goes out."""
        page.clock.install()
        page.evaluate("carry(); box.add('c1', 'a'); box.add('c1', 'b')")
        page.clock.fast_forward(25 * HOUR_MS)
        page.evaluate("box.add('c1', 'now'); box.setConnected(true)")
        page.wait_for_function("sent.length === 1")
        assert _texts(page) == ["now"]
        assert page.evaluate("box.entries().map((entry) => entry.refused !== undefined)") == [
            True,
            True,
            False,
        ]

    def test_what_was_kept_goes_out_before_what_is_written_while_it_is_being_read(
        self, page: Page
    ) -> None:
        """However early somebody writes."""
        page.evaluate("box.add('c1', 'before')")
        page.wait_for_timeout(100)
        page.goto(SITE)
        page.evaluate(
            """async (account) => {
              const outbox = await import("/outbox.js");
              window.sent = [];
              window.box = outbox.of(account);
              box.setConnected(true);
              box.carry("c1", ({ client_id, text }) => {
                sent.push(text);
                box.drop([client_id]);
              });
              box.add("c1", "after");
            }""",
            DOCTOR,
        )
        page.wait_for_function("sent.length === 2")
        assert page.evaluate("sent") == ["before", "after"]

    def test_a_database_that_never_answers_holds_nothing_back(
        self, broken: Callable[[str], Page]
    ) -> None:
        """What is written then is seen at once and goes out after a moment."""
        page = broken("indexedDB.open = () => ({});")
        page.evaluate("box.setConnected(true)")
        page.evaluate(WITH_ORDER)
        page.evaluate("box.add('c1', 'a')")
        page.wait_for_function("() => order.includes('sent')")
        assert page.evaluate("order[0]") == "shown"

    def test_locks_that_are_denied_hold_nothing_back(self, broken: Callable[[str], Page]) -> None:
        """The server stores a message once, whoever sends it how often."""
        page = broken(
            "navigator.locks.request = () => Promise.reject(new DOMException('', 'SecurityError'))",
        )
        page.evaluate("box.setConnected(true); carry(); box.add('c1', 'a')")
        _until_sent(page, 1)

    def test_without_room_it_is_said_and_the_browser_asks_before_it_leaves(
        self, broken: Callable[[str], Page]
    ) -> None:
        """Until it is stored elsewhere; the draft it was stays where it is."""
        page = broken(
            """window.full = false;
               const { put } = IDBObjectStore.prototype;
               IDBObjectStore.prototype.put = function (row) {
                 if (full) throw new DOMException("", "QuotaExceededError");
                 return put.call(this, row);
               };""",
        )
        page.evaluate("drafts.write('doctor@example.com', 'c1', 'a')")
        page.evaluate(
            "full = true; box.add('c1', 'a'); drafts.write('doctor@example.com', 'c1', '')"
        )
        page.wait_for_function("box.isLoose()")
        leaves = "dispatchEvent(new Event('beforeunload', { cancelable: true }))"
        assert not page.evaluate(leaves)
        kept = "import('/store.js').then((store) => store.all('drafts'))"
        assert [row["text"] for row in page.evaluate(kept)] == ["a"]
        page.evaluate("box.drop(box.entries().map((entry) => entry.client_id))")
        assert page.evaluate(leaves)

    def test_what_the_browser_keeps_needs_no_question(self, page: Page) -> None:
        """It is there the next time."""
        page.evaluate("box.add('c1', 'a')")
        page.wait_for_timeout(100)
        assert page.evaluate("dispatchEvent(new Event('beforeunload', { cancelable: true }))")

    def test_a_database_that_was_closed_or_deleted_is_opened_again(self, page: Page) -> None:
        """The browser may do that at any time; what is written afterwards is kept."""
        page.evaluate("box.add('c1', 'a')")
        page.wait_for_timeout(100)
        page.evaluate(
            """() => new Promise((resolve, reject) => {
              const deleting = indexedDB.deleteDatabase("carechat");
              deleting.onsuccess = resolve;
              deleting.onblocked = reject;
            })"""
        )
        page.evaluate("box.add('c1', 'b')")
        page.wait_for_timeout(100)
        assert not page.evaluate("box.isLoose()")
        _load(page)
        page.wait_for_function("waiting().join() === 'b'")

    def test_two_tabs_send_everything_once_and_in_the_order_of_writing(
        self, page: Page, context: BrowserContext
    ) -> None:
        """What was written offline in both, by turns; a server stores a `client_id` once."""
        other = _open(context)
        tabs = (page, other)
        for number in range(6):
            tabs[number % 2].evaluate(f"box.add('c1', '{number}')")
        context.expose_binding("stored", lambda _, *entry: stored.setdefault(*entry))
        stored: dict[str, str] = {}
        for tab in tabs:
            tab.wait_for_function("waiting().length === 6")
            tab.evaluate(
                """() => box.carry("c1", ({ client_id, text }) => {
                  stored(client_id, text).then(() => setTimeout(() => box.drop([client_id]), 20));
                })"""
            )
        for tab in tabs:
            tab.evaluate("box.setConnected(true)")
        for tab in tabs:
            tab.wait_for_function("waiting().length === 0")
        assert list(stored.values()) == [str(number) for number in range(6)]

    def test_without_a_database_it_works_until_the_page_closes(self, browser: Browser) -> None:
        """Also without locks, channels and randomUUID, which an insecure origin lacks."""
        bare = browser.new_context()
        bare.route(f"{SITE}/**", _answer)
        bare.add_init_script(
            """for (const [owner, name] of [[window, "indexedDB"], [navigator, "locks"],
                 [window, "BroadcastChannel"], [crypto, "randomUUID"]])
                 Object.defineProperty(owner, name, { value: undefined });"""
        )
        page = _open(bare)
        page.evaluate("box.setConnected(true); carry(); box.add('c1', 'a')")
        _until_sent(page, 1)
        assert page.evaluate("sent[0][0].length") == 32
        bare.close()


class TestDrafts:
    """What was typed and not sent."""

    def test_a_draft_survives_a_reload_by_conversation(self, page: Page) -> None:
        """And belongs to one account."""
        page.evaluate("drafts.write('doctor@example.com', 'c1', 'half a thought')")
        page.wait_for_timeout(100)
        _load(page)
        read = "(where) => drafts.read(...where)"
        assert page.evaluate(read, [DOCTOR, "c1"]) == "half a thought"
        assert page.evaluate(read, [DOCTOR, "c2"]) == ""
        assert page.evaluate(read, ["nurse@example.com", "c1"]) == ""

    def test_another_tab_follows_unless_something_else_was_typed_there(
        self, context: BrowserContext
    ) -> None:
        """What was sent in one tab does not lie ready in the other to be sent again."""
        here, there = _open(context), _open(context)
        there.evaluate(
            "void drafts.follow('doctor@example.com', 'c1', (text) => (window.seen = text))"
        )
        here.evaluate("drafts.write('doctor@example.com', 'c1', 'half a thought')")
        there.wait_for_function("window.seen === 'half a thought'")
        here.evaluate("drafts.write('doctor@example.com', 'c1', '')")
        there.wait_for_function("window.seen === ''")

        there.evaluate("drafts.write('doctor@example.com', 'c1', 'another thought')")
        here.wait_for_function(
            "drafts.read('doctor@example.com', 'c1').then((text) => text === 'another thought')"
        )
        there.evaluate("drafts.write('doctor@example.com', 'c2', 'mine')")
        here.evaluate("drafts.write('nurse@example.com', 'c1', 'of somebody else')")
        here.evaluate("drafts.write('doctor@example.com', 'c2', 'of another conversation')")
        assert there.evaluate("window.seen") == ""

    def test_an_emptied_draft_is_gone(self, page: Page) -> None:
        """As after sending."""
        page.evaluate("drafts.write('doctor@example.com', 'c1', 'sent soon')")
        page.evaluate("drafts.write('doctor@example.com', 'c1', '')")
        page.wait_for_timeout(100)
        _load(page)
        assert page.evaluate("drafts.read('doctor@example.com', 'c1')") == ""

    def test_a_draft_that_is_a_day_old_says_since_when(self, page: Page) -> None:
        """Counted from the last key; after a month it is forgotten."""
        page.evaluate("drafts.write('doctor@example.com', 'c1', 'half a thought')")
        page.wait_for_timeout(100)
        page.clock.install()
        typed = "drafts.read('doctor@example.com', 'c1')"
        since = "drafts.oldSince('doctor@example.com', 'c1')"
        assert page.evaluate(f"{typed}.then(() => {since})") is None
        page.clock.fast_forward(25 * HOUR_MS)
        _load(page)
        assert page.evaluate(typed) == "half a thought"
        assert page.evaluate(f"Date.now() - {since}") >= 25 * HOUR_MS
        page.clock.fast_forward(30 * 24 * HOUR_MS)
        _load(page)
        page.wait_for_timeout(100)
        assert page.evaluate(typed) == ""

    def test_the_draft_of_somebody_who_does_not_come_goes_after_two_days(self, page: Page) -> None:
        """With the next visit of anybody, as on a computer that others use."""
        page.evaluate("drafts.write('nurse@example.com', 'c1', 'half a thought')")
        page.wait_for_timeout(100)
        page.clock.install()
        page.clock.fast_forward(47 * HOUR_MS)
        _load(page)
        page.wait_for_timeout(100)
        kept = (
            "import('/store.js').then((store) => store.all('drafts')).then((rows) => rows.length)"
        )
        assert page.evaluate(kept) == 1
        page.clock.fast_forward(2 * HOUR_MS)
        _load(page)
        page.wait_for_timeout(100)
        assert page.evaluate(kept) == 0

    def test_whether_there_is_a_draft_is_known_by_account(self, page: Page) -> None:
        """Before signing out one is asked about it."""
        page.evaluate("drafts.write('doctor@example.com', 'c1', 'half a thought')")
        assert page.evaluate("drafts.has('doctor@example.com')")
        assert not page.evaluate("drafts.has('nurse@example.com')")
        page.evaluate("drafts.write('doctor@example.com', 'c1', '')")
        assert not page.evaluate("drafts.has('doctor@example.com')")
