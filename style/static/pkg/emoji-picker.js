// The picker of emoji: loaded when it is opened for the first time. It fetches the names of the emoji itself.
//
// For a message it only marks itself with the message: the page handles the click on an emoji. For the composer it passes the
// emoji to whoever has opened it.

const picker = document.getElementById("emoji-picker");
const search = picker.querySelector("input");
const groups = picker.querySelector(".emoji-groups");

const RECENT = "hubbub/choice/emoji";
const MAX_RECENT = 24;

let opener;
let onPick;
let all;

export function recent() {
  try {
    return JSON.parse(localStorage.getItem(RECENT) ?? "[]").filter((used) => typeof used === "string" && used.length <= 32);
  } catch {
    return [];
  }
}

function remember(used) {
  try {
    localStorage.setItem(RECENT, JSON.stringify([used, ...recent().filter((other) => other !== used)].slice(0, MAX_RECENT)));
  } catch {
    // Without storage there are no recent ones.
  }
}

function button(emoji, name) {
  const button = document.createElement("button");
  Object.assign(button, { type: "button", tabIndex: -1, textContent: emoji, title: name });
  button.setAttribute("aria-label", name);
  button.dataset.react = emoji;
  return button;
}

function group(entries, label) {
  const section = document.createElement("section");
  if (label) section.append(Object.assign(document.createElement("h3"), { textContent: label }));
  const grid = document.createElement("div");
  grid.append(...entries.map(([emoji, name]) => button(emoji, name.replaceAll("_", " "))));
  section.append(grid);
  return section;
}

async function load() {
  all ??= await fetch(picker.dataset.emoji)
    .then((answer) => (answer.ok ? answer.text() : Promise.reject(answer.status)))
    .then((text) => text.trim().split("\n\n").map((part) => part.split("\n").map((line) => line.split("\t"))))
    .catch(() => undefined);
  return all ?? [];
}

// Returns the entries that have the sought words, the best first.
function ranked(entries, sought) {
  const rank = ([emoji, name, words]) => {
    const spoken = name.replaceAll("_", " ");
    if (emoji === sought || spoken === sought) return 0;
    if (spoken.startsWith(sought)) return 1;
    return spoken.includes(sought) ? 2 : words.toLowerCase().includes(sought) ? 3 : 4;
  };
  const found = entries.map((entry) => [rank(entry), entry]).filter(([place]) => place < 4);
  return found.sort(([one], [other]) => one - other).map(([, entry]) => entry);
}

async function fill() {
  const sought = search.value.trim().toLowerCase();
  const known = await load();
  if (sought !== search.value.trim().toLowerCase()) return;
  const entries = known.flat();
  const found = search.value ? ranked(entries, sought) : entries;
  const names = new Map(entries.map(([emoji, name]) => [emoji, name]));
  const used = recent().map((emoji) => [emoji, names.get(emoji) ?? emoji]);
  const sections = sought ? [group(found)] : [used.length ? group(used, picker.dataset.recent) : undefined, ...known.map((entries) => group(entries))];
  const none = Object.assign(document.createElement("p"), { textContent: picker.dataset.none });
  groups.replaceChildren(...(found.length ? sections.filter(Boolean) : [none]));
  groups.scrollTop = 0;
  const first = groups.querySelector("button");
  if (first) first.tabIndex = 0;
}

// Opens the picker beside an element: for the message `seq`, or for a function that takes the emoji.
export function open(beside, seq, pick) {
  opener = document.activeElement;
  onPick = pick;
  if (seq) picker.dataset.seq = seq;
  else delete picker.dataset.seq;
  search.value = "";
  picker.showPopover();
  const { top, bottom, right } = beside.getBoundingClientRect();
  const { height, width } = picker.getBoundingClientRect();
  const below = bottom + height <= innerHeight ? bottom : Math.max(8, Math.min(top - height, innerHeight - height - 8));
  picker.style.setProperty("--top", `${below}px`);
  picker.style.setProperty("--left", `${Math.max(8, Math.min(right - width, innerWidth - width - 8))}px`);
  fill();
  search.focus();
}

function close() {
  if (!picker.matches(":popover-open")) return;
  const hadFocus = picker.contains(document.activeElement);
  picker.hidePopover();
  groups.replaceChildren();
  if (hadFocus && opener?.isConnected) opener.focus();
}

function move(from, key) {
  const buttons = [...groups.querySelectorAll("button")];
  const at = buttons.indexOf(from);
  const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
  let to = buttons[at + step];
  if (key === "Home") to = buttons[0];
  if (key === "End") to = buttons.at(-1);
  if (["ArrowDown", "ArrowUp"].includes(key)) {
    const { top, left } = from.getBoundingClientRect();
    const rest = key === "ArrowDown" ? buttons.slice(at + 1) : buttons.slice(0, at).reverse();
    const isOtherRow = (button) => Math.abs(button.getBoundingClientRect().top - top) > 8;
    const next = rest.find(isOtherRow);
    const row = next && rest.filter((button) => Math.abs(button.getBoundingClientRect().top - next.getBoundingClientRect().top) <= 8);
    to = row?.reduce((one, other) => (Math.abs(other.getBoundingClientRect().left - left) < Math.abs(one.getBoundingClientRect().left - left) ? other : one));
    if (!to && key === "ArrowUp") return search.focus();
  }
  if (!to) return;
  from.tabIndex = -1;
  to.tabIndex = 0;
  to.focus();
}

search.addEventListener("input", fill);
addEventListener("pointerdown", ({ target }) => picker.contains(target) || close());
picker.addEventListener("keydown", (key) => {
  const { target } = key;
  if (key.isComposing) return;
  if (key.key === "Escape") close();
  else if (target === search && key.key === "ArrowDown") groups.querySelector("button")?.focus();
  else if (target === search && key.key === "Enter") groups.querySelector("button")?.click();
  else if (target !== search && /^(Arrow|Home|End)/.test(key.key)) move(target, key.key);
  else return;
  key.preventDefault();
  key.stopPropagation();
});
// The app sees the click first, while the picker still has the message.
picker.addEventListener("click", ({ target }) => {
  const emoji = target.closest("[data-react]")?.dataset.react;
  if (!emoji) return;
  remember(emoji);
  onPick?.(emoji);
  setTimeout(close);
});
