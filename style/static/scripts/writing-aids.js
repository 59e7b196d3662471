// This script helps to write a message: it completes the names of people and emoji, offers to format pasted code, counts near
// the limit, and marks rooms with drafts.
//
// The server renders the elements once. The app has the field, and takes over what changes in it by its input events.

const field = document.getElementById("text");
const aids = document.getElementById("writing-aids");
const list = document.getElementById("completions");
const offer = document.getElementById("code-offer");
const count = document.getElementById("count");
const countBytes = (text) => new TextEncoder().encode(text).length;

document.querySelector(".below").prepend(aids);
aids.hidden = false;

function replaceText(from, to, text) {
  field.setRangeText(text, from, to, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

// The button beside the field inserts an emoji at the caret. The button is an input, since the form has only one button, which
// sends the message.

const insertButton = Object.assign(document.createElement("input"), { type: "button", value: "☺", className: "insert", title: list.dataset.insert });
insertButton.setAttribute("aria-label", list.dataset.insert);
insertButton.setAttribute("aria-haspopup", "dialog");
// The button follows the field, so that Shift Tab moves from the field to the messages.
field.after(insertButton);
field.form.classList.add("aided");
// The picker knows which emoji the user has chosen last.
const loadPicker = () => import(document.getElementById("emoji-picker").dataset.script);
insertButton.addEventListener("click", async () => {
  const { openPicker } = await loadPicker();
  openPicker(insertButton, undefined, (emoji) => {
    replaceText(field.selectionStart, field.selectionEnd, emoji);
    field.focus();
  });
});

// The field keeps the users whom the author has chosen for names in the text, a line each. The app sends those whose names are
// in the text.
function recordMention({ name, user }) {
  const lines = new Set((field.dataset.mentions ?? "").split("\n").filter(Boolean));
  const others = [...lines].filter((line) => line.slice(user.length) !== name);
  field.dataset.mentions = [...others, user + name].slice(-20).join("\n");
}

// Completion: `@` and `:` begin a word, the arrow keys choose an option, and Enter and Tab insert it.

const MAX_OPTIONS = 6;
// A name has at most 32 characters.
const WORD_PATTERN = /(?:^|[\s(（])([@＠:：])([^@＠:：\n]{0,32})$/u;

let selected = 0;
let word;
let emojiPromise;
// Changes with each input, with Escape, and when the list closes. Options that are found after such a change are dropped: those
// of an earlier input would close the list, and those that come after Escape would open it again.
let generation = 0;

// Loads the emoji of the page's language when the first one is needed.
async function loadEmoji() {
  emojiPromise ??= fetch(list.dataset.emoji)
    .then((answer) => (answer.ok ? answer.text() : Promise.reject(answer.status)))
    .then((text) => text.split("\n").filter(Boolean).map((line) => line.split("\t")))
    .catch(() => ((emojiPromise = undefined), []));
  return emojiPromise;
}

function findPeople(begin) {
  const found = new Map();
  for (const person of document.querySelectorAll("#members li, .line .head")) {
    const name = person.querySelector("b")?.textContent;
    const user = person.querySelector("b")?.dataset.user;
    const tag = person.querySelector(".tag")?.textContent ?? "";
    const matches = name && [name, ...name.split(/\s+/)].some((part) => part.toLowerCase().startsWith(begin));
    const face = person.querySelector(".face") ?? person.parentElement.querySelector(".face");
    const isPresent = person.matches("li");
    // The list of members follows the messages in the page, so that its `isPresent` prevails.
    if (matches) found.set(name + tag, { insert: `@${name} `, label: name, tag, face, mention: user && { name, user }, ...found.get(name + tag), isPresent });
  }
  return [...found.values()];
}

async function findEmoji(begin) {
  const used = await loadPicker().then(({ readRecentEmoji }) => readRecentEmoji(), () => []);
  const rankEntry = ([character, name, words]) => {
    const place = name === begin ? 0 : name.startsWith(begin) ? 1 : name.includes(begin) ? 2 : words.includes(begin) ? 3 : 9;
    return place - (used.includes(character) ? 0.5 : 0);
  };
  const ranked = (await loadEmoji()).map((entry) => [rankEntry(entry), entry]).filter(([place]) => place < 8);
  ranked.sort(([one], [other]) => one - other);
  return ranked.slice(0, MAX_OPTIONS).map(([, [character, name]]) => ({ insert: `${character} `, label: `:${name}:`, character }));
}

async function findOptions(mark, begin) {
  if ("@＠".includes(mark)) return findPeople(begin.toLowerCase()).slice(0, MAX_OPTIONS);
  return /^[\p{L}\p{N}_+-]{2,}$/u.test(begin) ? findEmoji(begin.toLowerCase()) : [];
}

function closeOptions() {
  generation++;
  word = undefined;
  list.hidden = true;
  field.removeAttribute("aria-activedescendant");
}

function selectOption(at) {
  const options = [...list.children];
  selected = (at + options.length) % options.length;
  options.forEach((option, index) => option.setAttribute("aria-selected", String(index === selected)));
  field.setAttribute("aria-activedescendant", options[selected].id);
}

function acceptOption() {
  const { from, options } = word;
  const { insert, character, mention } = options[selected];
  if (character) loadPicker().then(({ addRecentEmoji }) => addRecentEmoji(character));
  if (mention) recordMention(mention);
  replaceText(from, field.selectionEnd, insert);
  closeOptions();
}

function showOptions(options) {
  const elements = options.map(({ label, tag, face, character, isPresent }, index) => {
    const option = document.createElement("li");
    option.id = `completion-${index}`;
    option.role = "option";
    if (face) option.append(face.cloneNode(true));
    if (character) option.append(Object.assign(document.createElement("span"), { className: "emoji", textContent: character }));
    option.append(Object.assign(document.createElement("span"), { textContent: label }));
    if (tag) option.append(Object.assign(document.createElement("small"), { className: "tag", textContent: tag }));
    if (isPresent) {
      option.classList.add("present");
      option.append(Object.assign(document.createElement("span"), { className: "visually-hidden", textContent: list.dataset.present }));
    }
    return option;
  });
  list.replaceChildren(...elements);
  list.hidden = false;
  selectOption(0);
}

async function completeWord(request) {
  const caret = field.selectionEnd;
  const found = field.selectionStart === caret && field.value.slice(0, caret).match(WORD_PATTERN);
  if (!found) return closeOptions();
  const [, mark, begin] = found;
  const options = await findOptions(mark, begin);
  if (request !== generation) return;
  // The user may have moved the caret meanwhile.
  if (caret !== field.selectionEnd || !options.length) return closeOptions();
  word = { from: caret - begin.length - mark.length, options };
  showOptions(options);
}

// A whole `:name:` becomes its emoji.
async function replaceEmojiName() {
  const caret = field.selectionEnd;
  const text = field.value;
  const found = text.slice(0, caret).match(/(?:^|[\s(（]):([\p{L}\p{N}_+-]{1,40}):$/u);
  if (!found) return;
  const entry = (await loadEmoji()).find(([, name]) => name === found[1].toLowerCase());
  if (entry && field.value === text && caret === field.selectionEnd) replaceText(caret - found[1].length - 2, caret, `${entry[0]} `);
}

// This listener runs before that of the app, for which Enter sends the message.
addEventListener(
  "keydown",
  (key) => {
    if (key.target !== field || key.isComposing || key.keyCode === 229) return;
    if (key.key === "Escape") generation++;
    if (!word) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[key.key];
    if (step) selectOption(selected + step);
    else if (key.key === "Enter" || key.key === "Tab") acceptOption();
    else if (key.key === "Escape") closeOptions();
    else return;
    key.preventDefault();
    key.stopImmediatePropagation();
  },
  true,
);
// A press must not move the focus out of the field.
list.addEventListener("pointerdown", (press) => press.preventDefault());
list.addEventListener("click", ({ target }) => {
  const at = [...list.children].indexOf(target.closest("li"));
  if (at < 0 || !word) return;
  selected = at;
  acceptOption();
});
field.addEventListener("blur", closeOptions);

// The count near the limit is in characters. Of a text with long characters fewer are left.

function updateCount() {
  const limit = Number(count.dataset.limit);
  const bytes = countBytes(field.value);
  const perCharacter = bytes / Math.max(1, [...field.value].length);
  const left = Math.floor((limit - bytes) / perCharacter);
  count.hidden = bytes < limit * 0.75;
  if (!count.hidden) count.textContent = String(left);
  count.classList.toggle("over", left < 0);
}

field.addEventListener("input", async () => {
  updateCount();
  if (!field.value) offer.hidden = true;
  const request = ++generation;
  await replaceEmojiName();
  if (request === generation) await completeWord(request);
});
updateCount();

// Pasted code has several lines, some of them indented, and no fence.

let pasted;
field.addEventListener("paste", ({ clipboardData }) => {
  const text = clipboardData?.getData("text/plain").replaceAll("\r\n", "\n") ?? "";
  const lines = text.split("\n");
  const isCode = lines.length >= 3 && lines.some((line) => /^(\t| {2,})\S/.test(line)) && !text.includes("```");
  offer.hidden = !isCode;
  if (isCode) pasted = text;
});
offer.querySelector("button").addEventListener("click", () => {
  const at = field.value.lastIndexOf(pasted);
  offer.hidden = true;
  field.focus();
  if (at < 0) return;
  const before = at > 0 && field.value[at - 1] !== "\n" ? "\n" : "";
  replaceText(at, at + pasted.length, `${before}\`\`\`\n${pasted.replace(/\n+$/, "")}\n\`\`\`\n`);
});

// A pencil marks the rooms with a draft.

function markDrafts() {
  const drafts = new Set();
  try {
    for (const key of Object.keys(localStorage)) {
      const room = key.match(/^hubbub\/room\/([^/]+)\/draft\//)?.[1];
      if (room && localStorage.getItem(key).trim()) drafts.add(room);
    }
  } catch {
    // Without storage there are no drafts.
  }
  for (const link of document.querySelectorAll("#rooms li a")) {
    const room = new URL(link.href).pathname.match(/\/r\/([^/]+)$/)?.[1] ?? "lobby";
    const hasDraft = drafts.has(room) && link.getAttribute("aria-current") !== "page";
    link.toggleAttribute("data-draft", hasDraft);
    if (hasDraft) link.title = list.dataset.draft;
    else link.removeAttribute("title");
  }
}

markDrafts();
addEventListener("storage", markDrafts);
document.addEventListener("visibilitychange", markDrafts);
