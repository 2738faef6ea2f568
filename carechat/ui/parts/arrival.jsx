// On another page of the app the focus goes to the heading: it says where one is.

import { useEffect } from "react";
import { useLocation } from "react-router";

const LOOK_EVERY_MS = 100;
const LOOKS = 100;

let last = null;

/** Nothing to see. Whoever opens the app begins at its top, as the browser has it. */
export function Arrival() {
  const location = useLocation();
  useEffect(() => {
    const email = new URLSearchParams(window.location.search).get("email")?.trim().toLowerCase();
    const place = `${window.location.pathname} ${email}`;
    const moved = last !== null && last !== place;
    last = place;
    return moved ? headFor(email) : undefined;
  }, [location]);
  return null;
}

/** Waits for the heading, unless the focus has found another place meanwhile. */
function headFor(email) {
  let looks = 0;
  let before = null;
  const timer = setInterval(() => {
    looks += 1;
    const heading = headingOf(email);
    const isFree = document.activeElement === document.body;
    // Seen twice: a field that came along with the heading has taken the focus by then.
    const ready = heading !== null && heading === before;
    before = heading;
    if (isFree && ready) focus(heading);
    if (!isFree || ready || looks >= LOOKS) clearInterval(timer);
  }, LOOK_EVERY_MS);
  return () => clearInterval(timer);
}

/** A conversation's heading names the partner of the one before until the other is loaded. */
function headingOf(email) {
  const heading = document.querySelector("h1");
  const of = heading?.dataset.of ?? email;
  return heading?.textContent && of === email ? heading : null;
}

function focus(heading) {
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
}
