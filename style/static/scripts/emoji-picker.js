// This script is the emoji picker, which the page loads when the user opens it for the first time. The picker fetches the
// names of the emoji itself.
//
// For a message the picker only marks itself with the message, and the page handles the click on an emoji. For the composer
// the picker passes the emoji to a function.

const picker = document.getElementById("emoji-picker");
const search = picker.querySelector("input");
const groups = picker.querySelector(".emoji-groups");

const RECENT_KEY = "hubbub/choice/emoji";
const MAX_RECENT = 24;

let opener;
let onPick;
let emojiGroups;

export function readRecentEmoji() {
  try {
    return JSON.parse(localStorage.getItem(RECENT_KEY) ?? "[]").filter((used) => typeof used === "string" && used.length <= 32);
  } catch {
    return [];
  }
}

export function addRecentEmoji(used) {
  try {
    localStorage.setItem(RECENT_KEY, JSON.stringify([used, ...readRecentEmoji().filter((other) => other !== used)].slice(0, MAX_RECENT)));
  } catch {
    // Without storage there are no recent emoji.
  }
}

function createButton(emoji, name) {
  const button = document.createElement("button");
  Object.assign(button, { type: "button", tabIndex: -1, textContent: emoji, title: name });
  button.setAttribute("aria-label", name);
  button.dataset.react = emoji;
  return button;
}

function createGroup(entries, label) {
  const section = document.createElement("section");
  if (label) section.append(Object.assign(document.createElement("h3"), { textContent: label }));
  const grid = document.createElement("div");
  grid.append(...entries.map(([emoji, name]) => createButton(emoji, name.replaceAll("_", " "))));
  section.append(grid);
  return section;
}

async function loadEmoji() {
  emojiGroups ??= await fetch(picker.dataset.emoji)
    .then((answer) => (answer.ok ? answer.text() : Promise.reject(answer.status)))
    .then((text) => text.trim().split("\n\n").map((part) => part.split("\n").map((line) => line.split("\t"))))
    .catch(() => undefined);
  return emojiGroups ?? [];
}

// Returns the entries that have the sought words. The best match comes first.
function rankEntries(entries, sought) {
  const rankEntry = ([emoji, name, words]) => {
    const spoken = name.replaceAll("_", " ");
    if (emoji === sought || spoken === sought) return 0;
    if (spoken.startsWith(sought)) return 1;
    return spoken.includes(sought) ? 2 : words.toLowerCase().includes(sought) ? 3 : 4;
  };
  const found = entries.map((entry) => [rankEntry(entry), entry]).filter(([place]) => place < 4);
  return found.sort(([one], [other]) => one - other).map(([, entry]) => entry);
}

async function fillGroups() {
  const sought = search.value.trim().toLowerCase();
  const known = await loadEmoji();
  if (sought !== search.value.trim().toLowerCase()) return;
  const entries = known.flat();
  const found = search.value ? rankEntries(entries, sought) : entries;
  const names = new Map(entries.map(([emoji, name]) => [emoji, name]));
  const used = readRecentEmoji().map((emoji) => [emoji, names.get(emoji) ?? emoji]);
  const sections = sought ? [createGroup(found)] : [used.length ? createGroup(used, picker.dataset.recent) : undefined, ...known.map((entries) => createGroup(entries))];
  const none = Object.assign(document.createElement("p"), { textContent: picker.dataset.none });
  groups.replaceChildren(...(found.length ? sections.filter(Boolean) : [none]));
  groups.scrollTop = 0;
  const first = groups.querySelector("button");
  if (first) first.tabIndex = 0;
}

// Opens the picker beside an element, either for the message `seq` or for the function `pick`, which takes the emoji.
export function openPicker(beside, seq, pick) {
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
  fillGroups();
  search.focus();
}

function closePicker() {
  if (!picker.matches(":popover-open")) return;
  const hadFocus = picker.contains(document.activeElement);
  picker.hidePopover();
  groups.replaceChildren();
  if (hadFocus && opener?.isConnected) opener.focus();
}

function moveFocus(from, key) {
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

search.addEventListener("input", fillGroups);
addEventListener("pointerdown", ({ target }) => picker.contains(target) || closePicker());
picker.addEventListener("keydown", (key) => {
  const { target } = key;
  if (key.isComposing) return;
  if (key.key === "Escape") closePicker();
  else if (target === search && key.key === "ArrowDown") groups.querySelector("button")?.focus();
  else if (target === search && key.key === "Enter") groups.querySelector("button")?.click();
  else if (target !== search && /^(Arrow|Home|End)/.test(key.key)) moveFocus(target, key.key);
  else return;
  key.preventDefault();
  key.stopPropagation();
});
// The app handles the click first, while the picker still has the message.
picker.addEventListener("click", ({ target }) => {
  const emoji = target.closest("[data-react]")?.dataset.react;
  if (!emoji) return;
  addRecentEmoji(emoji);
  onPick?.(emoji);
  setTimeout(closePicker);
});
