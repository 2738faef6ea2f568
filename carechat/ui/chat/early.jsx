// A field for what is typed before the conversation with somebody is there: kept by their address.

import { useLayoutEffect, useRef, useState } from "react";

const typed = new Map();
let wasFocused = false;

/**
 * What was typed for that partner before the conversation was there; from then on it is the caller's.
 * @param {string} partner an e-mail address
 */
export function take(partner) {
  const text = typed.get(partner) ?? "";
  typed.delete(partner);
  return text;
}

/** With a keyboard at hand one can type at once; on a touch screen its keyboard would cover the thread. */
export function useFirstFocus(field) {
  useLayoutEffect(() => {
    const free = document.activeElement === document.body;
    const goesOn = wasFocused || matchMedia("(pointer: fine)").matches;
    wasFocused = false;
    if (free && goesOn) field.current.focus({ preventScroll: true });
  }, [field]);
}

/** Whoever types in it goes on in the field that takes its place. */
function useFocusToHandOver(field) {
  useLayoutEffect(() => {
    const node = field.current;
    return () => {
      wasFocused = document.activeElement === node;
    };
  }, [field]);
}

/**
 * Nothing can be sent from it: Enter begins a new line.
 * @param {object} props
 * @param {string} props.partner whose conversation is on its way
 */
export function Early({ partner }) {
  const field = useRef(null);
  const [text, setText] = useState(() => typed.get(partner) ?? "");
  useFirstFocus(field);
  useFocusToHandOver(field);
  const type = (event) => {
    typed.set(partner, event.target.value);
    setText(event.target.value);
  };
  return (
    <div className="chat-composer">
      <p className="chat-to" />
      <textarea
        ref={field}
        className="chat-field"
        rows={1}
        dir="auto"
        aria-label="Message, as soon as the conversation is there"
        value={text}
        onChange={type}
      />
      <button type="button" className="chat-send" disabled>
        Send
      </button>
    </div>
  );
}
