// Keeps the rooms that were seen last, for when there is no network. With a network everything comes from the
// server, so nobody ever gets an old page by it: what is kept is only a copy.

const PAGES = "hubbub-pages";
const FILES = "hubbub-files";
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

// Somebody has turned away from a page: its copy is brought up to date.
self.addEventListener("message", (event) => {
  if (event.data === "refresh" && event.source?.url) event.waitUntil(refresh(event.source.url));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(show(event.notification.data || "/"));
});

function isRoom(url) {
  return url.pathname === "/" || /^\/r\/[a-z0-9-]+$/.test(url.pathname);
}

async function page(event, request, url) {
  try {
    const answer = await fetch(request);
    if (answer.ok && isRoom(url) && !url.search) event.waitUntil(keep(PAGES, url.pathname, answer.clone(), PAGES_MOST));
    return answer;
  } catch (error) {
    const kept = await caches.open(PAGES);
    const copy = (isRoom(url) && (await kept.match(url.pathname))) || (await kept.match(OFFLINE));
    if (copy) return copy;
    throw error;
  }
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
  if (answer?.ok) await keep(PAGES, path, answer, PAGES_MOST);
}

// The newest stand last; the oldest go.
async function keep(name, key, answer, most) {
  const kept = await caches.open(name);
  await kept.delete(key);
  await kept.put(key, answer);
  const keys = await kept.keys();
  await Promise.all(keys.slice(0, Math.max(0, keys.length - most)).map((old) => kept.delete(old)));
}

async function show(path) {
  const windows = await self.clients.matchAll({ type: "window" });
  const room = path.split("#")[0];
  const there = windows.find((client) => new URL(client.url).pathname === room);
  if (there) return there.focus();
  return self.clients.openWindow(path);
}
