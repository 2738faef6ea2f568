// One message of the thread: its words, its time and what became of it.

import { memo, useState } from "react";
import { isEmojiOnly, stepsOf } from "./timeline.js";

const WORDS = {
  sending: "Sending",
  sent: "Sent",
  delivered: "Delivered",
  read: "Read",
  refused: "Not sent",
};

const ONE_TICK = "M3 8.5 6.5 12 13 4.5";
const TWO_TICKS = "M1 8.5 4.5 12 11 4.5 M8 11.5 8.5 12 15 4.5";
const SIGNS = {
  sending: "M8 14.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13Z M8 4.5V8l2.5 1.5",
  sent: ONE_TICK,
  delivered: TWO_TICKS,
  read: TWO_TICKS,
  refused: "M8 14.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13Z M8 4.5v4 M8 11v.5",
};

const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" });
const EXACT = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const TIME = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });

/**
 * @param {object} props
 * @param {object} props.message key, seq, mine, text, at, first, state, detail
 * @param {string} props.partnerName
 * @param {boolean} props.last whether it is the newest of the reader's own
 * @param {boolean} props.writable whether the conversation takes messages
 * @param {boolean} props.open whether the line with its way is
 * @param {object} [props.times] those of the message last asked for: seq, delivered_at, read_at
 * @param {(key: string) => void} props.onOpen opens the line, or closes it
 * @param {(clientId: string) => void} props.onRetry
 * @param {(clientId: string) => void} props.onRemove
 */
export const Message = memo(function Message(props) {
  const { message, partnerName, last, writable, open, times, onOpen, onRetry, onRemove } = props;
  const { key, seq, mine, text, at, first, state, detail } = message;
  const whose = `chat-message ${mine ? "own" : "partner"}${first ? " first" : ""}${last ? " last" : ""}`;
  const look = isEmojiOnly(text) ? "chat-emoji" : `chat-bubble${mine ? " bg-blue-600 text-white" : ""}`;
  const writer = mine ? "You" : partnerName;
  const words = `words-${key}`;
  return (
    <div
      className={whose}
      data-key={key}
      data-seq={seq}
      role="group"
      aria-label={`${writer}, ${FULL.format(at)}`}
      aria-live={mine ? "off" : undefined}
    >
      {first && <Head name={writer} at={at} />}
      <div className="chat-line">
        <div id={words} className={look} dir="auto">
          {text}
        </div>
        {mine && (
          <State
            state={state}
            describedBy={words}
            open={open}
            reachable={last}
            onClick={() => onOpen(key)}
          />
        )}
      </div>
      {mine && open && <Steps message={message} times={times} />}
      {state === "refused" && (
        <div className="chat-refused">
          <span>{detail}</span>
          {writable ? (
            <button type="button" aria-describedby={words} onClick={() => onRetry(key)}>
              Retry
            </button>
          ) : (
            <Copy text={text} describedBy={words} />
          )}
          <button type="button" aria-describedby={words} onClick={() => onRemove(key)}>
            Remove
          </button>
        </div>
      )}
    </div>
  );
}, isSame);

function isSame(before, after) {
  return (
    before.partnerName === after.partnerName &&
    before.last === after.last &&
    before.writable === after.writable &&
    before.open === after.open &&
    before.times === after.times &&
    before.onOpen === after.onOpen &&
    before.onRetry === after.onRetry &&
    before.onRemove === after.onRemove &&
    Object.keys(after.message).every((name) => before.message[name] === after.message[name])
  );
}

function Head({ name, at }) {
  return (
    <p className="chat-head">
      <bdi className="chat-writer">{name}</bdi>{" "}
      <time dateTime={new Date(at).toISOString()} title={FULL.format(at)}>
        {TIME.format(at)}
      </time>
    </p>
  );
}

/** Where nothing can be sent any more the words can still be taken along. */
function Copy({ text, describedBy }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
  };
  return (
    <button type="button" aria-live="polite" aria-describedby={describedBy} onClick={copy}>
      {copied ? "Copied" : "Copy"}
    </button>
  );
}

/** The sign opens what is known of the message's way; of all signs only the last is a stop of Tab. */
function State({ state, describedBy, open, reachable, onClick }) {
  return (
    <button
      type="button"
      className="chat-state"
      data-state={state}
      aria-label={`${WORDS[state]}, times`}
      aria-expanded={open}
      aria-describedby={describedBy}
      tabIndex={reachable ? 0 : -1}
      onClick={onClick}
    >
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d={SIGNS[state]} />
      </svg>
      <span className="chat-word">{WORDS[state]}</span>
    </button>
  );
}

/** A time stands where one is known. */
function Steps({ message, times }) {
  return (
    <p className="chat-steps">
      {stepsOf(message, times).map(({ word, at }, place) => (
        <span key={word}>
          {place > 0 && " · "}
          {word}
          {at !== undefined && (
            <>
              {" "}
              <time dateTime={new Date(at).toISOString()}>{EXACT.format(at)}</time>
            </>
          )}
        </span>
      ))}
    </p>
  );
}
