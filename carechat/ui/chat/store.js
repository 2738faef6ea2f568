// The browser's own database for what is not on the server yet; without one, nothing outlives the page.

const NAME = "carechat";
const VERSION = 1;
const TABLES = ["outbox", "drafts"];
// A database that does not answer must not keep anything from being sent.
const LONGEST_WAIT_MS = 2_000;

let opened = null;
let batch = null;

/** @param {number} ms */
export const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * What the answer comes to, nothing after `ms`.
 * @param {Promise<any>} answer
 * @param {number} [ms]
 */
export const orAfter = (answer, ms = LONGEST_WAIT_MS) => Promise.race([answer, later(ms)]);

/** What has failed or was closed is opened anew with the next use. */
function open() {
  if (opened === null) {
    opened = new Promise(connect);
    opened.catch(() => (opened = null));
  }
  return opened;
}

function connect(resolve, reject) {
  const request = indexedDB.open(NAME, VERSION);
  request.onupgradeneeded = () => {
    request.result.createObjectStore("outbox", { keyPath: "client_id" });
    request.result.createObjectStore("drafts", { keyPath: ["account", "conversation"] });
  };
  request.onsuccess = () => {
    const database = request.result;
    database.onclose = () => (opened = null);
    database.onversionchange = () => {
      database.close();
      opened = null;
    };
    resolve(database);
  };
  request.onerror = () => reject(request.error);
}

/**
 * `work(transaction)` is called in the next microtask once the database is open, so before the page
 * is drawn. A connection that the browser has closed without a word shows only when it is used.
 */
async function within(mode, work) {
  const database = await open();
  let transaction;
  try {
    transaction = database.transaction(TABLES, mode);
  } catch {
    opened = null;
    transaction = (await open()).transaction(TABLES, mode);
  }
  return work(transaction);
}

const ended = (transaction) =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
  });

async function commit(changes) {
  const close = () => {
    if (batch?.changes === changes) batch = null;
  };
  try {
    await within("readwrite", (transaction) => {
      close();
      for (const [table, change] of changes) change(transaction.objectStore(table));
      // Else a page that is left in this moment would take what was just typed with it.
      transaction.commit();
      return ended(transaction);
    });
    return true;
  } catch {
    // There is no room or no database: whoever asked is told.
    close();
    return false;
  }
}

/**
 * What is changed in one go is there whole or not at all: a message that is sent leaves the drafts
 * in the moment in which it is in the outbox, whenever the browser ends.
 */
function write(table, change) {
  if (batch === null) {
    const changes = [];
    batch = { changes, kept: commit(changes) };
  }
  batch.changes.push([table, change]);
  return batch.kept;
}

/**
 * Every row of a table, what was just written included; none where the browser keeps none.
 * @param {"outbox" | "drafts"} table
 * @returns {Promise<object[]>}
 */
export async function all(table) {
  try {
    await batch?.kept;
    return await within("readonly", async (transaction) => {
      const request = transaction.objectStore(table).getAll();
      await ended(transaction);
      return request.result;
    });
  } catch {
    return [];
  }
}

/**
 * A row is kept, in the place of one with the same key.
 * @param {"outbox" | "drafts"} table
 * @param {object} row
 * @returns {Promise<boolean>} whether it is kept
 */
export const put = (table, row) => write(table, (rows) => rows.put(row));

/**
 * A row is gone.
 * @param {"outbox" | "drafts"} table
 * @param {IDBValidKey} key
 * @returns {Promise<boolean>} whether it is gone
 */
export const remove = (table, key) => write(table, (rows) => rows.delete(key));
