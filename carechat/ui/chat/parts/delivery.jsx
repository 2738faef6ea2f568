// How many messages were written, stored, delivered and read, and whether a number is missing.

import { useEffect, useId, useRef, useState } from "react";
import { useLatest, useOutbox } from "$/public/external/carechat/ui/chat/thread/hooks.js";
import { useConnected } from "$/public/external/carechat/ui/parts/connection/connected.js";
import { usePartner } from "$/public/external/carechat/ui/parts/query/query.jsx";

// What has just changed may go on changing; the reader's own reading shows nowhere else.
const SOON_MS = 250;
const AGAIN_MS = 5_000;

const TICKS = "M1 8.5 4.5 12 11 4.5 M8 11.5 8.5 12 15 4.5";

/**
 * @param {object} props those of the Thread, and
 * @param {object} props.proof a ProofRow, of any conversation
 * @param {(conversation: string, seen: number) => void} props.onAsk
 */
export function Delivery(props) {
  const { account, conversation, partnerEmail, partnerName, proof, onAsk } = props;
  const [open, setOpen] = useState(false);
  const button = useRef(null);
  const id = useId();
  const known = usePartner() === partnerEmail && conversation !== "";
  const [, entries] = useOutbox(account);
  const own = entries.filter((entry) => entry.conversation === conversation);
  const connected = useConnected() === true;
  const change = [own.length, props.deliveredSeq, props.readSeq];
  useAsking(open && known && connected, conversation, useSeen(props), change, onAsk);

  const close = () => {
    setOpen(false);
    button.current.focus();
  };
  const onKeyDown = (event) => {
    if (event.key === "Escape" && open) close();
  };
  return (
    <div className="delivery" onKeyDown={onKeyDown}>
      <button
        ref={button}
        type="button"
        className="delivery-button"
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        onClick={() => setOpen(!open)}
      >
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d={TICKS} />
        </svg>
        <span className="delivery-word">Delivery</span>
      </button>
      {open && (
        <section id={id} className="delivery-panel" aria-labelledby={`${id}-name`}>
          <h2 id={`${id}-name`}>Has everything arrived?</h2>
          <Found
            proof={known && proof.conversation === conversation ? proof : null}
            entries={own}
            partnerName={partnerName}
            connected={connected}
          />
          <button type="button" className="button quiet" onClick={close}>
            Close
          </button>
        </section>
      )}
    </div>
  );
}

/** The highest number that the page has of the conversation. */
function useSeen({ conversation, history, newest }) {
  const [highest, setHighest] = useState({ conversation: "", seq: 0 });
  const before = highest.conversation === conversation ? highest.seq : 0;
  const seq = Math.max(before, history.at(-1)?.seq ?? 0, newest.at(-1)?.seq ?? 0);
  if (seq !== before || highest.conversation !== conversation) setHighest({ conversation, seq });
  return seq;
}

function useAsking(asking, conversation, seen, change, onAsk) {
  const latest = useLatest(onAsk);
  useEffect(() => {
    if (!asking) return undefined;
    const ask = () => latest.current(conversation, seen);
    const soon = setTimeout(ask, SOON_MS);
    const again = setInterval(ask, AGAIN_MS);
    return () => {
      clearTimeout(soon);
      clearInterval(again);
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- each change asks anew
  }, [asking, conversation, seen, latest, ...change]);
}

function Found({ proof, entries, partnerName, connected }) {
  return (
    <>
      <p className={verdictLook(proof, entries)} aria-live="polite">
        {proof ? verdict(proof) : connected ? "Counting…" : "This can be counted once you are back online."}
      </p>
      {proof && <Figures proof={proof} entries={entries} partnerName={partnerName} connected={connected} />}
    </>
  );
}

const numberedOf = ({ first, last }) => last - first + 1;

const missingOf = (proof) => numberedOf(proof) - proof.stored;

/** Green says that everything has arrived, with the partner too. */
function verdictLook(proof, entries) {
  if (proof === null) return undefined;
  if (missingOf(proof) > 0) return "delivery-verdict missing";
  const isThere = proof.own_undelivered === 0 && entries.length === 0;
  return isThere ? "delivery-verdict whole" : "delivery-verdict";
}

function verdict(proof) {
  const numbered = numberedOf(proof);
  if (numbered === 0) return "Nothing is stored yet.";
  const counts = `${format(proof.stored)} of ${format(numbered)}`;
  const missing = missingOf(proof);
  return missing === 0 ? `${counts}, no gaps` : `${counts}: ${format(missing)} missing. Please tell the clinic.`;
}

function Figures({ proof, entries, partnerName, connected }) {
  const refused = entries.filter((entry) => entry.refused !== undefined).length;
  const waiting = entries.length - refused;
  return (
    <>
      {remarks(proof, waiting, refused, partnerName).map((words) => (
        <p key={words}>{words}</p>
      ))}
      <dl>
        <Figure name="Written" value={numberedOf(proof) + entries.length} />
        <Figure name="Stored" value={proof.stored} />
        <Figure name="Delivered" value={proof.delivered} />
        <Figure name="Read" value={proof.read} />
      </dl>
      {!connected && <p>You are offline: this was counted before.</p>}
    </>
  );
}

function Figure({ name, value }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{format(value)}</dd>
    </div>
  );
}

function remarks(proof, waiting, refused, partnerName) {
  const { own_undelivered, own_unread, unread, first } = proof;
  const alone = waiting === 1;
  return [
    waiting > 0 && `${format(waiting)} ${alone ? "waits" : "wait"} in this browser and will go out by ${alone ? "itself" : "themselves"}.`,
    refused > 0 && `${format(refused)} not sent: retry or remove below.`,
    own_undelivered > 0 && `${yours(own_undelivered)} not reached ${partnerName} yet.`,
    own_unread > own_undelivered && `${partnerName} has not read your last ${some(own_unread)} yet.`,
    unread > 0 && `You have not read the last ${some(unread)} from ${partnerName} yet.`,
    first > 1 && `Counted are the newest ${format(numberedOf(proof))}.`,
  ].filter(Boolean);
}

const yours = (count) => `Your last ${some(count)} ${count === 1 ? "has" : "have"}`;

const some = (count) => (count === 1 ? "message" : `${format(count)} messages`);

const format = (number) => number.toLocaleString("en-US");
