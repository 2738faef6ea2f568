import { useSyncExternalStore } from "react";

const MINUTE = 60_000;
const TICK = 20_000;

const format = (options) => {
  const formatter = new Intl.DateTimeFormat(undefined, options);
  return (moment) => formatter.format(moment);
};
const hourMinute = format({ hour: "numeric", minute: "2-digit" });
const weekday = format({ weekday: "short" });
const dayMonth = format({ day: "numeric", month: "short" });
const dayMonthYear = format({ day: "numeric", month: "short", year: "numeric" });
const full = format({ dateStyle: "full", timeStyle: "short" });
const ending = format({ weekday: "long", day: "numeric", month: "long", hour: "numeric", minute: "2-digit" });

const midnight = (moment) => new Date(moment).setHours(0, 0, 0, 0);
// Rounded, because a day of a clock change has 23 or 25 hours.
const daysBetween = (at, now) => Math.round((midnight(now) - midnight(at)) / (24 * 60 * MINUTE));

function card(at, now) {
  const minutes = Math.floor((now - at) / MINUTE);
  const days = daysBetween(at, now);
  if (minutes < 1) return "now";
  if (minutes < 60) return `${minutes} min`;
  if (days < 1) return hourMinute(at);
  if (days === 1) return "Yesterday";
  if (days < 7) return weekday(at);
  return new Date(at).getFullYear() === new Date(now).getFullYear() ? dayMonth(at) : dayMonthYear(at);
}

function waiting(at, now) {
  const minutes = Math.max(0, Math.floor((now - at) / MINUTE));
  const hours = Math.floor(minutes / 60);
  if (minutes < 1) return "less than 1 min";
  if (hours < 1) return `${minutes} min`;
  if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return `${Math.floor(hours / 24)} days`;
}

const FORMATS = { card, waiting, ending };

function subscribe(listener) {
  const timer = setInterval(listener, TICK);
  document.addEventListener("visibilitychange", listener);
  return () => {
    clearInterval(timer);
    document.removeEventListener("visibilitychange", listener);
  };
}

/** A moment (ms since the epoch) in words of the reader's time zone; it keeps itself current. */
export function Time({ at, kind = "card", className }) {
  const text = useSyncExternalStore(
    subscribe,
    () => FORMATS[kind](at, Date.now()),
    () => "",
  );
  return (
    <>
      <time className={className} dateTime={new Date(at).toISOString()} title={text && full(at)}>
        {text}
      </time>
      {kind === "card" && text.endsWith(" min") && <span className="visually-hidden"> ago</span>}
    </>
  );
}

function partOfDay() {
  const hour = new Date().getHours();
  if (hour >= 5 && hour < 12) return "Good morning";
  return hour >= 12 && hour < 18 ? "Good afternoon" : "Good evening";
}

/** A greeting that fits the reader's time of day. */
export function Greeting({ name }) {
  const greeting = useSyncExternalStore(subscribe, partOfDay, () => "Hello");
  return name ? `${greeting}, ${name}` : greeting;
}
