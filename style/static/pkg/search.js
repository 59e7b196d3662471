// The search while the user types: on its own page, and in a dialog over a room, which `open` makes of that page. The server
// renders the results; without this script the form loads the page.

const DELAY_MS = 200;

const parsed = async (url, signal) => {
  const answer = await fetch(url, { headers: { accept: "text/html" }, signal });
  return new DOMParser().parseFromString(await answer.text(), "text/html");
};

// The server writes times in UTC.
function localize(results) {
  const format = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
  for (const time of results.querySelectorAll("time")) time.textContent = format.format(new Date(time.dateTime));
}

function follow(root, onFound) {
  const form = root.querySelector(".search-form");
  const field = form.elements.q;
  const results = root.querySelector("#search-results");
  const status = root.querySelector("#search-status");
  let timer;
  let running;

  async function search() {
    running?.abort();
    const { signal } = (running = new AbortController());
    const url = `${form.action}?${new URLSearchParams(new FormData(form))}`;
    results.ariaBusy = "true";
    try {
      const page = await parsed(url, signal);
      const found = page.getElementById("search-results");
      // Another answer, such as one that there were too many requests, leaves what is there.
      if (!found) return;
      localize(found);
      results.replaceChildren(...found.childNodes);
      status.textContent = page.getElementById("search-status").textContent;
      onFound(url);
    } catch (error) {
      if (error.name !== "AbortError") console.error(error);
    } finally {
      if (!signal.aborted) results.ariaBusy = null;
    }
  }

  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, DELAY_MS);
  });
  // Over a room the results come here, and the room stays.
  form.addEventListener("submit", (submit) => {
    if (!form.closest(".dialog")) return;
    submit.preventDefault();
    clearTimeout(timer);
    search();
  });
  root.addEventListener("keydown", (key) => {
    if (key.key !== "ArrowDown" && key.key !== "ArrowUp") return;
    const stops = [field, ...results.querySelectorAll("a")];
    const at = stops.indexOf(document.activeElement);
    const next = stops[at + (key.key === "ArrowDown" ? 1 : -1)];
    if (at < 0 || !next) return;
    key.preventDefault();
    next.focus();
  });
  localize(results);
}

let dialog;

// Opens the search over the page, with the form and the help of the page of the search at `url`.
export async function open(url) {
  if (!dialog) {
    const page = await parsed(url);
    const parts = [".search-form", "#search-status", "#search-results"].map((part) => page.querySelector(part));
    if (parts.includes(null)) return location.assign(url);
    dialog = document.createElement("section");
    dialog.id = "search";
    dialog.className = "dialog";
    dialog.popover = "auto";
    dialog.role = "dialog";
    dialog.ariaLabel = page.querySelector("h1").textContent;
    dialog.append(...parts);
    // A field of this kind takes the first Escape to clear itself.
    dialog.addEventListener("keydown", (key) => {
      if (key.key !== "Escape") return;
      key.preventDefault();
      dialog.hidePopover();
    });
    document.body.append(dialog);
    follow(dialog, () => {});
  }
  dialog.showPopover();
  dialog.querySelector("input").select();
}

const page = document.querySelector(".search-page");
if (page) follow(page, (url) => history.replaceState(null, "", url));
