// Where a message is written: it grows, keeps its focus and what was typed, and never sends too much.

import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { Said, useSaying } from "$/public/external/carechat/ui/parts/said/said.jsx";
import * as drafts from "./drafts.js";

/** The most that one message may have, in Unicode code points after trimming. */
const LIMIT = 5_000;
const COUNTED_FROM = 4_500;

/**
 * @param {object} props
 * @param {string} props.account
 * @param {string} props.conversation
 * @param {string} props.partnerName
 * @param {(text: string) => void} props.onSend
 */
export function Composer({ account, conversation, partnerName, onSend }) {
  const field = useRef(null);
  const [text, setText, since] = useDraft(account, conversation);
  const length = [...text.trim()].length;
  const [said, say] = useSaying();
  const ready = length > 0 && length <= LIMIT;

  useGrowing(field, text);
  useFirstFocus(field);

  const send = () => {
    field.current.focus();
    if (length > LIMIT) say(`${tooMany(length)} Not sent.`);
    if (!ready) return;
    onSend(text.trim());
    setText("");
  };
  const onKeyDown = (event) => {
    const composing = event.nativeEvent.isComposing || event.keyCode === 229;
    if (event.key !== "Enter" || event.shiftKey || composing) return;
    event.preventDefault();
    send();
  };
  const onSubmit = (event) => {
    event.preventDefault();
    send();
  };

  return (
    <form className="chat-composer" onSubmit={onSubmit}>
      <label className="chat-hidden" htmlFor="chat-field">
        Message
      </label>
      <textarea
        ref={field}
        id="chat-field"
        className="chat-field"
        rows={1}
        dir="auto"
        placeholder={`Message to ${partnerName}…`}
        enterKeyHint="send"
        value={text}
        aria-invalid={length > LIMIT}
        aria-describedby="chat-partner chat-count chat-since"
        onChange={(event) => setText(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <button
        type="submit"
        className="chat-send"
        disabled={!ready}
        onMouseDown={(event) => event.preventDefault()}
      >
        Send
      </button>
      <Counter length={length} />
      <p id="chat-since" className="chat-count">
        {since !== null && text !== "" && `You typed this on ${DATE.format(since)}. It is not sent.`}
      </p>
      <span id="chat-partner" hidden>
        To {partnerName}
      </span>
      <Said said={said} />
    </form>
  );
}

function Counter({ length }) {
  return (
    <p id="chat-count" className={length > LIMIT ? "chat-count over" : "chat-count"}>
      {length >= COUNTED_FROM && counted(length)}
    </p>
  );
}

function counted(length) {
  const over = length - LIMIT;
  return over > 0 ? `${format(over)} too many` : `${format(length)} of ${format(LIMIT)}`;
}

function tooMany(length) {
  const over = length - LIMIT;
  return `${format(over)} ${over === 1 ? "character" : "characters"} too many.`;
}

const DATE = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" });

const format = (number) => number.toLocaleString("en-US");

function useDraft(account, conversation) {
  const [text, setText] = useState("");
  const [since, setSince] = useState(null);
  const place = useRef({ conversation, touched: false });

  useEffect(() => {
    if (place.current.conversation !== "" && place.current.conversation !== conversation) {
      place.current.touched = false;
      setText("");
      setSince(null);
    }
    place.current.conversation = conversation;
    if (account === "" || conversation === "" || place.current.touched) return undefined;
    let current = true;
    drafts.read(account, conversation).then((draft) => {
      if (!current || place.current.touched) return;
      setText(draft);
      setSince(drafts.oldSince(account, conversation));
    });
    return () => {
      current = false;
    };
  }, [account, conversation]);

  useEffect(() => drafts.follow(account, conversation, setText), [account, conversation]);

  const type = (typed) => {
    place.current.touched = true;
    setText(typed);
    setSince(null);
    if (account !== "" && conversation !== "") drafts.write(account, conversation, typed);
  };
  return [text, type, since];
}

/** As high as its text, which has other lines when the field has become narrower or wider. */
function useGrowing(field, text) {
  useLayoutEffect(() => grow(field.current), [field, text]);
  useEffect(() => {
    let width = 0;
    let frame = 0;
    // In the next frame: the log changes its size with it, and what one observer does to what
    // another one observes is an error for the browser.
    const growSoon = () => {
      cancelAnimationFrame(frame);
      // The field may have just left the page.
      frame = requestAnimationFrame(() => field.current && grow(field.current));
    };
    const sizes = new ResizeObserver(([{ contentRect }]) => {
      if (contentRect.width === width) return;
      width = contentRect.width;
      growSoon();
    });
    sizes.observe(field.current);
    return () => {
      sizes.disconnect();
      cancelAnimationFrame(frame);
    };
  }, [field]);
}

function grow(field) {
  field.style.height = "";
  // To ask how high an empty one is would have the whole page laid out at once.
  if (field.value === "") return;
  const { scrollHeight, offsetHeight, clientHeight } = field;
  field.style.height = `${scrollHeight + offsetHeight - clientHeight}px`;
}

/** With a keyboard at hand one can type at once; on a touch screen its keyboard would cover the thread. */
function useFirstFocus(field) {
  useEffect(() => {
    const free = document.activeElement === document.body;
    if (free && matchMedia("(pointer: fine)").matches) field.current.focus({ preventScroll: true });
  }, [field]);
}
