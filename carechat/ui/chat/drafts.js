// What was typed and not sent yet, by account and conversation: its writer finds it again for a month.

import * as store from "./store.js";

const DAY_MS = 24 * 60 * 60 * 1000;
const KEPT_MS = 30 * DAY_MS;

// The next person at the same computer keeps nothing for somebody who does not come.
const KEPT_FOR_OTHERS_MS = 2 * DAY_MS;
const CHANNEL = "carechat-drafts";

const typed = new Map();
const times = new Map();
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
  if (!typed.has(key)) {
    typed.set(key, found?.text ?? "");
    times.set(key, found?.at ?? 0);
  }
  return typed.get(key);
}

/**
 * When the last key of a draft was pressed that is older than a day, in ms since epoch; else null.
 * @param {string} account
 * @param {string} conversation
 */
export function oldSince(account, conversation) {
  const at = times.get(keyOf(account, conversation)) ?? 0;
  return at > 0 && Date.now() - at >= DAY_MS ? at : null;
}

/**
 * Whether the account has any draft here.
 * @param {string} account
 */
export async function has(account) {
  const here = [...typed].some(([key, text]) => text !== "" && key.startsWith(`${account} `));
  return here || (await store.all("drafts")).some((row) => row.account === account);
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
  times.set(key, Date.now());
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
  times.set(key, Date.now());
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

/**
 * No draft is left that has become too old, which others' do sooner.
 * @param {string} account who is here
 */
export function forgetOld(account) {
  const limit = (row) => (row.account === account ? KEPT_MS : KEPT_FOR_OTHERS_MS);
  return remove((row) => Date.now() - row.at >= limit(row));
}

async function remove(isGone) {
  const gone = (await store.all("drafts")).filter(isGone);
  await Promise.all(gone.map((row) => store.remove("drafts", [row.account, row.conversation])));
}
