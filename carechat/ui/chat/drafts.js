// What was typed and not sent yet, by account and conversation, for 24 hours.

import * as store from "./store.js";

const KEPT_MS = 24 * 60 * 60 * 1000;
const CHANNEL = "carechat-drafts";

const typed = new Map();
const ended = new Set();
const followers = new Set();
let channel = null;

const keyOf = (account, conversation) => `${account} ${conversation}`;

/**
 * What was last typed there, or "".
 * @param {string} account
 * @param {string} conversation
 */
export async function read(account, conversation) {
  const key = keyOf(account, conversation);
  const rows = typed.has(key) ? [] : await store.all("drafts");
  const isOurs = (row) => row.account === account && row.conversation === conversation;
  const found = rows.find((row) => isOurs(row) && Date.now() - row.at < KEPT_MS);
  if (!typed.has(key)) typed.set(key, found?.text ?? "");
  return typed.get(key);
}

/**
 * A draft is kept, unless its account has been forgotten; an empty one is gone.
 * @param {string} account
 * @param {string} conversation
 * @param {string} text
 */
export function write(account, conversation, text) {
  if (ended.has(account)) return undefined;
  const key = keyOf(account, conversation);
  opened()?.postMessage({ account, key, before: typed.get(key) ?? "", text });
  typed.set(key, text);
  if (text === "") return store.remove("drafts", [account, conversation]);
  return store.put("drafts", { account, conversation, text, at: Date.now() });
}

/**
 * `listener(text)` is called when another tab changes the draft that is here too, until the
 * function that this returns is.
 * @param {string} account
 * @param {string} conversation
 * @param {(text: string) => void} listener
 */
export function follow(account, conversation, listener) {
  opened();
  const follower = { key: keyOf(account, conversation), listener };
  followers.add(follower);
  return () => followers.delete(follower);
}

function opened() {
  if (channel === null && globalThis.BroadcastChannel) {
    channel = new BroadcastChannel(CHANNEL);
    channel.onmessage = ({ data }) => hear(data);
  }
  return channel;
}

/** Whoever has typed something else here keeps it. */
function hear({ account, key, before, text }) {
  if (ended.has(account) || (typed.get(key) ?? before) !== before) return;
  typed.set(key, text);
  for (const follower of followers) if (follower.key === key) follower.listener(text);
}

/**
 * No draft of the account is left, and this page keeps none any more.
 * @param {string} account
 */
export function forget(account) {
  ended.add(account);
  for (const key of typed.keys()) if (key.startsWith(`${account} `)) typed.delete(key);
  return remove((row) => row.account === account);
}

/** No draft that is older than 24 hours is left. */
export function forgetOld() {
  return remove((row) => Date.now() - row.at >= KEPT_MS);
}

async function remove(isGone) {
  const gone = (await store.all("drafts")).filter(isGone);
  await Promise.all(gone.map((row) => store.remove("drafts", [row.account, row.conversation])));
}
