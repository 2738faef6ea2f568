// Messages on their way out: kept by account, sent in order, one at a time in each conversation.

import * as drafts from "./drafts.js";
import * as store from "./store.js";

const KEPT_MS = 24 * 60 * 60 * 1000;
const FIRST_WAIT_MS = 2_000;
const LONGEST_WAIT_MS = 30_000;
const CHANNEL = "carechat-outbox";
// A database that does not answer must not keep its writer from seeing a message.
const LONGEST_UNSEEN_MS = 50;
const LATE = "This could not be sent for a day.";

/** Stands for every conversation that has no carrier of its own. */
export const ELSEWHERE = "*";

/**
 * A message that the server has not stored for good yet.
 * @typedef {object} Entry
 * @property {string} client_id
 * @property {string} account the writer's own address
 * @property {string} conversation
 * @property {string} text
 * @property {number} at ms since epoch
 * @property {string} [refused] why it is not sent any more by itself
 * @property {number} [late_at] ms since epoch: found too old to go out, which its writer has to see
 */

/** What one account has not got through yet; several tabs of one browser hold the same. */
class Outbox {
  #entries = [];
  #listeners = new Set();
  #carriers = new Map();
  #running = new Set();
  #connected = false;
  #settled = new Set();
  #unkept = new Set();
  #writing = new Map();
  #ready = false;
  #ended = false;
  #channel = globalThis.BroadcastChannel ? new BroadcastChannel(CHANNEL) : null;

  constructor(account) {
    this.account = account;
    if (this.#channel) this.#channel.onmessage = ({ data }) => this.#hear(data);
    this.#load();
  }

  /** The entries in the order in which they were written; a new array after each change. */
  entries = () => this.#entries;

  /** Whether something that waits is in this page only, because the browser could not keep it. */
  isLoose = () => this.#entries.some((entry) => this.#unkept.has(entry.client_id));

  /** The listener is called after each change, until the function that this returns is. */
  subscribe = (listener) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** A new message waits to be sent; the promise is over when those who watch are told of it. */
  add(conversation, text) {
    return this.#addNew({ account: this.account, conversation, text });
  }

  /** A refused message is tried again, as a new one; a late one may be stored: it stays the same. */
  retry(clientId) {
    const entry = this.#entries.find((kept) => kept.client_id === clientId);
    const again = { ...entry, refused: undefined, late_at: undefined };
    if (entry?.late_at) {
      this.#keep({ ...again, at: Date.now() });
      return;
    }
    this.drop([clientId]);
    if (entry) this.#addNew(again);
  }

  /** It goes out after all that wait already. */
  #addNew(entry) {
    const at = Math.max(Date.now(), (this.#entries.at(-1)?.at ?? 0) + 1);
    return this.#keep({ ...entry, client_id: newId(), at });
  }

  /** These are stored, or not wanted any more. */
  drop(clientIds) {
    for (const clientId of clientIds) this.#settled.add(clientId);
    const gone = this.#entries.filter((entry) => clientIds.includes(entry.client_id));
    for (const { client_id } of gone) {
      store.remove("outbox", client_id);
      this.#tell({ drop: client_id });
    }
    if (gone.length > 0) this.#become(this.#entries.filter((entry) => !gone.includes(entry)));
  }

  /** These were definitely refused, each with its sentence, and are not sent again. */
  refuse(refusals) {
    for (const { client_id, detail } of refusals) {
      const entry = this.#entries.find((kept) => kept.client_id === client_id);
      if (entry && entry.refused === undefined) this.#keep({ ...entry, refused: detail });
    }
  }

  /**
   * `send(entry)` is what brings a conversation's messages to the server, until the
   * function that this returns is called. It may be called again for the same entry.
   */
  carry(conversation, send) {
    this.#carriers.set(conversation, send);
    this.#pump();
    return () => this.#carriers.get(conversation) === send && this.#carriers.delete(conversation);
  }

  /** Whether there is a server to send to: nothing is tried while there is none. */
  setConnected(connected) {
    if (this.#connected === connected) return;
    // A machine may have slept for days.
    if (connected) for (const entry of this.#entries) if (isOld(entry)) this.#take(entry);
    this.#connected = connected;
    this.#become(this.#entries);
  }

  /** Nothing of the account is left in this tab, the others or the browser's database. */
  async forget() {
    this.#tell({ forget: true });
    await this.#end();
  }

  /** Every tab cleans up after itself, as it may have been writing when it heard of the end. */
  async #end() {
    this.#ended = true;
    this.#become([]);
    const gone = (await store.all("outbox")).filter((entry) => entry.account === this.account);
    const removed = gone.map((entry) => store.remove("outbox", entry.client_id));
    await Promise.all([...removed, drafts.forget(this.account)]);
  }

  /** What was written before goes out before what is written now. */
  async #load() {
    drafts.forgetOld(this.account);
    const loaded = store.all("outbox").then((entries) => entries.forEach((one) => this.#take(one)));
    await store.orAfter(loaded);
    this.#ready = true;
    this.#pump();
  }

  /** What has become too old goes, but not before its writer has been told, for a day. */
  #take(entry) {
    const mine = entry.account === this.account;
    const age = Date.now() - (entry.late_at ?? entry.at);
    const told = entry.refused !== undefined;
    if (age >= (mine || told ? KEPT_MS : 2 * KEPT_MS)) {
      if (mine && !told) this.#keep({ ...entry, refused: LATE, late_at: Date.now() });
      else this.#lose(entry.client_id);
    } else if (mine) {
      this.#place(entry);
    }
  }

  #lose(clientId) {
    store.remove("outbox", clientId);
    if (this.#entries.some((entry) => entry.client_id === clientId)) {
      this.#become(this.#entries.filter((entry) => entry.client_id !== clientId));
    }
  }

  /** The page is told once it is kept, and handed over: to draw it takes longer than both. */
  #keep(entry) {
    if (this.#ended) return Promise.resolve();
    const answer = store.orAfter(store.put("outbox", entry));
    const written = answer.then((kept) => this.#kept(entry, kept));
    this.#writing.set(entry.client_id, written);
    const shown = store.orAfter(written.then(() => store.later(0)), LONGEST_UNSEEN_MS);
    this.#place(entry, shown);
    return shown;
  }

  /** Only now it is sent, by any tab: what is sent is no draft any more, whenever the browser ends. */
  #kept(entry, kept = false) {
    this.#writing.delete(entry.client_id);
    if (this.#ended) return;
    this.#note(entry.client_id, kept);
    if (!this.#settled.has(entry.client_id)) this.#tell({ put: entry });
    this.#pump();
  }

  #note(clientId, kept) {
    if (kept === !this.#unkept.has(clientId)) return;
    if (kept) this.#unkept.delete(clientId);
    else this.#unkept.add(clientId);
    this.#become([...this.#entries]);
  }

  #place(entry, shown = null) {
    if (this.#ended || this.#settled.has(entry.client_id)) return;
    const others = this.#entries.filter((kept) => kept.client_id !== entry.client_id);
    this.#become([...others, entry].sort(inOrder), shown);
  }

  #tell(news) {
    this.#channel?.postMessage({ account: this.account, ...news });
  }

  #hear(news) {
    if (news.account !== this.account) return;
    if (news.put) this.#place(news.put);
    if (news.forget) this.#end().then(leave);
    if (news.drop) {
      this.#settled.add(news.drop);
      this.#become(this.#entries.filter((entry) => entry.client_id !== news.drop));
    }
  }

  #become(entries, shown = null) {
    this.#entries = entries;
    hold(this, this.isLoose());
    if (shown) shown.then(() => this.#show());
    else this.#show();
    this.#pump();
  }

  #show() {
    for (const listener of [...this.#listeners]) listener();
  }

  #pump() {
    for (const conversation of new Set(this.#entries.map((entry) => entry.conversation))) {
      if (!this.#running.has(conversation)) this.#work(conversation);
    }
  }

  async #work(conversation) {
    this.#running.add(conversation);
    const wait = { of: null, ms: 0 };
    try {
      for (let entry = this.#next(conversation); entry; entry = this.#next(conversation)) {
        const again = wait.of === entry.client_id;
        wait.ms = again ? Math.min(wait.ms * 2, LONGEST_WAIT_MS) : FIRST_WAIT_MS;
        wait.of = entry.client_id;
        const lock = `${CHANNEL} ${this.account} ${conversation}`;
        await inOneTab(lock, () => this.#attempt(entry.client_id, conversation, wait.ms));
      }
    } finally {
      this.#running.delete(conversation);
    }
  }

  #next(conversation) {
    if (!this.#ready || !this.#connected || !this.#carrier(conversation)) return undefined;
    const waits = (entry) => entry.conversation === conversation && entry.refused === undefined;
    return this.#entries.find(waits);
  }

  #carrier(conversation) {
    return this.#carriers.get(conversation) ?? this.#carriers.get(ELSEWHERE);
  }

  /** Ends when the entry is stored, refused or removed, the connection is lost or time is up. */
  async #attempt(clientId, conversation, ms) {
    // What is sent is kept; the lock was asked for meanwhile.
    await this.#writing.get(clientId);
    await new Promise((resolve) => {
      const isDone = () => this.#next(conversation)?.client_id !== clientId;
      if (isDone()) {
        resolve();
        return;
      }
      const end = () => {
        clearTimeout(timer);
        stop();
        resolve();
      };
      const timer = setTimeout(end, ms);
      const stop = this.subscribe(() => isDone() && end());
      try {
        this.#carrier(conversation)(this.#next(conversation));
      } catch (error) {
        // It is tried again when the time is up.
        reportError(error);
      }
    });
  }
}

function isOld(entry) {
  return Date.now() - (entry.late_at ?? entry.at) >= KEPT_MS;
}

/** The same in all tabs, also for two that were written in one moment. */
function inOrder(one, other) {
  return one.at - other.at || (one.client_id < other.client_id ? -1 : 1);
}

/** Where there are no locks two tabs may send the same message, which is stored once all the same. */
async function inOneTab(name, work) {
  let begun = false;
  const alone = () => {
    begun = true;
    return work();
  };
  try {
    await navigator.locks.request(name, alone);
  } catch (error) {
    if (begun) throw error;
    await work();
  }
}

const loose = new Set();
const askFirst = (event) => event.preventDefault();

/** The browser asks before it leaves a page that takes something along; what is kept needs no question. */
function hold(box, isLoose) {
  if (isLoose) loose.add(box);
  else loose.delete(box);
  if (loose.size > 0) addEventListener("beforeunload", askFirst);
  else removeEventListener("beforeunload", askFirst);
}

function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const outboxes = new Map();

/**
 * The outbox of an account: one in each tab.
 * @param {string} account
 * @returns {Outbox}
 */
export function of(account) {
  if (!outboxes.has(account)) outboxes.set(account, new Outbox(account));
  return outboxes.get(account);
}

/**
 * What an account wrote and did not get through is gone from this browser, drafts too.
 * @param {string} account
 */
export function forget(account) {
  return of(account).forget();
}

let leave = () => {};

/**
 * `go()` leads away for good once another tab has forgotten the account of this one.
 * @param {() => void} go
 */
export function whenForgotten(go) {
  leave = go;
}
