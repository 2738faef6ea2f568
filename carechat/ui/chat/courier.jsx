// Brings what waits in the outbox to the server from any page, for conversations that are not open.

import { useEffect } from "react";
import { useConnected } from "$/public/external/carechat/ui/parts/connection/connected.js";
import { useCarrier, useOutbox } from "./hooks.js";
import { ELSEWHERE } from "./outbox.js";

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
  return null;
}

/** Whoever was writing here must not go on in the name of the next one. */
function useSamePerson(account, signIn) {
  useEffect(() => {
    if (account === "") return;
    if (person !== "" && person !== account) location.replace(signIn);
    person = account;
  }, [account, signIn]);
}
