// The form that signs out; what was typed and not sent is forgotten once the session is over.

import { useEffect, useId, useRef, useState } from "react";
import { useModal } from "$/public/external/carechat/ui/parts/dialog/dialog.jsx";
import * as drafts from "./drafts.js";
import { useOutbox } from "./hooks.js";
import * as outbox from "./outbox.js";
import { orAfter } from "./store.js";

// A database that does not answer must not keep anybody at this page.
const FORGET_MS = 1_000;

// The server gives up on its own database sooner.
const ANSWER_MS = 15_000;

/**
 * @param {object} props
 * @param {string} props.account whose outbox and drafts are forgotten
 * @param {string} props.action what ends the session
 * @param {string} props.to where one is then
 * @param {string} props.className
 * @param {React.ReactNode} props.children the submit button
 */
export function SignOutForm({ account, action, to, className, children }) {
  const [, entries] = useOutbox(account);
  const [asking, setAsking] = useState(null);
  const [failed, setFailed] = useState(false);
  const form = useRef(null);
  const leaving = useRef(false);

  useEffect(() => outbox.whenForgotten(() => location.replace(to)), [to]);

  const signOut = async () => {
    setAsking(null);
    setFailed(false);
    if (leaving.current) return;
    // Under `reflex run` the server has another port, whose answers no page may look into.
    const isElsewhere = !action.startsWith("/");
    leaving.current = isElsewhere || (await endsSession(action));
    setFailed(!leaving.current);
    if (!leaving.current) return;
    if (account) await orAfter(outbox.forget(account), FORGET_MS);
    if (isElsewhere) form.current.submit();
    else location.replace(to);
  };
  const onSubmit = async (event) => {
    event.preventDefault();
    const typed = await orAfter(drafts.has(account), FORGET_MS);
    if (entries.length > 0 || typed) setAsking({ count: entries.length, typed });
    else signOut();
  };
  return (
    <>
      <form ref={form} method="post" action={action} className={className} onSubmit={onSubmit}>
        {children}
      </form>
      {failed && (
        <p className="notice danger" role="alert">
          We could not reach the clinic to sign you out. Please try again once you are back online.
        </p>
      )}
      {asking && <Question {...asking} onStay={() => setAsking(null)} onSignOut={signOut} />}
    </>
  );
}

/** The answer is a redirect, which is not followed: what it leads to is opened as a page. */
async function endsSession(action) {
  const signal = AbortSignal.timeout(ANSWER_MS);
  try {
    const answer = await fetch(action, {
      method: "POST",
      credentials: "include",
      redirect: "manual",
      signal,
    });
    return answer.type === "opaqueredirect";
  } catch {
    return false;
  }
}

function Question({ count, typed, onStay, onSignOut }) {
  const id = useId();
  const unsent = count > 0 && `${count === 1 ? "1 message has" : `${count} messages have`} not gone out yet`;
  const unfinished = typed && "you have typed something that is not sent";
  const words = [unsent, unfinished].filter(Boolean).join(", and ");
  const one = count + (typed ? 1 : 0) === 1;
  return (
    <dialog
      ref={useModal()}
      className="dialog"
      role="alertdialog"
      aria-labelledby={id}
      aria-describedby={`${id}-why`}
      onClose={onStay}
    >
      <h2 id={id}>Sign out?</h2>
      <p id={`${id}-why`}>
        {words[0].toUpperCase() + words.slice(1)}. Signing out deletes {one ? "it" : "them"}.
      </p>
      <button type="button" className="button primary" onClick={onStay}>
        Stay
      </button>
      <button type="button" className="button quiet" onClick={onSignOut}>
        Sign out
      </button>
    </dialog>
  );
}
