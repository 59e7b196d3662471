// What a user can do with a message: a bar on the row under the pointer or with the focus, and a menu with everything. The
// list of messages is one stop of the Tab key; within it the arrow keys and letters work.
//
// The server renders the bar and the menu once. The app handles the buttons "reply" and "unread" and the reactions itself;
// `copyText` is in app/src/copy.js.

const lines = document.querySelector(".lines");
const bar = document.getElementById("message-bar");
const menu = document.getElementById("message-menu");
const picker = document.getElementById("emoji-picker");
const composer = document.getElementById("text");
const status = document.getElementById("action-status");

const LONG_PRESS_MS = 500;
// The browser may still send a click after a long press.
const CLICK_SUPPRESSION_MS = 400;
const SWIPE_PX = 64;
const FOCUSABLE = ".text a, .text summary, .text pre, .text button, .quote, .reaction, .timestamp, .menu > summary, .message-bar button";

const isMessage = (row) => /^m\d+$/.test(row?.id) && !row.matches(".deleted, [data-editing]");
const seqOf = (row) => row.id.slice(1);
const rowOf = (seq) => document.getElementById(`m${seq}`);
const textOf = (row) => row.querySelector(".text").innerText.trimEnd();
const isOwn = (row) => row.querySelector(".menu textarea")?.readOnly === false;
const inText = (element) => element.matches("input, textarea, select");

// The bar is being moved, and the focus leaves it.
let isMoving = false;

function show(row) {
  const body = isMessage(row) ? row.querySelector(".message-body") : null;
  if (isMoving || bar.parentElement === body) return;
  isMoving = true;
  bar.remove();
  if (body) {
    bar.dataset.seq = seqOf(row);
    bar.hidden = false;
    body.append(bar);
  }
  isMoving = false;
}

function say(sentence) {
  status.textContent = sentence;
}

async function copy(text, button) {
  const isCopied = await copyText(text, button);
  say(isCopied ? bar.dataset.copied : bar.dataset.failed);
  button.classList.toggle("done", isCopied);
  if (button.dataset.invite !== undefined && isCopied) showCopied(button, bar.dataset.copied);
  setTimeout(() => (say(""), button.classList.remove("done")), 2000);
}

function insert(text) {
  composer.focus();
  composer.setRangeText(text, composer.value.length, composer.value.length, "end");
  composer.dispatchEvent(new Event("input", { bubbles: true }));
}

const actions = {
  link: (row, button) => copy(row.querySelector(".timestamp").href, button),
  text: (row, button) => copy(textOf(row), button),
  quote(row) {
    const before = composer.value && !composer.value.endsWith("\n") ? "\n" : "";
    insert(`${before}${textOf(row).replace(/^/gm, "> ")}\n\n`);
  },
  edit(row) {
    const field = row.querySelector(".menu textarea");
    row.querySelector(".menu").open = true;
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
  },
  delete: (row) => document.getElementById(`delete-${seqOf(row)}`).requestSubmit(),
  react: (row, button) => openPicker(button.checkVisibility() ? button : row, seqOf(row)),
  unread(row) {
    menu.dataset.seq = seqOf(row);
    menu.querySelector("[data-action=unread]").click();
  },
  author: (row) => location.assign(`${bar.dataset.room}/${seqOf(row)}/author`),
  more: (row, button) => openMenu(row, button),
};

async function openPicker(beside, seq, pick) {
  const { open } = await import(picker.dataset.script);
  open(beside, seq, pick);
}

// Reactions. The app sends them; a page of older messages has no connection, and submits a form.

const isHistory = document.querySelector(".history-footer") !== null;

function submitReaction(seq, emoji) {
  const given = document.querySelector(`#m${seq} [data-react="${CSS.escape(emoji)}"]`);
  if (given?.form) return given.form.requestSubmit(given);
  const form = Object.assign(document.createElement("form"), { method: "post", hidden: true });
  form.action = `${bar.dataset.room}/${seq}/react`;
  form.append(Object.assign(document.createElement("input"), { name: "give", value: emoji }));
  document.body.append(form);
  form.submit();
}

document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-react]");
  const seq = button?.closest("[data-seq]")?.dataset.seq;
  if (!seq) return;
  const isPill = button.form !== null;
  if (menu.contains(button)) closeMenu();
  if (isHistory) return isPill || submitReaction(seq, button.dataset.react);
  // A pill that nobody gives any more disappears with the focus.
  const hadFocus = isPill && button === document.activeElement;
  setTimeout(() => {
    const pill = rowOf(seq)?.querySelector(`.reaction[data-react="${CSS.escape(button.dataset.react)}"]`);
    if (hadFocus && document.activeElement === document.body) (pill ?? rowOf(seq))?.focus();
    if (pill?.ariaPressed === "true") pill.classList.add("pop");
    pill?.addEventListener("animationend", () => pill.classList.remove("pop"), { once: true });
  }, 50);
});

function run(name, row, button) {
  if (name === "reply") return bar.querySelector("[data-action=reply]").click();
  actions[name](row, button);
}

document.addEventListener("click", (click) => {
  const invite = click.target.closest("[data-invite]");
  if (invite) copy(document.getElementById("share").value, invite);
  const button = click.target.closest("[data-action]");
  const row = button && rowOf(button.closest("[data-seq]")?.dataset.seq);
  if (!row) return;
  const name = button.dataset.action;
  if (name === "unread") closeMenu();
  else if (menu.contains(button) && !["link", "text"].includes(name)) menu.hidePopover();
  if (name === "unread") say(bar.dataset.unread);
  else if (name !== "reply") run(name, row, button);
});

// The menu: beside the row on a desktop, at the lower edge of a phone.

let opener;

function openMenu(row, button) {
  show(row);
  menu.dataset.seq = seqOf(row);
  const field = row.querySelector(".menu textarea");
  menu.querySelector("[data-action=edit]").hidden = !field || field.readOnly;
  menu.querySelector("[data-action=delete]").hidden = !field;
  menu.querySelector("[data-action=unread]").hidden = isOwn(row);
  menu.querySelector("[data-action=author]").hidden = isOwn(row);
  opener = document.activeElement;
  menu.showPopover();
  const { top, bottom, right } = (button ?? row).getBoundingClientRect();
  const { height, width } = menu.getBoundingClientRect();
  menu.style.setProperty("--top", `${bottom + height > innerHeight ? Math.max(8, top - height) : bottom}px`);
  menu.style.setProperty("--left", `${Math.max(8, right - width)}px`);
  menu.querySelector("[role=menuitem]").focus();
}

function closeMenu() {
  if (!menu.matches(":popover-open")) return;
  menu.hidePopover();
  if (opener?.isConnected) opener.focus();
}

addEventListener("pointerdown", ({ target }) => menu.contains(target) || closeMenu());
menu.addEventListener("keydown", (key) => {
  // The emoji stand in one row, above the items.
  const emoji = [...menu.querySelectorAll(".quick-reactions button")];
  const inRow = emoji.indexOf(document.activeElement);
  const items = [emoji[Math.max(inRow, 0)], ...menu.querySelectorAll("[role=menuitem]:not([hidden])")];
  const step = { ArrowDown: 1, ArrowUp: -1 }[key.key];
  const stepInRow = inRow < 0 ? 0 : { ArrowRight: 1, ArrowLeft: -1 }[key.key];
  if (key.key === "Escape" || key.key === "Tab") closeMenu();
  else if (step) items.at((items.indexOf(document.activeElement) + step) % items.length).focus();
  else if (stepInRow) emoji.at((inRow + stepInRow) % emoji.length).focus();
  else return;
  key.preventDefault();
  key.stopPropagation();
});

// The pointer: hover, long press, swipe.

const isOpen = () => [menu, picker].some((popover) => popover.matches(":popover-open"));

lines.addEventListener("pointerover", ({ target, pointerType }) => {
  if (pointerType === "mouse" && !isOpen()) show(target.closest(".line"));
});
lines.addEventListener("pointerleave", () => {
  if (!isOpen() && !bar.contains(document.activeElement)) show();
});

let press;
const endPress = () => {
  clearTimeout(press?.timer);
  press = undefined;
};
lines.addEventListener("pointerdown", ({ target, pointerType, clientX, clientY }) => {
  const row = target.closest(".line");
  endPress();
  if (pointerType !== "touch" || !isMessage(row)) return;
  const timer = setTimeout(() => {
    openMenu(row);
    menu.classList.add("pressed");
    const release = () => setTimeout(() => menu.classList.remove("pressed"), CLICK_SUPPRESSION_MS);
    for (const end of ["pointerup", "pointercancel"]) addEventListener(end, release, { once: true });
    endPress();
  }, LONG_PRESS_MS);
  press = { row, timer, x: clientX, y: clientY };
});
lines.addEventListener("pointermove", ({ clientX, clientY }) => {
  if (!press) return;
  const [x, y] = [clientX - press.x, Math.abs(clientY - press.y)];
  if (Math.abs(x) > 10 || y > 10) clearTimeout(press.timer);
  if (x > SWIPE_PX && y < x / 2) {
    const { row } = press;
    endPress();
    show(row);
    run("reply", row);
  }
});
for (const end of ["pointerup", "pointercancel"]) lines.addEventListener(end, endPress);
// Else the browser sends a click, and moves the focus out of the menu.
lines.addEventListener("touchend", (end) => menu.classList.contains("pressed") && end.cancelable && end.preventDefault());
lines.addEventListener("contextmenu", (event) => {
  if (event.pointerType === "touch" && isMessage(event.target.closest(".line"))) event.preventDefault();
});

// The keyboard. One row can be reached with Tab: the newest, or the one with the focus.

let current;

function setCurrent(row) {
  if (row === current) return;
  current?.setAttribute("tabindex", "-1");
  row?.setAttribute("tabindex", "0");
  current = row;
}

function focusRow(row) {
  if (!row) return;
  setCurrent(row);
  row.focus();
  row.scrollIntoView({ block: "nearest" });
}

const visibleRows = () => [...lines.querySelectorAll(".line:not([hidden])")];

function prepare(nodes) {
  for (const node of nodes) {
    if (node.nodeType !== Node.ELEMENT_NODE) continue;
    for (const element of [node, ...node.querySelectorAll(FOCUSABLE)]) {
      if (element.matches(FOCUSABLE)) element.tabIndex = -1;
    }
  }
  const isFocused = current?.isConnected && current.contains(document.activeElement);
  if (!isFocused) setCurrent(lines.lastElementChild ?? undefined);
}

prepare([lines]);
lines.closest(".scroller").tabIndex = -1;
new MutationObserver((changes) => changes.forEach((change) => prepare(change.addedNodes))).observe(lines, { childList: true, subtree: true });

lines.addEventListener("focusin", ({ target }) => {
  const row = target.closest(".line");
  setCurrent(row);
  show(row);
});
lines.addEventListener("focusout", ({ relatedTarget }) => {
  if (![lines, menu, picker].some((part) => part.contains(relatedTarget))) show();
});

function move(row, key) {
  const rows = visibleRows();
  const at = rows.indexOf(row);
  const to = { ArrowUp: at - 1, ArrowDown: at + 1, PageUp: at - 10, PageDown: at + 10, Home: 0, End: rows.length - 1 }[key];
  if (key === "ArrowDown" && at === rows.length - 1) composer.focus();
  else focusRow(rows[Math.min(Math.max(to, 0), rows.length - 1)]);
}

function moveWithin(row, target, step) {
  const stops = [...row.querySelectorAll(FOCUSABLE)].filter((element) => element.checkVisibility());
  const at = stops.indexOf(target) + step;
  (stops[at] ?? row).focus();
}

lines.addEventListener("keydown", (key) => {
  const { target } = key;
  const row = target.closest(".line");
  if (!row || inText(target) || key.isComposing || key.ctrlKey || key.metaKey || key.altKey) return;
  const onRow = target === row;
  const letters = { r: "reply", "+": "react", c: "link", e: "edit", q: "quote", u: "unread", m: "more", ContextMenu: "more", Delete: "delete" };
  const action = letters[key.key];
  if (["ArrowUp", "ArrowDown", "PageUp", "PageDown", "Home", "End"].includes(key.key)) move(row, key.key);
  else if (key.key === "ArrowRight" || (onRow && key.key === "Enter")) moveWithin(row, target, 1);
  else if (key.key === "ArrowLeft") onRow || moveWithin(row, target, -1);
  else if (key.key === "Escape") onRow ? composer.focus() : row.focus();
  else if (action && isMessage(row)) {
    if (["edit", "delete"].includes(action) && !row.querySelector(".menu")) return;
    if (action === "unread" && isOwn(row)) return;
    show(row);
    run(action, row, bar.querySelector(`[data-action=${action}]`) ?? bar.querySelector("button"));
  } else return;
  key.preventDefault();
  key.stopPropagation();
});

// The search over the room. The first Ctrl F opens it; while it is open, Ctrl F is the browser's own.

const finder = document.querySelector(".open-search");

async function openSearch(event) {
  event.preventDefault();
  const { open } = await import(bar.dataset.search);
  open(finder.href);
}

finder.addEventListener("click", (click) => {
  if (!click.ctrlKey && !click.metaKey && !click.shiftKey) openSearch(click);
});
document.addEventListener("keydown", (key) => {
  const isFind = (key.ctrlKey || key.metaKey) && !key.altKey && !key.shiftKey && key.key.toLowerCase() === "f";
  if (isFind && !document.querySelector("#search:popover-open")) openSearch(key);
});
