// Pure functions that turn numbered rows into what a thread shows.

/** At most this many stored rows are in the page at once. */
export const WINDOW = 300;

/** How many rows the window moves when the reader comes near its edge. */
export const STEP = 50;

/** More missing rows than this are not fetched one page after another: what is above them leaves. */
const LARGEST_GAP = 200;

const GROUP_MS = 5 * 60 * 1000;

/**
 * Every row once, in order; of two with one number the later list's wins.
 * @param {...{seq: number}[]} lists
 */
export function merge(...lists) {
  const bySeq = new Map();
  for (const row of lists.flat()) bySeq.set(row.seq, row);
  return sinceLargeGap([...bySeq.values()].sort((a, b) => a.seq - b.seq));
}

function sinceLargeGap(rows) {
  for (let i = rows.length - 1; i > 0; i--) {
    if (rows[i].seq - rows[i - 1].seq > LARGEST_GAP) return rows.slice(i);
  }
  return rows;
}

/**
 * The number after which the newest missing row is missing, or null.
 * @param {{seq: number}[]} rows in order
 * @param {boolean} older whether rows before the first are there and were not asked for yet
 */
export function gapAfter(rows, older) {
  for (let i = rows.length - 1; i > 0; i--) {
    if (rows[i].seq - rows[i - 1].seq > 1) return rows[i - 1].seq;
  }
  const before = rows.length === 0 ? 0 : rows[0].seq - 1;
  // More of them have left the page by themselves.
  return !older && before > 0 && before <= LARGEST_GAP ? 0 : null;
}

/**
 * The part of the rows that is in the page: [start, end). `first` is the number it begins
 * with; null means that it follows the newest.
 * @param {{seq: number}[]} rows in order
 * @param {?number} first
 */
export function windowOf(rows, first) {
  const newest = Math.max(0, rows.length - WINDOW);
  if (first === null) return { start: newest, end: rows.length };
  const found = rows.findIndex((row) => row.seq >= first);
  const start = found < 0 ? newest : Math.min(found, newest);
  return { start, end: Math.min(rows.length, start + WINDOW) };
}

/**
 * The `first` of a window moved by `step` rows: null once it reaches the newest.
 * @param {{seq: number}[]} rows in order
 * @param {?number} first
 * @param {number} step negative: towards the oldest
 */
export function moved(rows, first, step) {
  const start = Math.max(0, windowOf(rows, first).start + step);
  return start + WINDOW >= rows.length ? null : rows[start].seq;
}

/**
 * What became of an own stored message: "sent", "delivered" or "read".
 * @param {number} seq
 * @param {number} deliveredSeq the partner's cursor
 * @param {number} readSeq the partner's cursor
 */
export function stateOf(seq, deliveredSeq, readSeq) {
  if (seq <= readSeq) return "read";
  return seq <= deliveredSeq ? "delivered" : "sent";
}

/**
 * How far an own message has come and what is still to come, with the times that are known.
 * @param {{seq?: number, state: string, at: number}} message
 * @param {{seq: number, delivered_at: number, read_at: number}} [times] of this or another message,
 *   0 where none is known
 * @returns {{word: string, at?: number}[]} `at` in ms since epoch
 */
export function stepsOf({ seq, state, at }, times) {
  const { delivered_at, read_at } = times && times.seq === seq ? times : {};
  const written = { word: "Written", at };
  const sent = { word: "Sent", at };
  const delivered = { word: "Delivered", at: delivered_at || undefined };
  switch (state) {
    case "sending":
      return [written, { word: "not stored yet" }];
    case "refused":
      return [written, { word: "not sent" }];
    case "sent":
      return [sent, { word: "not delivered yet" }];
    case "delivered":
      return [sent, delivered, { word: "not read yet" }];
    default:
      return [sent, delivered, { word: "Read", at: read_at || undefined }];
  }
}

/**
 * The calendar day of a time in the reader's time zone, as a key that sorts.
 * @param {number} at ms since epoch
 */
export function dayOf(at) {
  const date = new Date(at);
  const two = (number) => String(number).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/**
 * The heading of a day: Today, Yesterday, else the date in the reader's words.
 * @param {number} at ms since epoch, any time of that day
 * @param {number} now ms since epoch
 */
export function dayHeading(at, now) {
  const day = dayOf(at);
  if (day === dayOf(now)) return "Today";
  const noon = new Date(now).setHours(12, 0, 0, 0);
  if (day === dayOf(noon - 24 * 60 * 60 * 1000)) return "Yesterday";
  const sameYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  const year = sameYear ? undefined : "numeric";
  const format = { weekday: "long", day: "numeric", month: "long", year };
  return new Intl.DateTimeFormat(undefined, format).format(at);
}

/**
 * Messages under their days, each marked as first of its group: the same writer within 5 min.
 * @param {{key: string, mine: boolean, at: number}[]} messages in order
 * @returns {{day: string, at: number, messages: object[]}[]}
 */
export function byDay(messages) {
  const days = [];
  let before = null;
  for (const message of messages) {
    const day = dayOf(message.at);
    const sameDay = days.length > 0 && days[days.length - 1].day === day;
    if (!sameDay) days.push({ day, at: message.at, messages: [] });
    const first = !sameDay || !grouped(before, message);
    days[days.length - 1].messages.push({ ...message, first });
    before = message;
  }
  return days;
}

function grouped(before, message) {
  return before.mine === message.mine && message.at - before.at <= GROUP_MS;
}

const SYMBOL = String.raw`(?:\p{Emoji_Presentation}|\p{Extended_Pictographic}\uFE0F)\p{Emoji_Modifier}?`;
const JOINED = String.raw`(?:\u200D\p{Extended_Pictographic}\uFE0F?\p{Emoji_Modifier}?)*[\u{E0020}-\u{E007F}]*`;
const FLAG = String.raw`\p{Regional_Indicator}{2}`;
const KEYCAP = String.raw`[0-9#*]\uFE0F\u20E3`;
const FEW_EMOJI = new RegExp(`^(?:(?:${FLAG}|${KEYCAP}|${SYMBOL}${JOINED})\\s*){1,8}$`, "u");

/**
 * Whether a text is nothing but one to eight emoji, which are shown large and without a bubble.
 * @param {string} text
 */
export function isEmojiOnly(text) {
  return FEW_EMOJI.test(text);
}
