// The conversations as they are now and in which order, which rests while somebody is about to hit one.

import { useEffect, useRef, useState, useSyncExternalStore } from "react";

export const newestFirst = (one, other) => other.at - one.at;
export const unreadFirst = (one, other) => (other.unread > 0) - (one.unread > 0) || newestFirst(one, other);
export const openFirst = (one, other) => other.writable - one.writable || one.name.localeCompare(other.name);

/** What is known of the rows of the last load: each as it is now, by its id, and whether a change was missed. */
let memory = { rows: null };

/** The memory outlives a component: on another page the same rows go on from where they are. */
function remember({ rows, loaded, changed, changes, more }) {
  if (memory.loaded !== loaded || memory.rows !== rows) {
    const byId = new Map(rows.map((row) => [row.id, row]));
    const asked = memory.missed || (memory.more && rows.length > memory.rows.length);
    memory = { rows, loaded, more, asked, changes: 0, missed: false, byId };
  }
  if (changes === memory.changes) return memory;
  memory.missed ||= changes !== memory.changes + 1;
  memory.changes = changes;
  memory.byId = new Map(memory.byId);
  for (const change of changed) {
    memory.byId.set(change.id, { ...rows.find((row) => row.id === change.id), ...change });
  }
  return memory;
}

const FREE = { still: false, touch: false, turn: 0 };

/**
 * The rows as they are now, in order, and how many have begun to wait since they were put in it; the
 * order rests while `rest.still`, but for a new `rest.turn`. Asks for all if one may be wrong.
 */
export function useCurrent(known, order, rest = FREE) {
  const last = useRef({ places: new Map(), waited: new Set() });
  const { byId, missed, changes, loaded, asked } = remember(known);
  const ask = useRef(known.onMissed);
  useEffect(() => {
    ask.current = known.onMissed;
  });
  useEffect(() => {
    if (missed) ask.current();
  }, [missed, changes, loaded]);
  const { places, waited, turn } = last.current;
  // A finger does not tell where it is about to go: only other rows, as of a search, are in order at once.
  const others = rest.touch && loaded !== last.current.loaded && !asked;
  const anew = !rest.still || turn !== rest.turn || others;
  const current = [...byId.values()].sort(anew ? order : asBefore(places));
  const waits = current.filter((row) => row.unread > 0).map((row) => row.id);
  const before = anew ? waits : waits.filter((id) => waited.has(id));
  last.current = {
    places: new Map(current.map((row, place) => [row.id, place])),
    waited: new Set(before),
    turn: rest.turn,
    loaded,
  };
  return [current, waits.length - before.length];
}

const asBefore = (places) => {
  const place = (row) => places.get(row.id) ?? Infinity;
  return (one, other) => (place(one) === place(other) ? 0 : place(one) - place(other));
};

// Whoever looks for somebody among the rows moves the mouse meanwhile; one that was left there hides nobody.
const REST_MS = 10_000;

/**
 * Whether rows keep their places: somebody is about to hit one, with a mouse that has just moved, by
 * keyboard, or at any moment with a finger. `watched` belongs around the rows, `place` is where they
 * are, `show()` puts them in order, and so does coming back to the page.
 */
export function useRest() {
  const touch = useTouch();
  const back = useBack();
  const [pointed, pointing] = usePointed();
  const [focused, setFocused] = useState(false);
  const [shows, setShows] = useState(0);
  const place = useRef(null);
  useEffect(() => {
    if (shows === 0) return;
    place.current.focus({ preventScroll: true });
    place.current.scrollIntoView({ block: "start" });
  }, [shows]);
  const watched = {
    ...pointing,
    onFocus: ({ target }) => setFocused(target !== place.current),
    onBlur: () => setFocused(false),
  };
  const rest = { still: touch || pointed || focused, touch, turn: shows + back };
  return { rest, watched, place, show: () => setShows((count) => count + 1) };
}

function usePointed() {
  const [pointed, setPointed] = useState(false);
  const timer = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);
  const end = () => {
    clearTimeout(timer.current);
    setPointed(false);
  };
  const go = () => {
    clearTimeout(timer.current);
    timer.current = setTimeout(end, REST_MS);
    setPointed(true);
  };
  return [pointed, { onPointerEnter: go, onPointerMove: go, onPointerDown: go, onPointerLeave: end }];
}

function subscribeToTouch(listener) {
  const touch = matchMedia("(hover: none)");
  touch.addEventListener("change", listener);
  return () => touch.removeEventListener("change", listener);
}

const useTouch = () =>
  useSyncExternalStore(subscribeToTouch, () => matchMedia("(hover: none)").matches, () => false);

/** How often somebody has come back to this page. */
function useBack() {
  const [back, setBack] = useState(0);
  useEffect(() => {
    const count = () => document.visibilityState === "visible" && setBack((times) => times + 1);
    document.addEventListener("visibilitychange", count);
    return () => document.removeEventListener("visibilitychange", count);
  }, []);
  return back;
}
