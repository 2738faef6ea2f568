// Asks now and then whether this page has all that the server has told it: an update comes only once.

import { useEffect, useRef } from "react";
import { useConnected } from "$/public/external/carechat/ui/parts/connection/connected.js";
import { checksum } from "$/public/external/carechat/ui/parts/agreement/checksum.js";

// A page that nobody looks at is asked for when somebody does.
const WATCHED_MS = 20_000;
const HIDDEN_MS = 60_000;
const LOADING_MS = 5_000;

// What has just changed may go on changing: what is under way is not lost.
const QUIET_MS = 1_000;
const TICK_MS = 1_000;

/**
 * @param {object} props
 * @param {unknown[]} props.chat what the page has of each State
 * @param {unknown[]} props.inbox
 * @param {unknown[]} props.tab
 * @param {boolean} props.loading whether the first answer is still to come
 * @param {(chat: number, inbox: number, tab: number) => void} props.onCheck
 */
export function Agreement({ chat, inbox, tab, loading, onCheck }) {
  const connected = useConnected() === true;
  const latest = useRef({});
  const times = useRef({ changed: 0, asked: 0 });
  useEffect(() => {
    latest.current = { chat, inbox, tab, loading, onCheck };
    times.current.changed = Date.now();
  });
  useEffect(() => {
    if (!connected) return undefined;
    times.current.asked = Date.now();
    return askNowAndThen(latest, times.current);
  }, [connected]);
  return null;
}

function askNowAndThen(latest, times) {
  const tick = () => {
    const now = Date.now();
    const since = now - times.asked;
    const due = pause(latest.current);
    if (since < due || (now - times.changed < QUIET_MS && since < 2 * due)) return;
    times.asked = now;
    const { chat, inbox, tab, onCheck } = latest.current;
    onCheck(checksum(chat), checksum(inbox), checksum(tab));
  };
  const look = () => {
    times.asked = 0;
    tick();
  };
  const timer = setInterval(tick, TICK_MS);
  addEventListener("focus", look);
  document.addEventListener("visibilitychange", look);
  return () => {
    clearInterval(timer);
    removeEventListener("focus", look);
    document.removeEventListener("visibilitychange", look);
  };
}

function pause({ loading }) {
  if (loading) return LOADING_MS;
  return document.visibilityState === "visible" ? WATCHED_MS : HIDDEN_MS;
}
