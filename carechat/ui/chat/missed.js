// What a log that was silent for a moment has not said.

import { useRef } from "react";
import { useSaying } from "$/public/external/carechat/ui/parts/said/said.jsx";

const FEW = 3;

/**
 * What to say of messages that came with a new history, about which the log is silent because most
 * of it was there before; and the function that is told of the rows. It outlives the feed, which
 * comes anew after the server was away.
 * @param {string} conversation
 * @param {string} partnerName
 */
export function useMissed(conversation, partnerName) {
  const [said, say] = useSaying();
  const known = useRef({ conversation: "", seq: 0 });
  const hear = (rows, silent) => {
    const isFirst = known.current.conversation !== conversation;
    const seq = isFirst ? 0 : known.current.seq;
    const missed = rows.filter((row) => !row.mine && row.seq > seq);
    known.current = { conversation, seq: Math.max(seq, rows.at(-1)?.seq ?? 0) };
    if (silent && !isFirst && missed.length > 0) say(inWords(missed, partnerName));
  };
  return [said, hear];
}

function inWords(missed, partnerName) {
  const noun = missed.length === 1 ? "new message" : "new messages";
  const head = `${missed.length} ${noun} from ${partnerName}`;
  return missed.length > FEW ? head : [`${head}:`, ...missed.map((row) => row.text)].join("\n");
}
