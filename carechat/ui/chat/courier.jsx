// Brings what waits in the outbox to the server from any page, for conversations that are not open.

import { useEffect, useRef } from "react";
import { useConnected } from "$/public/external/carechat/ui/parts/connection/connected.js";
import { Said, useSaying } from "$/public/external/carechat/ui/parts/said/said.jsx";
import { useCarrier, useOutbox } from "./hooks.js";
import { ELSEWHERE } from "./outbox.js";

const FIRST_WORDS = 6;

let person = "";

/**
 * @param {object} props
 * @param {string} props.account the reader's own address, "" while it is not known
 * @param {string} props.signIn where to go once somebody else is signed in in this browser
 * @param {string[]} props.stored client ids of messages that are stored
 * @param {{client_id: string, detail: string}[]} props.refused
 * @param {(account: string, conversation: string, clientId: string, text: string) => void} props.onSend
 */
export function Courier({ account, signIn, stored, refused, onSend }) {
  const connected = useConnected() === true;
  const [box, entries] = useOutbox(account);
  useCarrier(box, ELSEWHERE, connected, onSend);
  useEffect(() => {
    box?.drop(stored);
    box?.refuse(refused);
  }, [box, entries, stored, refused]);
  useSamePerson(account, signIn);
  return <Refusal waiting={entries} />;
}

/** Whoever was writing here must not go on in the name of the next one. */
function useSamePerson(account, signIn) {
  useEffect(() => {
    if (account === "") return;
    if (person !== "" && person !== account) location.replace(signIn);
    person = account;
  }, [account, signIn]);
}

/** Says at once what is refused, wherever one is; what was refused before is found in the log. */
function Refusal({ waiting }) {
  const [said, say] = useSaying();
  const underWay = useRef(new Set());
  useEffect(() => {
    const seen = underWay.current;
    const news = waiting.filter((entry) => entry.refused !== undefined && seen.delete(entry.client_id));
    for (const { client_id, refused } of waiting) if (refused === undefined) seen.add(client_id);
    if (news.length > 0) say(news.map(inWords).join(" "));
  }, [waiting, say]);
  return <Said said={said} urgent />;
}

function inWords({ text, refused }) {
  const words = text.split(/\s+/);
  const beginning = words.slice(0, FIRST_WORDS).join(" ").slice(0, 60);
  return `Not sent: ${beginning}${beginning.length < text.length ? "…" : "."} ${refused}`;
}
