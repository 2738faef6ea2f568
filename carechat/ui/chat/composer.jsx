// Where a message is written: it grows, keeps its focus and what was typed, and never sends too much.

import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { Said, useSaying } from "$/public/external/carechat/ui/parts/said/said.jsx";
import * as drafts from "./drafts.js";
import { take, useFirstFocus } from "./early.jsx";

/** The most that one message may have, in Unicode code points after trimming. */
const LIMIT = 5_000;
const COUNTED_FROM = 4_500;

/**
 * @param {object} props
 * @param {string} props.account
 * @param {string} props.conversation
 * @param {string} props.partnerEmail
 * @param {string} props.partnerName
 * @param {(text: string) => Promise<void>} props.onWritten the promise is over when the text is shown elsewhere
 */
export function Composer({ account, conversation, partnerEmail, partnerName, onWritten }) {
  const field = useRef(null);
  useEarly(account, conversation, partnerEmail);
  const { text, note, type, leave } = useDraft(field, account, conversation);
  const length = [...text.trim()].length;
  const [said, say] = useSaying();
  const ready = length > 0 && length <= LIMIT;

  useGrowing(field, text);
  useFirstFocus(field);

  const send = () => {
    field.current.focus();
    if (length > LIMIT) say(`${tooMany(length)} Not sent.`);
    if (!ready) return;
    leave(() => onWritten(text.trim()), () => say(BEFORE));
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
      <p id="chat-partner" className="chat-to">
        To {partnerName}
      </p>
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
        onChange={(event) => type(event.target.value)}
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
        {text !== "" && note}
      </p>
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

const inWords = (since) => since !== null && `You typed this on ${DATE.format(since)}. It is not sent.`;

const BEFORE = "This begins with what you had typed before. It is not sent.";

const format = (number) => number.toLocaleString("en-US");

/** What was typed before the conversation was there becomes a part of its draft. */
function useEarly(account, conversation, partner) {
  useLayoutEffect(() => {
    if (account === "" || conversation === "") return;
    const early = take(partner);
    if (early !== "") drafts.add(account, conversation, early);
  }, [account, conversation, partner]);
}

function useDraft(field, account, conversation) {
  const [text, setText] = useState("");
  const [note, setNote] = useState(null);
  const place = useRef(conversation);
  const putOff = usePutOff(field);

  // Before another key can come: it would be written without what is there.
  useLayoutEffect(() => {
    if (place.current !== "" && place.current !== conversation) {
      putOff(null);
      setNote(null);
    }
    place.current = conversation;
    setText(drafts.soFar(account, conversation));
    if (account === "" || conversation === "") return undefined;
    let current = true;
    drafts.read(account, conversation).then((draft) => {
      if (!current) return;
      setText(draft);
      setNote(inWords(drafts.oldSince(account, conversation)));
    });
    return () => {
      current = false;
    };
  }, [account, conversation, putOff]);

  useEffect(() => {
    return drafts.follow(account, conversation, (typed) => {
      putOff(null);
      setText(typed);
    });
  }, [account, conversation, putOff]);

  const show = (typed) => {
    putOff(null);
    setText(typed);
    setNote(null);
  };
  const keep = (typed) => {
    if (account !== "" && conversation !== "") drafts.write(account, conversation, typed);
  };
  const type = (typed) => {
    show(typed);
    keep(typed);
  };
  // What is sent is no draft any more; to draw the field without it would keep it from going out.
  const leave = (go, stay) => {
    if (drafts.isKnown(account, conversation)) {
      const shown = go();
      keep("");
      putOff(() => show(""), shown);
      return;
    }
    show("");
    drafts.mayGo(account, conversation, text).then((may) => {
      if (may) go();
      else if (place.current === conversation) {
        setNote(BEFORE);
        stay();
      }
    });
  };
  return { text, note, type, leave };
}

/**
 * The function that this returns has `work` done when `until` is over, but before anything else is
 * typed in the field or sent from it; with null, what was put off is not done any more.
 */
function usePutOff(field) {
  const waiting = useRef(null);
  useEffect(() => {
    const { form } = field.current;
    const now = () => waiting.current && flushSync(waiting.current);
    const events = ["keydown", "beforeinput", "submit"];
    for (const name of events) form.addEventListener(name, now);
    return () => events.forEach((name) => form.removeEventListener(name, now));
  }, [field]);
  return useCallback((work, until) => {
    waiting.current = work;
    until?.then(() => waiting.current === work && work());
  }, []);
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
