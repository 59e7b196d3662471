// This script keeps the files of the tray in the browser, so that they survive a reload and a closed tab, as the draft does.
// Each file belongs to a tab. A tab that opens the room takes over the files of a tab that is gone. The script also reads what
// the user shares.
//
// Nothing here fails loudly: in a browser without a database the files last as long as the page.

const BASE = document.documentElement.dataset.base ?? "";
const DATABASE = `hubbub-tray${BASE}`;
const MAX_RECORDS = 100;
const MAX_BYTES = 256 * 1024 * 1024;
const MAX_AGE_MS = 7 * 24 * 60 * 60_000;
// The app considers a tab without a heartbeat alive for the same time.
const TAB_TIMEOUT_MS = 20_000;

const SHARE_CACHE = `hubbub-share${BASE}`;
export const SHARE_PATH = `${BASE}/share`;
export const MAX_SHARE_AGE_MS = 24 * 60 * 60_000;
export const CHOSEN_ROOM_KEY = "hubbub/share";

const awaitRequest = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

let databasePromise;
function openDatabase() {
  databasePromise ??= (async () => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("files", { keyPath: "key", autoIncrement: true });
      // The bytes are apart, so that a list of the files does not read them.
      request.result.createObjectStore("bytes");
    };
    const database = await awaitRequest(request);
    // The page that erases the user's data deletes the database. The deletion waits until this connection is closed.
    database.onversionchange = () => database.close();
    return database;
  })();
  return databasePromise;
}

// Runs `task` in one transaction, which is stored or undone as a whole. Returns `undefined` if that fails.
async function runTransaction(task) {
  try {
    const transaction = (await openDatabase()).transaction(["files", "bytes"], "readwrite");
    const end = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
    // If the task fails first, nothing awaits the end, whose failure must not count as unhandled.
    end.catch(() => {});
    const value = await task(transaction.objectStore("files"), transaction.objectStore("bytes"));
    await end;
    return value;
  } catch (error) {
    console.info("files are not kept over a reload:", error?.name);
    return undefined;
  }
}

// The app gives each tab an id, which a reload keeps, and writes a heartbeat under it.
function getTabId() {
  try {
    return sessionStorage.getItem("hubbub/tab") ?? undefined;
  } catch {
    return undefined;
  }
}

function isTabGone(other) {
  const at = Number.parseInt(localStorage.getItem(`hubbub/tab/${other}`) ?? "");
  return !(Math.abs(Date.now() - at) <= TAB_TIMEOUT_MS);
}

// Removes the records that are too old, and the oldest ones past `MAX_RECORDS`. Returns the others.
async function sweepRecords(files, bytes) {
  const all = await awaitRequest(files.getAll());
  const isOld = ({ at }) => Math.abs(Date.now() - at) > MAX_AGE_MS;
  const fresh = all.filter((record) => !isOld(record)).slice(-MAX_RECORDS);
  for (const record of all.filter((record) => !fresh.includes(record))) (files.delete(record.key), bytes.delete(record.key));
  return fresh;
}

// Keeps a file, with its bytes if they fit. Returns its key.
export async function keepFile(record, source) {
  const current = getTabId();
  if (!current) return undefined;
  const addRecord = (withBytes) =>
    runTransaction(async (files, bytes) => {
      const used = (await sweepRecords(files, bytes)).reduce((sum, { held }) => sum + held, 0);
      const held = withBytes && used + source.size <= MAX_BYTES ? source.size : 0;
      const key = await awaitRequest(files.add({ ...record, tab: current, held }));
      if (held) bytes.put(source, key);
      return key;
    });
  // The disk may be full, so the file is kept without its bytes.
  return (await addRecord(true)) ?? addRecord(false);
}

// Changes fields of a file. `key` may be a promise.
export async function updateFile(key, fields) {
  const known = await key;
  if (known === undefined) return;
  await runTransaction(async (files) => {
    const record = await awaitRequest(files.get(known));
    if (record) files.put({ ...record, ...fields });
  });
}

// Forgets a file. `key` may be a promise.
export async function forgetFile(key) {
  const known = await key;
  if (known === undefined) return;
  await runTransaction(async (files, bytes) => {
    files.delete(known);
    bytes.delete(known);
  });
}

let channel;
// The page of the share has no tray, and opens no channel.
function openChannel() {
  if ("BroadcastChannel" in self) channel ??= new BroadcastChannel(DATABASE);
  return channel;
}

// Returns at most `most` files of the room that this tab had before, or whose tab is gone, and assigns them to this tab. The
// other tab is told, since it may only have slept.
export async function claimFiles(room, most) {
  const current = getTabId();
  if (!current || most <= 0) return [];
  let isTaken = false;
  const records = await runTransaction(async (files, bytes) => {
    const isOurs = (record) => record.room === room && (record.tab === current || isTabGone(record.tab));
    const found = (await sweepRecords(files, bytes)).filter(isOurs).slice(0, most);
    for (const record of found.filter((record) => record.tab !== current)) {
      isTaken = true;
      files.put({ ...record, tab: current });
    }
    const sources = await Promise.all(found.map(({ key }) => awaitRequest(bytes.get(key))));
    return found.map((record, at) => ({ ...record, source: sources[at] }));
  });
  if (isTaken) openChannel()?.postMessage(room);
  return records ?? [];
}

// Returns the keys of the files in the room that belong to this tab.
export async function listOwnKeys(room) {
  const current = getTabId();
  const selectKeys = (all) => new Set(all.filter((record) => record.room === room && record.tab === current).map(({ key }) => key));
  return runTransaction(async (files) => selectKeys(await awaitRequest(files.getAll())));
}

// Calls `listener` when another tab may have taken files of this one.
export function onChange(listener) {
  const opened = openChannel();
  if (opened) opened.onmessage = listener;
  document.addEventListener("visibilitychange", () => document.hidden || listener());
  addEventListener("pageshow", ({ persisted }) => persisted && listener());
}

// Returns what the service worker keeps of the share at `path`. A page over plain HTTP has no caches.
export async function matchShared(path) {
  return globalThis.caches?.match(path, { cacheName: SHARE_CACHE });
}

// Forgets what the user shares, and the room that they have chosen for it.
export async function forgetShare() {
  sessionStorage.removeItem(CHOSEN_ROOM_KEY);
  await globalThis.caches?.delete(SHARE_CACHE);
}

// Returns the text and the files that the user shares, if they have chosen this page for them.
export async function readChosenShare() {
  try {
    const answer = await matchShared(SHARE_PATH);
    if (!answer) return undefined;
    const { at, text, files } = await answer.json();
    const isOld = Math.abs(Date.now() - at) > MAX_SHARE_AGE_MS;
    if (isOld) await caches.delete(SHARE_CACHE);
    if (isOld || sessionStorage.getItem(CHOSEN_ROOM_KEY) !== location.pathname) return undefined;
    const bytes = await Promise.all(files.map(async (_, n) => (await matchShared(`${SHARE_PATH}/${n}`))?.blob()));
    const shared = files.map(({ name, type }, n) => bytes[n] && new File([bytes[n]], name, { type })).filter(Boolean);
    return { text, files: shared };
  } catch (error) {
    console.info("nothing is shared:", error?.name);
    return undefined;
  }
}
