// The dot that tells whether messages get through, and the sentence why they do not.

import { useEffect, useState } from "react";
import { useConnected } from "./connected.js";

// The first connection of a page is not a lost one.
const GRACE_MS = 2_000;

/**
 * @param {{unreachable: string}} props why the server cannot store anything now, "" if it can
 */
export function Connection({ unreachable }) {
  const connected = useConnected();
  const late = useLate(GRACE_MS);
  const [known, setKnown] = useState(false);
  if (connected && !known) setKnown(true);
  const up = connected && !unreachable;
  const word = up ? "Connected" : "Disconnected";
  return (
    <div className="connection" role="status" data-state={up ? "up" : "down"}>
      <span className="connection-dot" aria-hidden="true" />
      {(known || late) && <span className="connection-word">{word}</span>}
      {connected && unreachable && <span className="connection-why">{unreachable}</span>}
    </div>
  );
}

function useLate(ms) {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), ms);
    return () => clearTimeout(timer);
  }, [ms]);
  return late;
}
