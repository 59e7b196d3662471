// This worker stores copies of the rooms that the user visited last, for use without a network. With a network every page
// comes from the server.

// The path below which the browser reaches the server follows from the address of this script. It is empty for the root.
const BASE = new URL("./", self.location).pathname.slice(0, -1);
const PAGE_CACHE = `hubbub-pages${BASE}`;
const FILE_CACHE = `hubbub-files${BASE}`;
const OWNER_CACHE = `hubbub-whose${BASE}`;
const SHARE_CACHE = `hubbub-share${BASE}`;
const MAX_PAGES = 20;
const MAX_FILES = 24;

const OFFLINE_PATH = `${BASE}/offline`;

const SHARE_PATH = `${BASE}/share`;
const MAX_SHARED_FILES = 10;
const MAX_SHARED_BYTES = 256 * 1024 * 1024;
const MAX_SHARED_CHARS = 65_536;

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(fetchCopy(OFFLINE_PATH));
});
self.addEventListener("activate", (event) => event.waitUntil(Promise.all([self.clients.claim(), deleteForeignResponses()])));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (isShare(request, url)) return event.respondWith(enqueueShare(() => takeShare(request)));
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate") event.respondWith(loadPage(event, request, url));
  // The name of a file contains a hash, so the content of a name never changes.
  else if (["pkg", "scripts"].some((folder) => url.pathname.startsWith(`${BASE}/${folder}/`))) event.respondWith(loadFile(event, request));
});

self.addEventListener("message", (event) => {
  // When a page is hidden, it asks for a new copy of itself.
  if (event.data === "refresh" && event.source?.url) event.waitUntil(refreshCopies(event.source.url));
  else if (event.data?.notify) event.waitUntil(notifyUser(event.data.notify, event.source));
  else if (event.data?.forget) event.waitUntil(enqueueStorage(() => deleteCopy(event.data.forget)));
  else if (event.data?.withdraw) event.waitUntil(closeNotifications(event.data.withdraw));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(openRoom(event.notification.data || `${BASE}/`));
});

function isRoom(url) {
  const path = url.pathname.startsWith(`${BASE}/`) && url.pathname.slice(BASE.length);
  return path === "/" || /^\/r\/[a-z0-9-]+$/.test(path);
}

// A captive portal or a proxy may respond instead of the server, sometimes with 200. Only the server sets the header with the
// user.
function isOurs(answer) {
  return answer.type === "basic" && !answer.redirected && answer.headers.has("hubbub-person");
}

function isOurPage(answer) {
  return answer.status === 200 && isOurs(answer) && /^text\/html\b/.test(answer.headers.get("content-type"));
}

// Recognizes a file with a hash in its name, as the server sends it.
const CONTENT_TYPES = { js: /javascript/, css: /^text\/css\b/, wasm: /^application\/wasm\b/ };
function isOurFile(answer, url) {
  const type = CONTENT_TYPES[new URL(url).pathname.split(".").pop()];
  const lasts = /\bimmutable\b/.test(answer.headers.get("cache-control"));
  return answer.status === 200 && answer.type === "basic" && !answer.redirected && lasts && Boolean(type?.test(answer.headers.get("content-type")));
}

// Recognizes what the system's share sheet hands over. A page of another site may send the same form, which the server
// refuses. A page that hides its origin only reaches the page on which the user chooses a room, or cancels.
function isShare({ method, mode, referrer }, url) {
  const isOfAnotherSite = /^https?:/.test(referrer) && new URL(referrer).origin !== self.location.origin;
  return method === "POST" && mode === "navigate" && url.origin === self.location.origin && url.pathname === SHARE_PATH && !isOfAnotherSite;
}

async function takeShare(request) {
  try {
    await storeShare(await request.formData());
    return Response.redirect(SHARE_PATH, 303);
  } catch (error) {
    console.info("nothing is shared:", error?.name);
    await caches.delete(SHARE_CACHE);
    return Response.redirect(`${SHARE_PATH}#failed`, 303);
  }
}

// Keeps what the user shares until they have chosen a room for it. A new share replaces the former one.
async function storeShare(form) {
  await caches.delete(SHARE_CACHE);
  const kept = await caches.open(SHARE_CACHE);
  const given = form.getAll("files").filter((file) => file instanceof File && file.size > 0);
  const files = [];
  let bytes = 0;
  for (const file of given) {
    if (files.length === MAX_SHARED_FILES || bytes + file.size > MAX_SHARED_BYTES) continue;
    bytes += file.size;
    await kept.put(`${SHARE_PATH}/${files.length}`, new Response(file));
    files.push({ name: file.name, type: file.type, size: file.size });
  }
  const share = { at: Date.now(), text: composeSharedText(form), files, isCut: files.length < given.length };
  // The description is stored last, since without it nothing is shared.
  await kept.put(SHARE_PATH, new Response(JSON.stringify(share)));
}

// Many apps put the title or the address into the text too.
function composeSharedText(form) {
  const given = ["title", "text", "url"].map((name) => form.get(name)).filter((text) => typeof text === "string");
  const texts = given.map((text) => text.replace(/\r\n?/g, "\n").trim().slice(0, MAX_SHARED_CHARS)).filter(Boolean);
  const isRepeated = (text, at) => texts.some((other, n) => n !== at && other.includes(text) && (other !== text || n < at));
  return texts.filter((text, at) => !isRepeated(text, at)).join("\n");
}

async function loadPage(event, request, url) {
  // The request bypasses the HTTP cache, which may contain a response of a captive portal.
  const asked = ++moment;
  const answer = await fetch(request, { cache: "no-store" }).catch(() => undefined);
  if (answer && isOurPage(answer) && isRoom(url) && !url.search) event.waitUntil(storePage(url.pathname, answer.clone(), asked));
  // A proxy that cannot reach the server counts as no network. The user sees the page of a captive portal, since they must
  // sign in first.
  const failed = !answer || [502, 503, 504].includes(answer.status) || (answer.status >= 500 && !isOurs(answer));
  if (!failed) return answer;
  const kept = await caches.open(PAGE_CACHE);
  const copy = isRoom(url) && (await kept.match(url.pathname));
  return copy || answer || (await kept.match(OFFLINE_PATH)) || Response.error();
}

async function loadFile(event, request) {
  const kept = await caches.open(FILE_CACHE);
  const copy = await kept.match(request);
  if (copy) return copy;
  const answer = await fetch(request);
  if (isOurFile(answer, request.url)) event.waitUntil(storeResponse(FILE_CACHE, request.url, answer.clone(), MAX_FILES));
  return answer;
}

// Deletes responses of other servers that an earlier version stored.
async function deleteForeignResponses() {
  for (const [name, isGood] of [[PAGE_CACHE, isOurPage], [FILE_CACHE, isOurFile]]) {
    const kept = await caches.open(name);
    for (const key of await kept.keys()) {
      const answer = await kept.match(key);
      if (!answer || !isGood(answer, key.url)) await kept.delete(key);
    }
  }
}

async function refreshCopies(href) {
  const url = new URL(href);
  if (!isRoom(url)) return;
  await Promise.all([fetchCopy(url.pathname), fetchCopy(OFFLINE_PATH)]);
}

async function fetchCopy(path) {
  const asked = ++moment;
  const answer = await fetch(path, { credentials: "same-origin", cache: "no-store" }).catch(() => undefined);
  if (answer && isOurPage(answer)) await storePage(path, answer, asked);
}

// Deletes the copy of a room in which messages have expired.
async function deleteCopy(path) {
  const kept = await caches.open(PAGE_CACHE);
  await kept.delete(path);
}

// `moment` counts the requests and the changes of the user, in their order. `userChangedAt` is the last change.
let moment = 0;
let userChangedAt = 0;

// Returns a function that runs tasks one after the other.
function createQueue() {
  let last = Promise.resolve();
  return (task) => {
    const turn = last.then(task);
    last = turn.catch(() => {});
    return turn;
  };
}

const enqueueStorage = createQueue();
const enqueueNotification = createQueue();
const enqueueShare = createQueue();

// Copies belong to one user. When the user changes, all copies are deleted. The pages are stored one after the other, so that
// no page of the previous user comes between.
async function storePage(path, answer, asked) {
  const isAnother = await enqueueStorage(() => storePageInTurn(path, answer, asked));
  if (isAnother && path !== OFFLINE_PATH) await fetchCopy(OFFLINE_PATH);
}

// Returns true if the user has changed.
async function storePageInTurn(path, answer, asked) {
  const person = answer.headers.get("hubbub-person");
  const owner = await caches.open(OWNER_CACHE);
  const before = await (await owner.match("/"))?.text();
  const isAnother = before !== person;
  // The previous user has asked for this page.
  if (isAnother && asked < userChangedAt) return false;
  if (isAnother) {
    userChangedAt = ++moment;
    await caches.delete(PAGE_CACHE);
    if (before !== undefined) await caches.delete(SHARE_CACHE);
    await owner.put("/", new Response(person));
  }
  await storeResponse(PAGE_CACHE, path, answer, MAX_PAGES);
  return isAnother;
}

// Stores a response and evicts the oldest ones.
async function storeResponse(name, key, answer, most) {
  const kept = await caches.open(name);
  await kept.delete(key);
  await kept.put(key, answer);
  const keys = await kept.keys();
  await Promise.all(keys.slice(0, Math.max(0, keys.length - most)).map((old) => kept.delete(old)));
}

// Every inactive tab reports a message. The worker shows it once, and not while another window of the app has the focus.
const notified = new Map();

async function notifyUser({ title, options, seq, rings }, sender) {
  const windows = await self.clients.matchAll({ type: "window" });
  if (windows.some((client) => client.id !== sender?.id && client.focused && client.visibilityState === "visible")) return;
  if (notified.get(options.tag) >= seq) return;
  notified.set(options.tag, seq);
  await enqueueNotification(() => self.registration.showNotification(title, options));
  if (rings) sender?.postMessage("ring");
}

// Closes the notifications of messages up to `seq`, which the user has read, or, with `only`, the one of a deleted message.
async function closeNotifications({ tag, seq, only }) {
  for (const shown of await listNotifications({ tag })) {
    const at = Number(shown.data?.split("#m")[1]);
    if (only ? at === seq : at <= seq) shown.close();
  }
}

// Chromium forgets a notification that appears while the open ones are listed.
function listNotifications(filter) {
  return enqueueNotification(() => self.registration.getNotifications(filter));
}

async function openRoom(path) {
  const windows = await self.clients.matchAll({ type: "window" });
  const room = path.split("#")[0];
  const there = windows.find((client) => new URL(client.url).pathname === room);
  if (!there) return self.clients.openWindow(path);
  await there.focus();
  return there.navigate(path);
}
