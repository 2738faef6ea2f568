// The log of a conversation: what is stored and what is on its way, in order, without a jump.

import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import { SaidLate } from "$/public/external/carechat/ui/parts/said/said.jsx";
import { useAttention, useLatest, useNow, useRequest, useSettled } from "./hooks.js";
import { Message } from "./message.jsx";
import { useReadingPosition } from "./reading_position.js";
import * as timeline from "./timeline.js";

// When the words for who sees the page appear.
const SLOW_MS = 5_000;
const SLOW = "This takes longer than usual. The conversation appears as soon as it arrives.";

/**
 * The feed of one conversation; another conversation needs another `key`.
 * @param {object} props those of the Thread, and
 * @param {?object} props.box the account's outbox
 * @param {object[]} props.waiting the conversation's entries in it
 * @param {boolean} props.connected
 * @param {(rows: object[], silent: boolean) => void} props.onRows hears of all rows when there are others
 */
export function Feed(props) {
  const { conversation, partnerName, older, box, waiting, connected, unreachable } = props;
  const { deliveredSeq, readSeq, times, history, onOlder, onGap, onRead, onTimes } = props;
  const log = useRef(null);
  const rows = useRows(history, props.newest);
  const [first, setFirst] = useState(null);
  const [opened, setOpened] = useState(null);
  const [view, setView] = useState({ bottom: true, newest: 0, nearing: null });
  const now = useNow();
  // A row by itself is news; more at once fill a gap.
  const many = props.newest.length > 1 ? props.newest : null;
  const settled = useSettled(history, first, many);

  const { start, end } = timeline.windowOf(rows, first);
  const atNewest = end === rows.length;
  const oldest = rows[0]?.seq ?? 0;
  const wantsOlder = view.nearing === oldest && start === 0 && older && oldest > 1;
  const seen = useHighest(view.newest);

  const showNewest = useReadingPosition(log, (next) => {
    if (next.nearTop && start > 0) setFirst(timeline.moved(rows, first, -timeline.STEP));
    else if (next.nearBottom && !atNewest) setFirst(timeline.moved(rows, first, timeline.STEP));
    // Where the reader was among other rows does not count: each page is asked for once.
    const sight = { bottom: next.bottom, newest: next.newest, nearing: next.nearTop ? oldest : null };
    setView((last) => (isSame(last, sight) ? last : sight));
  });
  const toNewest = () => {
    setFirst(null);
    showNewest();
  };

  useOwnWords(waiting, toNewest);
  const here = (ask) => (seq) => ask(conversation, seq);
  const answers = connected && unreachable === "";
  useRequest(wantsOlder ? oldest : null, answers, here(onOlder));
  useRequest(timeline.gapAfter(rows, older), answers, here(onGap));
  useReading(lastOfPartner(rows, seen), answers, here(onRead));

  const shown = rows.slice(start, end).map((row) => stored(row, deliveredSeq, readSeq));
  if (atNewest) shown.push(...underWay(waiting, rows));
  useTimes(shown.find((message) => message.key === opened), answers, here(onTimes));
  useRowsHeard(conversation, rows, !settled || !atNewest, props.onRows);
  const retry = useCallback(
    (clientId) => {
      box.retry(clientId);
      goOn(log.current);
    },
    [box],
  );
  const remove = useCallback(
    (clientId) => {
      box.drop([clientId]);
      goOn(log.current);
    },
    [box],
  );
  const open = useCallback((key) => setOpened((before) => (before === key ? null : key)), []);
  const lastOwn = shown.findLast((message) => message.mine)?.key;
  const unseen = rows.filter((row) => !row.mine && row.seq > seen).length;

  return (
    <div className="chat-feed">
      <div
        ref={log}
        className="chat-log"
        role="log"
        aria-label={partnerName === "" ? "Conversation" : `Conversation with ${partnerName}`}
        aria-live={settled ? "polite" : "off"}
        aria-relevant="additions"
        aria-busy={conversation === ""}
        tabIndex={0}
        onKeyDown={moveAmongSigns}
      >
        {conversation === "" && <Loading />}
        {conversation !== "" && shown.length === 0 && (
          <p className="chat-empty">No messages yet. Say hello.</p>
        )}
        {older && oldest > 1 && (
          <p className="chat-earlier" aria-live="off">
            {wantsOlder && "Loading earlier messages…"}
          </p>
        )}
        {timeline.byDay(shown).map(({ day, at, messages }) => (
          <section key={day} className="chat-day">
            <h2 className="chat-date">{timeline.dayHeading(at, now)}</h2>
            {messages.map((message) => (
              <Message
                key={message.key}
                message={message}
                partnerName={partnerName}
                last={message.key === lastOwn}
                writable={props.writable}
                open={message.key === opened}
                times={message.key === opened ? times : undefined}
                onOpen={open}
                onRetry={retry}
                onRemove={remove}
              />
            ))}
          </section>
        ))}
      </div>
      {conversation === "" && <SaidLate words={SLOW} after={SLOW_MS} />}
      {unseen > 0 && !(view.bottom && atNewest) && (
        <NewMessages unseen={unseen} log={log} onClick={toNewest} />
      )}
    </div>
  );
}

const STEPS = { ArrowUp: -1, ArrowDown: 1 };

/** From the sign of an own message the arrow keys lead to those of the others. */
function moveAmongSigns(event) {
  if (!event.target.matches(".chat-state") || !(event.key in STEPS)) return;
  const signs = [...event.currentTarget.querySelectorAll(".chat-state")];
  event.preventDefault();
  signs[signs.indexOf(event.target) + STEPS[event.key]]?.focus();
}

/** Gone, pressed or not, it leaves the focus to the log. */
function NewMessages({ unseen, log, onClick }) {
  const button = useRef(null);
  useLayoutEffect(() => {
    const node = button.current;
    return () => {
      if (document.activeElement === node) log.current?.focus({ preventScroll: true });
    };
  }, [log]);
  return (
    <button ref={button} type="button" className="chat-new" onClick={onClick}>
      New messages ({unseen}) <span aria-hidden="true">↓</span>
    </button>
  );
}

/** The button that was pressed leaves. On a touch screen the field would bring its keyboard. */
function goOn(log) {
  const field = matchMedia("(pointer: fine)").matches && document.getElementById("chat-field");
  (field || log).focus({ preventScroll: true });
}

function useRowsHeard(conversation, rows, silent, onRows) {
  const latest = useLatest(() => onRows(rows, silent));
  useEffect(() => {
    if (conversation !== "") latest.current();
  }, [conversation, rows, latest]);
}

function useRows(history, newest) {
  const [kept, keep] = useState({ rows: [], history: null, newest: null });
  if (kept.history === history && kept.newest === newest) return kept.rows;
  const rows = timeline.merge(kept.rows, history, newest);
  keep({ rows, history, newest });
  return rows;
}

function useHighest(value) {
  const [highest, setHighest] = useState(value);
  if (value > highest) setHighest(value);
  return Math.max(value, highest);
}

/** Who has just written wants to see it. */
function useOwnWords(waiting, toNewest) {
  const latest = useLatest(toNewest);
  const followed = useRef(0);
  const at = waiting.at(-1)?.at ?? 0;
  useEffect(() => {
    if (at <= followed.current) return;
    followed.current = at;
    latest.current();
  }, [at, latest]);
}

/** The partner hears once how far the reader has got, and again after the server was away. */
function useReading(seq, answers, onRead) {
  const attention = useAttention();
  const told = useRef(0);
  const latest = useLatest(onRead);
  useEffect(() => {
    if (!answers) told.current = 0;
    if (!answers || !attention || seq <= told.current) return;
    told.current = seq;
    latest.current(seq);
  }, [seq, answers, attention, latest]);
}

/** What became of an own message is asked for when it is opened, and as it gets further. */
function useTimes(opened, answers, onTimes) {
  const { seq, state } = opened ?? {};
  const latest = useLatest(onTimes);
  useEffect(() => {
    if (answers && (state === "delivered" || state === "read")) latest.current(seq);
  }, [seq, state, answers, latest]);
}

function lastOfPartner(rows, seen) {
  return rows.findLast((row) => !row.mine && row.seq <= seen)?.seq ?? 0;
}

function stored(row, deliveredSeq, readSeq) {
  const { seq, mine, text, at } = row;
  const state = mine ? timeline.stateOf(seq, deliveredSeq, readSeq) : undefined;
  return { key: row.client_id || String(seq), seq, mine, text, at, state };
}

function underWay(waiting, rows) {
  const known = new Set(rows.map((row) => row.client_id));
  const after = rows.at(-1)?.at ?? 0;
  return waiting
    .filter((entry) => !known.has(entry.client_id))
    .map(({ client_id, text, at, refused }) => ({
      key: client_id,
      mine: true,
      text,
      at: Math.max(at, after),
      state: refused === undefined ? "sending" : "refused",
      detail: refused,
    }));
}

function isSame(a, b) {
  return a.bottom === b.bottom && a.newest === b.newest && a.nearing === b.nearing;
}

function Loading() {
  return (
    <div className="chat-loading">
      <span aria-hidden="true" />
      <span aria-hidden="true" />
      <span aria-hidden="true" />
      <p>{SLOW}</p>
    </div>
  );
}
