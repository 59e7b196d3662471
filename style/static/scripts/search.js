// This script searches while the user types: on the page of the search, and in a dialog over a room, which `openDialog` makes
// of that page. The server renders the results; without this script the form loads the page. The dialog is also the switcher:
// above the messages it shows the rooms of the list whose titles match.

const DEBOUNCE_MS = 200;
const MAX_ROOMS = 6;

const fetchDocument = async (url, signal) => {
  const answer = await fetch(url, { headers: { accept: "text/html" }, signal });
  return new DOMParser().parseFromString(await answer.text(), "text/html");
};

// The server writes times in UTC.
function localizeTimes(results) {
  const format = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
  for (const time of results.querySelectorAll("time")) time.textContent = format.format(new Date(time.dateTime));
}

// An input method handles the key. Safari sends the key that ends a composition after it, with this code.
const isComposition = (key) => key.isComposing || key.keyCode === 229;

const foldText = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

// Returns the entries of the list of rooms whose titles have each of the words. Rooms with mentions come first, then those
// with unread messages; within these groups the order is that of the list.
function findRooms(text) {
  const words = foldText(text).split(/\s+/).filter(Boolean);
  const hasAllWords = (title) => words.every((word) => title.includes(word));
  const rankRoom = (link) => (link.querySelector(".mentions") ? 0 : link.classList.contains("unread") ? 1 : 2);
  const links = [...document.querySelectorAll("#rooms li:not([hidden]) > a:not([aria-current])")];
  return links
    .filter((link) => hasAllWords(foldText(link.querySelector(".title").textContent)))
    .sort((a, b) => rankRoom(a) - rankRoom(b))
    .slice(0, MAX_ROOMS)
    .map((link) => link.parentElement.cloneNode(true));
}

function enableLiveSearch(root, onFound) {
  const form = root.querySelector(".search-form");
  const field = form.elements.q;
  const results = root.querySelector("#search-results");
  const status = root.querySelector("#search-status");
  let timer;
  let running;

  async function updateResults() {
    running?.abort();
    const { signal } = (running = new AbortController());
    const url = `${form.action}?${new URLSearchParams(new FormData(form))}`;
    results.ariaBusy = "true";
    try {
      const page = await fetchDocument(url, signal);
      const found = page.getElementById("search-results");
      // Another answer says, for example, that there are too many requests.
      if (!found) return showFailure();
      localizeTimes(found);
      results.replaceChildren(...found.childNodes);
      status.textContent = page.getElementById("search-status").textContent;
      onFound(url);
    } catch (error) {
      if (signal.aborted) return;
      console.error(error);
      showFailure();
    } finally {
      if (!signal.aborted) results.ariaBusy = null;
    }
  }

  // What was found before does not answer the query.
  function showFailure() {
    results.replaceChildren();
    status.textContent = status.dataset.failed;
  }

  field.addEventListener("input", () => {
    showRooms?.();
    clearTimeout(timer);
    timer = setTimeout(updateResults, DEBOUNCE_MS);
  });
  // Over a room the dialog shows the results, and the page stays.
  form.addEventListener("submit", (submit) => {
    if (!form.closest(".dialog")) return;
    submit.preventDefault();
    clearTimeout(timer);
    const room = isSwitching && rooms.querySelector("a");
    if (room) room.click();
    else updateResults();
  });
  root.addEventListener("keydown", (key) => {
    if ((key.key !== "ArrowDown" && key.key !== "ArrowUp") || isComposition(key)) return;
    const stops = [field, ...root.querySelectorAll("li a")];
    const at = stops.indexOf(document.activeElement);
    const next = stops[at + (key.key === "ArrowDown" ? 1 : -1)];
    if (at < 0 || !next) return;
    key.preventDefault();
    next.focus();
  });
  localizeTimes(results);
}

let dialog;
let loading;
let rooms;
let showRooms;
let isSwitching = false;

// Makes the dialog of the form and the help of the page of the search at `url`.
async function createDialog(url) {
  const page = await fetchDocument(url);
  const parts = [".search-form", "#search-status", "#search-results"].map((part) => page.querySelector(part));
  if (parts.includes(null)) return location.assign(url);
  dialog = document.createElement("section");
  dialog.id = "search";
  dialog.className = "dialog";
  dialog.popover = "auto";
  dialog.role = "dialog";
  dialog.ariaLabel = page.querySelector("h1").textContent;
  rooms = document.createElement("ul");
  rooms.className = "directory found-rooms";
  rooms.ariaLabel = document.querySelector("#rooms").ariaLabel;
  const [form, status, results] = parts;
  dialog.append(form, rooms, status, results);
  showRooms = () => {
    const { value } = form.elements.q;
    rooms.replaceChildren(...(isSwitching || value.trim() ? findRooms(value) : []));
  };
  // The browser clears a search field at the first Escape instead of closing the dialog.
  dialog.addEventListener("keydown", (key) => {
    if (key.key !== "Escape" || isComposition(key)) return;
    key.preventDefault();
    dialog.hidePopover();
  });
  document.body.append(dialog);
  enableLiveSearch(dialog, () => {});
}

// Opens the search over the page. The switcher shows rooms before the user types, and Enter opens the first one. Calls while
// the dialog is loading wait for the same one.
export async function openDialog(url, isSwitcher = false) {
  isSwitching = isSwitcher;
  if (!dialog) {
    loading ??= createDialog(url).finally(() => (loading = undefined));
    await loading;
  }
  // The page of the search opens instead.
  if (!dialog) return;
  showRooms();
  if (!dialog.matches(":popover-open")) dialog.showPopover();
  dialog.querySelector("input").select();
}

const page = document.querySelector(".search-page");
if (page) enableLiveSearch(page, (url) => history.replaceState(null, "", url));
