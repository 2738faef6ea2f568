// The chat page's thread: the feed and the composer, with the outbox between them.

import { useEffect, useRef, useState } from "react";
import { useConnected } from "$/public/external/carechat/ui/parts/connection/connected.js";
import { usePartner } from "$/public/external/carechat/ui/parts/query/query.jsx";
import { Said, useSaying } from "$/public/external/carechat/ui/parts/said/said.jsx";
import { Composer } from "./composer.jsx";
import { Early } from "./early.jsx";
import { Feed } from "./feed.jsx";
import { useCarrier, useLatest, useOutbox } from "./hooks.js";
import { useMissed } from "./missed.js";

// How long after a reconnect the server may take to know this page again.
const BRIDGE_MS = 3_000;

const NOT_KNOWN = { conversation: "", partnerName: "", history: [], newest: [], older: false };

/**
 * @param {object} props
 * @param {string} props.account the reader's own address, "" while it is not known
 * @param {string} props.conversation its id, "" while it is not known
 * @param {string} props.partnerEmail whose conversation it is; another address is not answered yet
 * @param {string} props.partnerName
 * @param {{seq: number, id: string, client_id: string, mine: boolean, text: string, at: number}[]} props.history
 * @param {object[]} props.newest the last rows that came
 * @param {boolean} props.older whether there are rows before the history
 * @param {number} props.deliveredSeq how far the partner has got
 * @param {number} props.readSeq
 * @param {{seq: number, delivered_at: number, read_at: number}} props.times of the message last asked for
 * @param {{client_id: string, detail: string}[]} props.refused
 * @param {boolean} props.writable
 * @param {string} props.emergency
 * @param {string} props.unreachable why the server cannot store anything now, "" if it can
 * @param {(conversation: string, beforeSeq: number) => void} props.onOlder
 * @param {(conversation: string, afterSeq: number) => void} props.onGap
 * @param {(conversation: string, seq: number) => void} props.onRead
 * @param {(conversation: string, seq: number) => void} props.onTimes
 * @param {(account: string, conversation: string, clientId: string, text: string) => void} props.onSend
 */
export function Thread(props) {
  const connected = useConnected() === true;
  const there = useBridge(props, connected);
  const known = usePartner() === there.partnerEmail ? there : { ...there, ...NOT_KNOWN };
  const { account, conversation, writable, emergency } = known;
  const [box, entries] = useOutbox(account);
  const [missed, hear] = useMissed(conversation, known.partnerName);
  const opened = useOpened(conversation, known.partnerName);
  const waiting = entries.filter((entry) => entry.conversation === conversation);

  useCarrier(box, conversation, connected, props.onSend);
  useOutcomes(box, entries, there.history, there.newest, there.refused);

  return (
    <div className="chat-thread">
      <Feed
        key={`${account} ${conversation}`}
        {...known}
        box={box}
        waiting={waiting}
        connected={connected}
        onRows={hear}
      />
      <div className="chat-foot">
        <Said said={missed} />
        <Said said={opened} />
        <Delay
          waiting={waiting}
          connected={connected}
          unreachable={known.unreachable}
          loose={box !== null && box.isLoose()}
        />
        <div aria-live="polite">
          {conversation !== "" && !writable && <Closed />}
        </div>
        <Foot writable={writable} conversation={conversation}>
          <Composer
            account={account}
            conversation={conversation}
            partnerEmail={known.partnerEmail}
            partnerName={known.partnerName}
            onWritten={(text) => box.add(conversation, text)}
          />
        </Foot>
        <p className="chat-emergency">{emergency}</p>
      </div>
    </div>
  );
}

/** The composer, once it is known for which conversation: what is typed before stays with its address. */
function Foot({ writable, conversation, children }) {
  const partner = usePartner();
  if (conversation === "" && partner !== "") return <Early key={partner} partner={partner} />;
  if (conversation === "") return <div className="chat-composer" />;
  return writable && children;
}

/** It stands where the composer was; who was writing there can go on with reading. */
function Closed() {
  useEffect(() => {
    if (document.activeElement === document.body) document.querySelector(".chat-log").focus();
  }, []);
  return <p className="chat-closed">You can read this conversation, but not write in it any more.</p>;
}

/**
 * A server that was started again knows nothing of this page at first: meanwhile what was there
 * before stays. Without a lost connection an empty conversation is believed at once.
 */
function useBridge(props, connected) {
  const latest = useLatest(props);
  const [before, setBefore] = useState(null);
  useEffect(() => {
    if (!connected) {
      setBefore((kept) => (latest.current.conversation === "" ? kept : latest.current));
      return undefined;
    }
    const timer = setTimeout(() => setBefore(null), BRIDGE_MS);
    return () => clearTimeout(timer);
  }, [connected, latest]);
  return props.conversation === "" && before !== null ? before : props;
}

/** A row with an entry's `client_id` tells that it is stored, a refusal that it never will be. */
function useOutcomes(box, entries, history, newest, refused) {
  useEffect(() => {
    if (!box) return;
    const stored = [...history, ...newest].map((row) => row.client_id);
    box.drop(entries.map((entry) => entry.client_id).filter((id) => stored.includes(id)));
    box.refuse(refused);
  }, [box, entries, history, newest, refused]);
}

/** Who opens another one by keyboard stays in the list: there nothing tells that it is here. */
function useOpened(conversation, partnerName) {
  const [said, say] = useSaying();
  const before = useRef("");
  useEffect(() => {
    if (conversation === "" || conversation === before.current) return;
    const isOther = before.current !== "";
    before.current = conversation;
    if (isOther && document.activeElement?.closest(".conversations")) say(`Conversation with ${partnerName}`);
  }, [conversation, partnerName, say]);
  return said;
}

function Delay({ waiting, connected, unreachable, loose }) {
  const delayed = waiting.some((entry) => entry.refused === undefined) && (!connected || unreachable);
  return (
    <p className="chat-delay" aria-live="polite">
      {delayed && `We could not send this yet. It will go out as soon as ${connected ? "we can save it" : "you are back online"}.`}
      {delayed && loose && " Keep this page open: this browser cannot keep it for later."}
    </p>
  );
}
