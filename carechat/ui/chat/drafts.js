// What was typed and not sent yet, by account and conversation: its writer finds it again for a month.

import * as store from "./store.js";

const DAY_MS = 24 * 60 * 60 * 1000;
const KEPT_MS = 30 * DAY_MS;

// The next person at the same computer keeps nothing for somebody who does not come.
const KEPT_FOR_OTHERS_MS = 2 * DAY_MS;
const CHANNEL = "carechat-drafts";

const typed = new Map();
const times = new Map();
const reading = new Map();
const meanwhile = new Map();
const ended = new Set();
const followers = new Set();
let channel = null;

const keyOf = (account, conversation) => `${account} ${conversation}`;

/**
 * What was last typed there, or ""; what is typed while the browser looks for it stands behind it.
 * @param {string} account
 * @param {string} conversation
 * @returns {Promise<string>}
 */
export function read(account, conversation) {
  const key = keyOf(account, conversation);
  if (isKnown(account, conversation)) return Promise.resolve(typed.get(key));
  if (!reading.has(key)) reading.set(key, load(account, conversation));
  return reading.get(key);
}

/**
 * Whether the browser has found what was typed there before.
 * @param {string} account
 * @param {string} conversation
 */
export function isKnown(account, conversation) {
  const key = keyOf(account, conversation);
  return typed.has(key) && !reading.has(key);
}

/**
 * What is known of it without waiting.
 * @param {string} account
 * @param {string} conversation
 */
export function soFar(account, conversation) {
  const key = keyOf(account, conversation);
  return isKnown(account, conversation) ? typed.get(key) : (meanwhile.get(key)?.text ?? "");
}

async function load(account, conversation) {
  const key = keyOf(account, conversation);
  const isOurs = (row) => row.account === account && row.conversation === conversation;
  const rows = await store.all("drafts");
  const found = rows.find((row) => isOurs(row) && Date.now() - row.at < KEPT_MS);
  reading.delete(key);
  // What another tab has told meanwhile is newer.
  if (!typed.has(key)) {
    typed.set(key, found?.text ?? "");
    times.set(key, found?.at ?? 0);
  }
  join(account, conversation);
  return typed.get(key) ?? "";
}

/** What was typed before it was known what was there comes behind it: nothing is written over. */
function join(account, conversation) {
  const key = keyOf(account, conversation);
  const early = earlyOf(key);
  const before = typed.get(key);
  meanwhile.delete(key);
  if (before !== "") for (const one of early.asked) one.kept = true;
  const kept = early.asked.filter((one) => one.kept).map((one) => one.text);
  const whole = before + [...kept, early.text].join("\n");
  if (whole !== before) write(account, conversation, whole);
}

function earlyOf(key) {
  if (!meanwhile.has(key)) meanwhile.set(key, { asked: [], text: "" });
  return meanwhile.get(key);
}

/**
 * Whether a text can be sent as it is. While it is not known what was typed before it, that waits:
 * behind such a draft it stands in the draft, and half of one is never sent.
 * @param {string} account
 * @param {string} conversation
 * @param {string} text
 * @returns {Promise<boolean>}
 */
export async function mayGo(account, conversation, text) {
  if (isKnown(account, conversation)) return true;
  const early = earlyOf(keyOf(account, conversation));
  const one = { text, kept: false };
  early.asked.push(one);
  early.text = "";
  await store.orAfter(read(account, conversation));
  if (!one.kept) early.asked = early.asked.filter((other) => other !== one);
  return !one.kept;
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
  const early = [...meanwhile].map(([key, { asked, text }]) => [key, text || asked.length > 0]);
  const here = [...typed, ...early].some(([key, any]) => any && key.startsWith(`${account} `));
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
  if (!isKnown(account, conversation)) {
    earlyOf(key).text = text;
    return read(account, conversation);
  }
  opened()?.postMessage({ account, key, before: typed.get(key) ?? "", text });
  typed.set(key, text);
  times.set(key, Date.now());
  if (text === "") return store.remove("drafts", [account, conversation]);
  return store.put("drafts", { account, conversation, text, at: Date.now() });
}

/**
 * A text comes behind whatever was typed there.
 * @param {string} account
 * @param {string} conversation
 * @param {string} text
 */
export function add(account, conversation, text) {
  return write(account, conversation, soFar(account, conversation) + text);
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
  if (reading.has(key)) return;
  for (const follower of followers) if (follower.key === key) follower.listener(text);
}

/**
 * No draft of the account is left, and this page keeps none any more.
 * @param {string} account
 */
export function forget(account) {
  ended.add(account);
  for (const kept of [typed, meanwhile]) {
    for (const key of kept.keys()) if (key.startsWith(`${account} `)) kept.delete(key);
  }
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
