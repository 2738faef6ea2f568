// What was typed and not sent yet, by account and conversation, for 24 hours.

import * as store from "./store.js";

const KEPT_MS = 24 * 60 * 60 * 1000;

const typed = new Map();
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
 * A draft is kept; an empty one is forgotten.
 * @param {string} account
 * @param {string} conversation
 * @param {string} text
 */
export function write(account, conversation, text) {
  typed.set(keyOf(account, conversation), text);
  if (text === "") return store.remove("drafts", [account, conversation]);
  return store.put("drafts", { account, conversation, text, at: Date.now() });
}

/**
 * No draft of the account is left; with no account, none that is older than 24 hours.
 * @param {string} [account]
 */
export async function forget(account) {
  for (const key of typed.keys()) if (key.startsWith(`${account} `)) typed.delete(key);
  const isGone = (row) => row.account === account || Date.now() - row.at >= KEPT_MS;
  const gone = (await store.all("drafts")).filter(isGone);
  await Promise.all(gone.map((row) => store.remove("drafts", [row.account, row.conversation])));
}
