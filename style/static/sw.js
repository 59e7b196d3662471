// Keeps the rooms that were seen last, for when there is no network. With a network everything comes from the
// server, so nobody ever gets an old page by it: what is kept is only a copy.

const PAGES = "hubbub-pages";
const FILES = "hubbub-files";
const WHOSE = "hubbub-whose";
const PAGES_MOST = 20;
const FILES_MOST = 24;

const OFFLINE = "/offline";

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(renew(OFFLINE));
});
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate") event.respondWith(page(event, request, url));
  // Their names carry their hash: what is under a name never changes.
  else if (url.pathname.startsWith("/pkg/")) event.respondWith(file(event, request));
});

self.addEventListener("message", (event) => {
  // Somebody has turned away from a page: its copy is brought up to date.
  if (event.data === "refresh" && event.source?.url) event.waitUntil(refresh(event.source.url));
  else if (event.data?.notify) event.waitUntil(tell(event.data.notify, event.source));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(show(event.notification.data || "/"));
});

function isRoom(url) {
  return url.pathname === "/" || /^\/r\/[a-z0-9-]+$/.test(url.pathname);
}

async function page(event, request, url) {
  const answer = await fetch(request).catch(() => undefined);
  if (answer?.ok && isRoom(url) && !url.search) event.waitUntil(keepPage(url.pathname, answer.clone()));
  // A proxy that cannot reach the server is no better than no network.
  if (answer && ![502, 503, 504].includes(answer.status)) return answer;
  const kept = await caches.open(PAGES);
  const copy = isRoom(url) && (await kept.match(url.pathname));
  return copy || answer || (await kept.match(OFFLINE)) || Response.error();
}

async function file(event, request) {
  const kept = await caches.open(FILES);
  const copy = await kept.match(request);
  if (copy) return copy;
  const answer = await fetch(request);
  if (answer.ok) event.waitUntil(keep(FILES, request.url, answer.clone(), FILES_MOST));
  return answer;
}

async function refresh(href) {
  const url = new URL(href);
  if (!isRoom(url)) return;
  await Promise.all([renew(url.pathname), renew(OFFLINE)]);
}

async function renew(path) {
  const answer = await fetch(path, { credentials: "same-origin" }).catch(() => undefined);
  if (answer?.ok) await keepPage(path, answer);
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

// Every hidden tab hears of a message; it is told once, and to nobody who looks at another one of ours.
const told = new Map();

async function tell({ title, options, seq, rings }, teller) {
  const windows = await self.clients.matchAll({ type: "window" });
  if (windows.some((client) => client.id !== teller?.id && client.visibilityState === "visible")) return;
  if (told.get(options.tag) >= seq) return;
  told.set(options.tag, seq);
  await self.registration.showNotification(title, options);
  if (rings) teller?.postMessage("ring");
}

async function show(path) {
  const windows = await self.clients.matchAll({ type: "window" });
  const room = path.split("#")[0];
  const there = windows.find((client) => new URL(client.url).pathname === room);
  if (!there) return self.clients.openWindow(path);
  await there.focus();
  return there.navigate(path);
}
