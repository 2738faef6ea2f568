// Words for who cannot see the page: spoken once, in a place of their own.

import { useCallback, useEffect, useState } from "react";

// A screen reader has taken them by then, and nobody comes upon them later.
const STAY_MS = 5_000;

/** What `Said` says, and the function that has it say something, also the same again. */
export function useSaying() {
  const [said, setSaid] = useState({ words: "", count: 0 });
  const say = useCallback((words) => setSaid(({ count }) => ({ words, count: count + 1 })), []);
  useEffect(() => {
    if (said.words === "") return undefined;
    const timer = setTimeout(() => say(""), STAY_MS);
    return () => clearTimeout(timer);
  }, [said, say]);
  return [said, say];
}

/** Says so once it has been in the page for `after` ms. */
export function SaidLate({ words, after }) {
  const [said, say] = useSaying();
  useEffect(() => {
    const timer = setTimeout(() => say(words), after);
    return () => clearTimeout(timer);
  }, [words, after, say]);
  return <Said said={said} />;
}

/** It must be in the page before its words are: only what is added to it is spoken. */
export function Said({ said, urgent = false }) {
  return (
    <div className="visually-hidden" aria-live={urgent ? "assertive" : "polite"}>
      <span key={said.count}>{said.words}</span>
    </div>
  );
}
