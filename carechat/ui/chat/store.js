// The browser's own database for what is not on the server yet; without one, nothing outlives the page.

const NAME = "carechat";
const VERSION = 1;

let opened = null;

function open() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("outbox", { keyPath: "client_id" });
      request.result.createObjectStore("drafts", { keyPath: ["account", "conversation"] });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opened;
}

async function run(table, mode, work, otherwise) {
  try {
    const transaction = (await open()).transaction(table, mode);
    const request = work(transaction.objectStore(table));
    // Else a page that is left in this moment would take what was just typed with it.
    if (mode === "readwrite") transaction.commit();
    return await new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error);
    });
  } catch {
    return otherwise;
  }
}

/**
 * Every row of a table; none where the browser keeps none.
 * @param {"outbox" | "drafts"} table
 */
export const all = (table) => run(table, "readonly", (rows) => rows.getAll(), []);

/**
 * A row is kept, in the place of one with the same key.
 * @param {"outbox" | "drafts"} table
 * @param {object} row
 */
export const put = (table, row) => run(table, "readwrite", (rows) => rows.put(row));

/**
 * A row is gone.
 * @param {"outbox" | "drafts"} table
 * @param {IDBValidKey} key
 */
export const remove = (table, key) => run(table, "readwrite", (rows) => rows.delete(key));
