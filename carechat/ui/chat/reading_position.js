// Keeps what is being read where it is while rows come and go, and the newest in sight at the bottom.

import { useEffect, useEffectEvent, useLayoutEffect, useRef } from "react";

const AT_BOTTOM_PX = 48;
const NEAR_EDGE_PX = 600;

/**
 * What part of the log is in sight.
 * @typedef {object} View
 * @property {boolean} bottom whether the reader is at the newest
 * @property {number} newest the highest number in sight, 0 if none
 * @property {boolean} nearTop
 * @property {boolean} nearBottom
 */

/**
 * The log keeps its place in the frame after each commit: before it is drawn, and when the page has
 * to be laid out anyway. `report` hears what is in sight then, and after each scroll and change of
 * size; children with `data-key` are what the place is remembered by.
 * @param {React.RefObject<HTMLElement>} logRef
 * @param {(view: View) => void} report
 * @returns {() => void} brings the newest into sight, and keeps it there
 */
export function useReadingPosition(logRef, report) {
  const place = useRef({ bottom: true, key: null, top: 0, height: 0, length: 0 });
  const frame = useRef(0);

  const measure = useEffectEvent(() => {
    const log = logRef.current;
    const view = viewOf(log);
    place.current = {
      bottom: view.bottom,
      key: view.first?.dataset.key,
      top: topOf(view.first, log),
      height: log.clientHeight,
      length: log.scrollHeight,
    };
    report(view);
  });

  const keep = useEffectEvent(() => {
    cancelAnimationFrame(frame.current);
    frame.current = 0;
    // The observer may still tell of a log that has just left the page.
    if (!logRef.current) return;
    restore(logRef.current, place.current);
    measure();
  });

  const keepSoon = () => {
    frame.current ||= requestAnimationFrame(() => keep());
  };

  useLayoutEffect(keepSoon);

  useEffect(() => {
    const log = logRef.current;
    const sizes = new ResizeObserver(() => keep());
    // A scroll that is told of after the log or what is in it has changed says nothing about the reader.
    const onScroll = () =>
      frame.current === 0 && log.clientHeight === place.current.height ? measure() : keep();
    sizes.observe(log);
    log.addEventListener("scroll", onScroll, { passive: true });
    return () => {
      sizes.disconnect();
      log.removeEventListener("scroll", onScroll);
    };
  }, [logRef]);

  return () => {
    place.current = { ...place.current, bottom: true, length: 0 };
    keepSoon();
  };
}

function viewOf(log) {
  const frame = log.getBoundingClientRect();
  const below = log.scrollHeight - log.scrollTop - log.clientHeight;
  const inSight = [];
  // From the end, which is where most readers are.
  for (const node of [...log.querySelectorAll("[data-key]")].reverse()) {
    const { top, bottom } = node.getBoundingClientRect();
    if (bottom <= frame.top) break;
    if (top < frame.bottom) inSight.unshift(node);
  }
  return {
    bottom: below <= AT_BOTTOM_PX,
    first: inSight[0],
    newest: Math.max(0, ...inSight.map((node) => Number(node.dataset.seq ?? 0))),
    nearTop: log.scrollTop < NEAR_EDGE_PX,
    nearBottom: below < NEAR_EDGE_PX,
  };
}

/** Undoes what the content did, and not what the reader does: a scroll may be gliding on meanwhile. */
function restore(log, place) {
  if (place.bottom) {
    if (log.clientHeight !== place.height || log.scrollHeight !== place.length) toBottom(log);
    return;
  }
  const node = place.key && log.querySelector(`[data-key="${CSS.escape(place.key)}"]`);
  const moved = node ? topOf(node, log) - place.top : 0;
  if (Math.abs(moved) >= 1) log.scrollTop += moved;
}

function toBottom(log) {
  log.scrollTop = log.scrollHeight;
}

/** How far below the beginning of the log's content. */
function topOf(node, log) {
  if (!node) return 0;
  return node.getBoundingClientRect().top - log.getBoundingClientRect().top + log.scrollTop;
}
