// Stores copies of the rooms that were visited last, for use without a network. With a network every page comes from the
// server.

// The path below which the browser reaches the server, derived from the address of this script. Empty for the root.
const BASE = new URL("./", self.location).pathname.slice(0, -1);
const PAGES = `hubbub-pages${BASE}`;
const FILES = `hubbub-files${BASE}`;
const OWNER = `hubbub-whose${BASE}`;
const MAX_PAGES = 20;
const MAX_FILES = 24;

const OFFLINE = `${BASE}/offline`;

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(fetchCopy(OFFLINE));
});
self.addEventListener("activate", (event) => event.waitUntil(Promise.all([self.clients.claim(), sweep()])));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate") event.respondWith(page(event, request, url));
  // File names contain a hash, so the content of a name never changes.
  else if (url.pathname.startsWith(`${BASE}/pkg/`)) event.respondWith(file(event, request));
});

self.addEventListener("message", (event) => {
  // A page was hidden: its copy is refreshed.
  if (event.data === "refresh" && event.source?.url) event.waitUntil(refresh(event.source.url));
  else if (event.data?.notify) event.waitUntil(notify(event.data.notify, event.source));
  else if (event.data?.forget) event.waitUntil(storing(() => forget(event.data.forget)));
  else if (event.data?.withdraw) event.waitUntil(withdraw(event.data.withdraw));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(openRoom(event.notification.data || `${BASE}/`));
});

function isRoom(url) {
  const path = url.pathname.startsWith(`${BASE}/`) && url.pathname.slice(BASE.length);
  return path === "/" || /^\/r\/[a-z0-9-]+$/.test(path);
}

// Captive portals and proxies may respond instead of the server, some of them with 200. Only the server sets the header
// with the user.
function isOurs(answer) {
  return answer.type === "basic" && !answer.redirected && answer.headers.has("hubbub-person");
}

function isOurPage(answer) {
  return answer.status === 200 && isOurs(answer) && /^text\/html\b/.test(answer.headers.get("content-type"));
}

// Recognizes a file with a hash in its name, as the server sends it.
const TYPES = { js: /javascript/, css: /^text\/css\b/, wasm: /^application\/wasm\b/ };
function isOurFile(answer, url) {
  const type = TYPES[new URL(url).pathname.split(".").pop()];
  const lasts = /\bimmutable\b/.test(answer.headers.get("cache-control"));
  return answer.status === 200 && answer.type === "basic" && !answer.redirected && lasts && Boolean(type?.test(answer.headers.get("content-type")));
}

async function page(event, request, url) {
  // Bypasses the HTTP cache, which may contain a response of a captive portal.
  const asked = ++moment;
  const answer = await fetch(request, { cache: "no-store" }).catch(() => undefined);
  if (answer && isOurPage(answer) && isRoom(url) && !url.search) event.waitUntil(storePage(url.pathname, answer.clone(), asked));
  // A proxy that cannot reach the server counts as no network. The page of a captive portal is shown, since the user must
  // sign in first.
  const failed = !answer || [502, 503, 504].includes(answer.status) || (answer.status >= 500 && !isOurs(answer));
  if (!failed) return answer;
  const kept = await caches.open(PAGES);
  const copy = isRoom(url) && (await kept.match(url.pathname));
  return copy || answer || (await kept.match(OFFLINE)) || Response.error();
}

async function file(event, request) {
  const kept = await caches.open(FILES);
  const copy = await kept.match(request);
  if (copy) return copy;
  const answer = await fetch(request);
  if (isOurFile(answer, request.url)) event.waitUntil(store(FILES, request.url, answer.clone(), MAX_FILES));
  return answer;
}

// Deletes responses of other servers that an earlier version stored.
async function sweep() {
  for (const [name, isGood] of [[PAGES, isOurPage], [FILES, isOurFile]]) {
    const kept = await caches.open(name);
    for (const key of await kept.keys()) {
      const answer = await kept.match(key);
      if (!answer || !isGood(answer, key.url)) await kept.delete(key);
    }
  }
}

async function refresh(href) {
  const url = new URL(href);
  if (!isRoom(url)) return;
  await Promise.all([fetchCopy(url.pathname), fetchCopy(OFFLINE)]);
}

async function fetchCopy(path) {
  const asked = ++moment;
  const answer = await fetch(path, { credentials: "same-origin", cache: "no-store" }).catch(() => undefined);
  if (answer && isOurPage(answer)) await storePage(path, answer, asked);
}

// Deletes the copy of a room, of which messages have expired.
async function forget(path) {
  const kept = await caches.open(PAGES);
  await kept.delete(path);
}

// Requests and changes of the user, counted in their order, and when the user last changed.
let moment = 0;
let changed = 0;

// Returns a function that runs tasks one after the other.
function turns() {
  let last = Promise.resolve();
  return (task) => {
    const turn = last.then(task);
    last = turn.catch(() => {});
    return turn;
  };
}

const storing = turns();
const notifying = turns();

// Copies belong to one user. When the user changes, all copies are deleted. Pages are stored one after the other, so that
// none of the previous user comes between.
async function storePage(path, answer, asked) {
  const isAnother = await storing(() => storeInTurn(path, answer, asked));
  if (isAnother && path !== OFFLINE) await fetchCopy(OFFLINE);
}

// Returns true if the user has changed.
async function storeInTurn(path, answer, asked) {
  const person = answer.headers.get("hubbub-person");
  const owner = await caches.open(OWNER);
  const before = await (await owner.match("/"))?.text();
  const isAnother = before !== person;
  // The previous user has asked for it.
  if (isAnother && asked < changed) return false;
  if (isAnother) {
    changed = ++moment;
    await caches.delete(PAGES);
    await owner.put("/", new Response(person));
  }
  await store(PAGES, path, answer, MAX_PAGES);
  return isAnother;
}

// Stores a response and evicts the oldest ones.
async function store(name, key, answer, most) {
  const kept = await caches.open(name);
  await kept.delete(key);
  await kept.put(key, answer);
  const keys = await kept.keys();
  await Promise.all(keys.slice(0, Math.max(0, keys.length - most)).map((old) => kept.delete(old)));
}

// Every inactive tab reports a message. It is shown once, and not while another window of the app has the focus.
const notified = new Map();

async function notify({ title, options, seq, rings }, sender) {
  const windows = await self.clients.matchAll({ type: "window" });
  if (windows.some((client) => client.id !== sender?.id && client.focused && client.visibilityState === "visible")) return;
  if (notified.get(options.tag) >= seq) return;
  notified.set(options.tag, seq);
  await notifying(() => self.registration.showNotification(title, options));
  if (rings) sender?.postMessage("ring");
}

// Closes the notifications of messages that were read up to `seq`, or, with `only`, of a single deleted message.
async function withdraw({ tag, seq, only }) {
  for (const shown of await openNotifications({ tag })) {
    const at = Number(shown.data?.split("#m")[1]);
    if (only ? at === seq : at <= seq) shown.close();
  }
}

// Chromium forgets a notification that appears while the open ones are listed.
function openNotifications(filter) {
  return notifying(() => self.registration.getNotifications(filter));
}

async function openRoom(path) {
  const windows = await self.clients.matchAll({ type: "window" });
  const room = path.split("#")[0];
  const there = windows.find((client) => new URL(client.url).pathname === room);
  if (!there) return self.clients.openWindow(path);
  await there.focus();
  return there.navigate(path);
}
