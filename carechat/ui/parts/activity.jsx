// Tells the server that the person is there, and asks before it signs them out.

import { useEffect, useRef, useState } from "react";
import { useConnected } from "$/public/external/carechat/ui/parts/connection/connected.js";
import { useModal } from "$/public/external/carechat/ui/parts/dialog/dialog.jsx";

const ACTS = ["keydown", "pointerdown", "touchstart"];
const REPORT_EVERY_MS = 20_000;
const WARN_BEFORE_MS = 60_000;
const TICK_MS = 1_000;

// How long the server may take, back online, to lead to the sign-in page.
const BRIDGE_MS = 3_000;

/**
 * @param {object} props
 * @param {string} props.account whose tabs count as one, "" while it is not known
 * @param {number} props.idleSeconds after which the session ends; 0 while it is not known
 * @param {() => void} props.onActive the person did something, told at most every 20 s
 * @param {() => void} props.onIdle the time is over
 */
export function Activity({ account, idleSeconds, onActive, onIdle }) {
  const connected = useConnected() === true;
  const latest = useRef({});
  const watch = useRef(null);
  const [asking, setAsking] = useState(false);
  const [over, setOver] = useState(false);
  const covered = useCovered(over, connected);

  useEffect(() => {
    latest.current = { connected, asking, covered, onActive, onIdle };
  });

  useEffect(() => {
    if (account === "" || idleSeconds === 0) return undefined;
    watch.current = watchPerson(account, idleSeconds * 1000, latest, setAsking, setOver);
    return () => watch.current.stop();
  }, [account, idleSeconds]);

  if (covered) return <Cover />;
  return asking && <Question onStay={() => watch.current.act()} />;
}

/** Offline the server cannot lead away from a page whose time is over; once back, it gets a moment. */
function useCovered(over, connected) {
  const [covered, setCovered] = useState(false);
  if (over && !connected && !covered) setCovered(true);
  useEffect(() => {
    if (!covered || (over && !connected)) return undefined;
    const timer = setTimeout(() => setCovered(false), over ? BRIDGE_MS : 0);
    return () => clearTimeout(timer);
  }, [covered, over, connected]);
  return covered;
}

/** Compares times instead of counting ticks, so that it is right after the machine slept. */
function watchPerson(account, idleMs, latest, setAsking, setOver) {
  const channel = globalThis.BroadcastChannel && new BroadcastChannel(`carechat-acts ${account}`);
  let lastAct = Date.now();
  let lastOwnAct = 0;
  let lastReport = 0;
  let told = false;

  const tick = () => {
    const now = Date.now();
    const { connected, onActive, onIdle } = latest.current;
    const recent = now - lastOwnAct <= REPORT_EVERY_MS + 2 * TICK_MS;
    if (connected && recent && lastOwnAct > lastReport && now - lastReport >= REPORT_EVERY_MS) {
      lastReport = now;
      onActive();
    }
    const left = lastAct + idleMs - now;
    setAsking(left > 0 && left <= WARN_BEFORE_MS);
    if (left <= 0 && connected && !told) onIdle();
    told = left <= 0 && connected;
    setOver(left <= 0);
  };
  const act = () => {
    lastAct = lastOwnAct = Date.now();
    channel?.postMessage(lastAct);
    tick();
  };
  // The question is answered by its button, not by a key meant for what lies beneath.
  const onAct = () => {
    tick();
    const { asking, connected, covered } = latest.current;
    const late = !connected && Date.now() - lastAct >= idleMs;
    if (!asking && !covered && !late) act();
  };

  if (channel) {
    channel.onmessage = ({ data }) => {
      lastAct = Math.max(lastAct, data);
      tick();
    };
  }
  const timer = setInterval(tick, TICK_MS);
  for (const name of ACTS) addEventListener(name, onAct, { capture: true, passive: true });
  document.addEventListener("visibilitychange", tick);

  const stop = () => {
    clearInterval(timer);
    channel?.close();
    for (const name of ACTS) removeEventListener(name, onAct, { capture: true });
    document.removeEventListener("visibilitychange", tick);
  };
  return { act, stop };
}

function Question({ onStay }) {
  return (
    <dialog
      ref={useModal()}
      className="still-there"
      role="alertdialog"
      aria-labelledby="still-there"
      aria-describedby="still-there-why"
      onCancel={onStay}
    >
      <h2 id="still-there">Are you still there?</h2>
      <p id="still-there-why">To keep your messages private, we sign you out in a minute.</p>
      <button type="button" onClick={onStay}>
        Stay signed in
      </button>
    </dialog>
  );
}

/** What was on the screen is nobody's any more; no key closes it. */
function Cover() {
  const stay = (event) => event.key === "Escape" && event.preventDefault();
  return (
    <dialog
      ref={useModal()}
      className="cover"
      role="alertdialog"
      aria-labelledby="cover"
      onKeyDown={stay}
      onCancel={(event) => event.preventDefault()}
    >
      <h2 id="cover">You are offline. Sign in again when you are back; your words are kept.</h2>
    </dialog>
  );
}
