// Keeps the rooms that were seen last, for when there is no network. With a network everything comes from the
// server, so nobody ever gets an old page by it: what is kept is only a copy.

// The path below which the browser sees the server: where this script comes from. Empty for the root.
const BASE = new URL("./", self.location).pathname.slice(0, -1);
const PAGES = `hubbub-pages${BASE}`;
const FILES = `hubbub-files${BASE}`;
const WHOSE = `hubbub-whose${BASE}`;
const PAGES_MOST = 20;
const FILES_MOST = 24;

const OFFLINE = `${BASE}/offline`;

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(renew(OFFLINE));
});
self.addEventListener("activate", (event) => event.waitUntil(Promise.all([self.clients.claim(), sweep()])));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate") event.respondWith(page(event, request, url));
  // Their names carry their hash: what is under a name never changes.
  else if (url.pathname.startsWith(`${BASE}/pkg/`)) event.respondWith(file(event, request));
});

self.addEventListener("message", (event) => {
  // Somebody has turned away from a page: its copy is brought up to date.
  if (event.data === "refresh" && event.source?.url) event.waitUntil(refresh(event.source.url));
  else if (event.data?.notify) event.waitUntil(tell(event.data.notify, event.source));
  else if (event.data?.withdraw) event.waitUntil(withdraw(event.data.withdraw));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(show(event.notification.data || `${BASE}/`));
});

function isRoom(url) {
  const path = url.pathname.startsWith(`${BASE}/`) && url.pathname.slice(BASE.length);
  return path === "/" || /^\/r\/[a-z0-9-]+$/.test(path);
}

// Not every answer comes from our server: networks with a sign-in page and proxies answer in its place, some of
// them with 200. Our server says for whom an answer is.
function isOurs(answer) {
  return answer.type === "basic" && !answer.redirected && answer.headers.has("hubbub-person");
}

function isOurPage(answer) {
  return answer.status === 200 && isOurs(answer) && /^text\/html\b/.test(answer.headers.get("content-type"));
}

// A file whose name carries its hash, as our server sends it.
const TYPES = { js: /javascript/, css: /^text\/css\b/, wasm: /^application\/wasm\b/ };
function isOurFile(answer, url) {
  const type = TYPES[new URL(url).pathname.split(".").pop()];
  const lasts = /\bimmutable\b/.test(answer.headers.get("cache-control"));
  return answer.status === 200 && answer.type === "basic" && !answer.redirected && lasts && Boolean(type?.test(answer.headers.get("content-type")));
}

async function page(event, request, url) {
  // Past the browser's own cache, which may hold an answer that is not ours.
  const answer = await fetch(request, { cache: "no-store" }).catch(() => undefined);
  if (answer && isOurPage(answer) && isRoom(url) && !url.search) event.waitUntil(keepPage(url.pathname, answer.clone()));
  // A proxy that cannot reach the server is no better than no network. A network's sign-in page is shown, since
  // nothing else works before one has signed in.
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
  if (isOurFile(answer, request.url)) event.waitUntil(keep(FILES, request.url, answer.clone(), FILES_MOST));
  return answer;
}

// An earlier worker may have kept what is not ours.
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
  await Promise.all([renew(url.pathname), renew(OFFLINE)]);
}

async function renew(path) {
  const answer = await fetch(path, { credentials: "same-origin", cache: "no-store" }).catch(() => undefined);
  if (answer && isOurPage(answer)) await keepPage(path, answer);
}

// Copies belong to one person: whoever else sits here now gets none of them.
async function keepPage(path, answer) {
  const person = answer.headers.get("hubbub-person");
  const whose = await caches.open(WHOSE);
  const before = await (await whose.match("/"))?.text();
  if (before !== person) {
    await caches.delete(PAGES);
    await whose.put("/", new Response(person));
    if (path !== OFFLINE) await renew(OFFLINE);
  }
  await keep(PAGES, path, answer, PAGES_MOST);
}

// The newest stand last; the oldest go.
async function keep(name, key, answer, most) {
  const kept = await caches.open(name);
  await kept.delete(key);
  await kept.put(key, answer);
  const keys = await kept.keys();
  await Promise.all(keys.slice(0, Math.max(0, keys.length - most)).map((old) => kept.delete(old)));
}

// Every tab without attention reports a message; it is shown once, and not to a person who is at another window of
// ours.
const told = new Map();

async function tell({ title, options, seq, rings }, teller) {
  const windows = await self.clients.matchAll({ type: "window" });
  if (windows.some((client) => client.id !== teller?.id && client.focused && client.visibilityState === "visible")) return;
  if (told.get(options.tag) >= seq) return;
  told.set(options.tag, seq);
  await self.registration.showNotification(title, options);
  if (rings) teller?.postMessage("ring");
}

// A message was read, and those before it, or `only` this one was deleted: its notification closes.
async function withdraw({ tag, seq, only }) {
  for (const shown of await self.registration.getNotifications({ tag })) {
    const at = Number(shown.data?.split("#m")[1]);
    if (only ? at === seq : at <= seq) shown.close();
  }
}

async function show(path) {
  const windows = await self.clients.matchAll({ type: "window" });
  const room = path.split("#")[0];
  const there = windows.find((client) => new URL(client.url).pathname === room);
  if (!there) return self.clients.openWindow(path);
  await there.focus();
  return there.navigate(path);
}
