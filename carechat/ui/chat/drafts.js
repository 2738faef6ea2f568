// What was typed and not sent yet, by account and conversation, for 24 hours.

import * as store from "./store.js";

const KEPT_MS = 24 * 60 * 60 * 1000;

const typed = new Map();
const ended = new Set();
const keyOf = (account, conversation) => `${account} ${conversation}`;

/**
 * What was last typed there, or "".
 * @param {string} account
 * @param {string} conversation
 */
export async function read(account, conversation) {
  const key = keyOf(account, conversation);
  if (typed.has(key)) return typed.get(key);
  const rows = await store.all("drafts");
  const isOurs = (row) => row.account === account && row.conversation === conversation;
  const found = rows.find((row) => isOurs(row) && Date.now() - row.at < KEPT_MS);
  return typed.get(key) ?? found?.text ?? "";
}

/**
 * A draft is kept, unless its account has been forgotten; an empty one is gone.
 * @param {string} account
 * @param {string} conversation
 * @param {string} text
 */
export function write(account, conversation, text) {
  if (ended.has(account)) return undefined;
  typed.set(keyOf(account, conversation), text);
  if (text === "") return store.remove("drafts", [account, conversation]);
  return store.put("drafts", { account, conversation, text, at: Date.now() });
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
