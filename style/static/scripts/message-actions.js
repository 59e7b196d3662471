// This script offers what a user can do with a message. A bar is on the row under the pointer or with the focus, and a menu
// has every action. The list of messages is one stop of the Tab key, within which the arrow keys and letters work.
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
const SWIPE_THRESHOLD_PX = 64;
const FOCUSABLE = ".text a, .files a, .files audio, .files video, .text summary, .text pre, .text button, .quote, .reaction, .timestamp, .menu > summary, .message-bar button";

const isMessage = (row) => /^m\d+$/.test(row?.id) && !row.matches(".deleted, [data-editing]");
const getSeq = (row) => row.id.slice(1);
const findRow = (seq) => document.getElementById(`m${seq}`);
// A message without a text of its own has files.
const getFileLabel = (file) => file.alt ?? file.textContent;
const getText = (row) => row.querySelector(".text")?.innerText.trimEnd() ?? [...row.querySelectorAll(".files img, .files .name")].map(getFileLabel).join(", ");
const isOwnMessage = (row) => row.querySelector(".menu textarea")?.readOnly === false;
const isTextField = (element) => element.matches("input, textarea, select");

// While the bar is moved, the focus leaves it and must not move it again.
let isMoving = false;

function showBar(row) {
  const body = isMessage(row) ? row.querySelector(".message-body") : null;
  if (isMoving || bar.parentElement === body) return;
  isMoving = true;
  bar.remove();
  if (body) {
    bar.dataset.seq = getSeq(row);
    bar.hidden = false;
    body.append(bar);
  }
  isMoving = false;
}

function announce(sentence) {
  status.textContent = sentence;
}

async function copyAndAnnounce(text, button) {
  const isCopied = await copyText(text, button);
  announce(isCopied ? bar.dataset.copied : bar.dataset.failed);
  button.classList.toggle("done", isCopied);
  if (button.dataset.invite !== undefined && isCopied) showCopied(button, bar.dataset.copied);
  setTimeout(() => (announce(""), button.classList.remove("done")), 2000);
}

function insertText(text) {
  composer.focus();
  composer.setRangeText(text, composer.value.length, composer.value.length, "end");
  composer.dispatchEvent(new Event("input", { bubbles: true }));
}

const actions = {
  link: (row, button) => copyAndAnnounce(row.querySelector(".timestamp").href, button),
  text: (row, button) => copyAndAnnounce(getText(row), button),
  async markdown(row, button) {
    const { formatMarkdown, getSelectedRows } = await import(menu.dataset.markdown);
    copyAndAnnounce(formatMarkdown(getSelectedRows(row)), button);
  },
  quote(row) {
    const before = composer.value && !composer.value.endsWith("\n") ? "\n" : "";
    insertText(`${before}${getText(row).replace(/^/gm, "> ")}\n\n`);
  },
  edit(row) {
    const field = row.querySelector(".menu textarea");
    row.querySelector(".menu").open = true;
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
  },
  delete: (row) => document.getElementById(`delete-${getSeq(row)}`).requestSubmit(),
  react: (row, button) => openReactionPicker(button.checkVisibility() ? button : row, getSeq(row)),
  unread(row) {
    menu.dataset.seq = getSeq(row);
    menu.querySelector("[data-action=unread]").click();
  },
  author: (row) => location.assign(`${bar.dataset.room}/${getSeq(row)}/author`),
  more: (row, button) => openMenu(row, button),
};

async function openReactionPicker(beside, seq) {
  const { openPicker } = await import(picker.dataset.script);
  openPicker(beside, seq);
}

// Reactions: the app sends them. A page of older messages has no connection and submits a form instead.

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
  // When nobody gives a reaction any more, its pill disappears with the focus.
  const hadFocus = isPill && button === document.activeElement;
  setTimeout(() => {
    const pill = findRow(seq)?.querySelector(`.reaction[data-react="${CSS.escape(button.dataset.react)}"]`);
    if (hadFocus && document.activeElement === document.body) (pill ?? findRow(seq))?.focus();
    if (pill?.ariaPressed === "true") pill.classList.add("pop");
    pill?.addEventListener("animationend", () => pill.classList.remove("pop"), { once: true });
  }, 50);
});

function runAction(name, row, button) {
  if (name === "reply") return bar.querySelector("[data-action=reply]").click();
  actions[name](row, button);
}

document.addEventListener("click", (click) => {
  const invite = click.target.closest("[data-invite]");
  if (invite) copyAndAnnounce(document.getElementById("share").value, invite);
  const button = click.target.closest("[data-action]");
  const row = button && findRow(button.closest("[data-seq]")?.dataset.seq);
  if (!row) return;
  const name = button.dataset.action;
  if (name === "unread") closeMenu();
  else if (menu.contains(button) && !["link", "text", "markdown"].includes(name)) menu.hidePopover();
  if (name === "unread") announce(bar.dataset.unread);
  else if (name !== "reply") runAction(name, row, button);
});

// The menu is beside the row on a desktop, and at the lower edge of a phone.

let opener;

function openMenu(row, button) {
  showBar(row);
  menu.dataset.seq = getSeq(row);
  const field = row.querySelector(".menu textarea");
  menu.querySelector("[data-action=edit]").hidden = !field || field.readOnly;
  menu.querySelector("[data-action=delete]").hidden = !field;
  menu.querySelector("[data-action=unread]").hidden = isOwnMessage(row);
  menu.querySelector("[data-action=author]").hidden = isOwnMessage(row);
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
  // The emoji stand in one row above the items.
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

// The pointer shows the bar when it hovers, opens the menu with a long press, and replies with a swipe.

const isPopoverOpen = () => [menu, picker].some((popover) => popover.matches(":popover-open"));

lines.addEventListener("pointerover", ({ target, pointerType }) => {
  if (pointerType === "mouse" && !isPopoverOpen()) showBar(target.closest(".line"));
});
lines.addEventListener("pointerleave", () => {
  if (!isPopoverOpen() && !bar.contains(document.activeElement)) showBar();
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
    const releaseMenu = () => setTimeout(() => menu.classList.remove("pressed"), CLICK_SUPPRESSION_MS);
    for (const end of ["pointerup", "pointercancel"]) addEventListener(end, releaseMenu, { once: true });
    endPress();
  }, LONG_PRESS_MS);
  press = { row, timer, x: clientX, y: clientY };
});
lines.addEventListener("pointermove", ({ clientX, clientY }) => {
  if (!press) return;
  const [x, y] = [clientX - press.x, Math.abs(clientY - press.y)];
  if (Math.abs(x) > 10 || y > 10) clearTimeout(press.timer);
  if (x > SWIPE_THRESHOLD_PX && y < x / 2) {
    const { row } = press;
    endPress();
    showBar(row);
    runAction("reply", row);
  }
});
for (const end of ["pointerup", "pointercancel"]) lines.addEventListener(end, endPress);
// Otherwise the browser sends a click and moves the focus out of the menu.
lines.addEventListener("touchend", (end) => menu.classList.contains("pressed") && end.cancelable && end.preventDefault());
lines.addEventListener("contextmenu", (event) => {
  if (event.pointerType === "touch" && isMessage(event.target.closest(".line"))) event.preventDefault();
});

// The keyboard reaches one row with Tab: the row with the focus, or the newest one.

let currentRow;

function setCurrentRow(row) {
  if (row === currentRow) return;
  currentRow?.setAttribute("tabindex", "-1");
  row?.setAttribute("tabindex", "0");
  currentRow = row;
}

function focusRow(row) {
  if (!row) return;
  setCurrentRow(row);
  row.focus();
  row.scrollIntoView({ block: "nearest" });
}

const listVisibleRows = () => [...lines.querySelectorAll(".line:not([hidden])")];

function prepareNodes(nodes) {
  for (const node of nodes) {
    if (node.nodeType !== Node.ELEMENT_NODE) continue;
    for (const element of [node, ...node.querySelectorAll(FOCUSABLE)]) {
      if (element.matches(FOCUSABLE)) element.tabIndex = -1;
    }
  }
  const isFocused = currentRow?.isConnected && currentRow.contains(document.activeElement);
  if (!isFocused) setCurrentRow(lines.lastElementChild ?? undefined);
}

prepareNodes([lines]);
lines.closest(".scroller").tabIndex = -1;
new MutationObserver((changes) => changes.forEach((change) => prepareNodes(change.addedNodes))).observe(lines, { childList: true, subtree: true });

lines.addEventListener("focusin", ({ target }) => {
  const row = target.closest(".line");
  setCurrentRow(row);
  showBar(row);
});
lines.addEventListener("focusout", ({ relatedTarget }) => {
  if (![lines, menu, picker].some((part) => part.contains(relatedTarget))) showBar();
});

function moveFocus(row, key) {
  const rows = listVisibleRows();
  const at = rows.indexOf(row);
  const to = { ArrowUp: at - 1, ArrowDown: at + 1, PageUp: at - 10, PageDown: at + 10, Home: 0, End: rows.length - 1 }[key];
  if (key === "ArrowDown" && at === rows.length - 1) composer.focus();
  else focusRow(rows[Math.min(Math.max(to, 0), rows.length - 1)]);
}

function moveFocusWithin(row, target, step) {
  const stops = [...row.querySelectorAll(FOCUSABLE)].filter((element) => element.checkVisibility());
  const at = stops.indexOf(target) + step;
  (stops[at] ?? row).focus();
}

lines.addEventListener("keydown", (key) => {
  const { target } = key;
  const row = target.closest(".line");
  if (!row || isTextField(target) || key.isComposing || key.ctrlKey || key.metaKey || key.altKey) return;
  const onRow = target === row;
  const actionsByKey = { r: "reply", "+": "react", c: "link", Y: "markdown", e: "edit", q: "quote", u: "unread", m: "more", ContextMenu: "more", Delete: "delete" };
  const action = actionsByKey[key.key];
  if (["ArrowUp", "ArrowDown", "PageUp", "PageDown", "Home", "End"].includes(key.key)) moveFocus(row, key.key);
  else if (key.key === "ArrowRight" || (onRow && key.key === "Enter")) moveFocusWithin(row, target, 1);
  else if (key.key === "ArrowLeft") onRow || moveFocusWithin(row, target, -1);
  else if (key.key === "Escape") onRow ? composer.focus() : row.focus();
  else if (action && isMessage(row)) {
    if (["edit", "delete"].includes(action) && !row.querySelector(".menu")) return;
    if (action === "unread" && isOwnMessage(row)) return;
    showBar(row);
    runAction(action, row, bar.querySelector(`[data-action=${action}]`) ?? bar.querySelector("button"));
  } else return;
  key.preventDefault();
  key.stopPropagation();
});

// Ctrl F opens the search over the room, and Ctrl K the switcher. While the search is open, Ctrl F is the browser's own.

const finder = document.querySelector(".open-search");

async function openSearch(event, isSwitcher = false) {
  event.preventDefault();
  const { openDialog } = await import(bar.dataset.search);
  openDialog(finder.href, isSwitcher);
}

finder.addEventListener("click", (click) => {
  if (!click.ctrlKey && !click.metaKey && !click.shiftKey) openSearch(click);
});
document.addEventListener("keydown", (key) => {
  if (!(key.ctrlKey || key.metaKey) || key.altKey || key.shiftKey) return;
  const letter = key.key.toLowerCase();
  if (letter === "k") openSearch(key, true);
  else if (letter === "f" && !document.querySelector("#search:popover-open")) openSearch(key);
});
