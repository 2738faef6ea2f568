// What the parts of the chat page watch: the outbox, the clock, the reader's attention.

import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import * as outbox from "./outbox.js";

const NONE = [];
const unchanging = () => () => {};

/**
 * The outbox of an account with its entries now; null while the account is not known.
 * @param {string} account
 */
export function useOutbox(account) {
  const box = account === "" ? null : outbox.of(account);
  const entries = useSyncExternalStore(
    box ? box.subscribe : unchanging,
    () => (box ? box.entries() : NONE),
    () => NONE,
  );
  return [box, entries];
}

/**
 * What the outbox sends for a conversation goes to `onSend` while the component is in the page.
 * @param {?object} box
 * @param {string} conversation
 * @param {boolean} connected
 * @param {(account: string, conversation: string, clientId: string, text: string) => void} onSend
 */
export function useCarrier(box, conversation, connected, onSend) {
  const latest = useLatest(onSend);
  useEffect(() => {
    if (!box || conversation === "") return undefined;
    return box.carry(conversation, (entry) =>
      latest.current(entry.account, entry.conversation, entry.client_id, entry.text),
    );
  }, [box, conversation, latest]);
  useEffect(() => box?.setConnected(connected), [box, connected]);
}

/**
 * `ask(missing)` is called while something is missing and the server answers: at once, then
 * after 2, 4, 8 and 16 s.
 * @param {?number} missing
 * @param {boolean} answers
 * @param {(missing: number) => void} ask
 */
export function useRequest(missing, answers, ask) {
  const latest = useLatest(ask);
  useEffect(() => {
    if (missing === null || !answers) return undefined;
    let timer;
    const request = (wait) => {
      latest.current(missing);
      if (wait <= 16_000) timer = setTimeout(request, wait, wait * 2);
    };
    request(2_000);
    return () => clearTimeout(timer);
  }, [missing, answers, latest]);
}

/** Whether somebody looks at this page: it is visible and has the focus. */
export function useAttention() {
  return useSyncExternalStore(subscribeToAttention, hasAttention, () => false);
}

const hasAttention = () => document.visibilityState === "visible" && document.hasFocus();

function subscribeToAttention(listener) {
  addEventListener("focus", listener);
  addEventListener("blur", listener);
  document.addEventListener("visibilitychange", listener);
  return () => {
    removeEventListener("focus", listener);
    removeEventListener("blur", listener);
    document.removeEventListener("visibilitychange", listener);
  };
}

/** The time in ms since epoch, a new one each half minute: what "Today" means changes at midnight. */
export function useNow() {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 30_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/**
 * Whether the values stayed the same for half a second.
 * @param {...unknown} values
 */
export function useSettled(...values) {
  const [settled, setSettled] = useState(NONE);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(values), 500);
    return () => clearTimeout(timer);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the values are the dependencies
  }, values);
  return settled.length > 0 && settled.every((value, i) => value === values[i]);
}

/**
 * A reference to the value of the newest render.
 * @template T
 * @param {T} value
 * @returns {{current: T}}
 */
export function useLatest(value) {
  const latest = useRef(value);
  useEffect(() => {
    latest.current = value;
  });
  return latest;
}
