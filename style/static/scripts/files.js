// This script sends files. Files that the user chooses, drops, pastes or shares are uploaded at once, in parts. They stand in
// a tray above the message box until the message is sent, also after a reload.
//
// The server renders the tray once. When the app sends the message, it reads the uploaded files from `data-files` of the field
// and removes the attribute.

const field = document.getElementById("text");
const form = field?.form;
const tray = document.getElementById("file-tray");
const list = tray.querySelector("ul");
const status = tray.querySelector("[role=status]");
const template = tray.querySelector("template");
const { thumbs, room, max: maxBytes, most: maxFiles } = tray.dataset;
// The module keeps the tray in the browser. Without the module the tray works until the page is closed.
const storePromise = import(tray.dataset.kept).catch(() => undefined);
const { createPreviewUrl, createUploader, formatSize, isDescribed } = await import(tray.dataset.uploader);

const MAX_CONCURRENT_UPLOADS = 2;
// After an hour the server forgets a file that no message shows. The page checks an older file before it sends the message,
// and the server's answer counts for a minute.
const MAX_UNCHECKED_AGE_MS = 50 * 60_000;
const CHECK_LIFETIME_MS = 60_000;

// Stores the changed fields of a file.
const saveFields = (item, fields) => storePromise.then((store) => store?.updateFile(item.key, fields));
const removeSent = (item) => removeItem(item, { isSent: true });
const { cancelUpload, sendDescription, uploadFile } = createUploader(tray.dataset, { saveFields, renderItem, recheckUpload, showWaiting, removeSent });

let items = [];
// The user has sent the message, which waits for its files.
let isSending = false;

function renderItem(item) {
  const { element, size, error, file } = item;
  element.classList.toggle("failed", Boolean(error));
  element.querySelector("small").textContent = error ?? (file ? `${formatSize(size)} · ${tray.dataset.done}` : formatSize(size));
  // The server knows which files are pictures. It alone may have the bytes of a file of an earlier page.
  if (file?.width && !item.url) showPicture(item, `${thumbs}/${file.id}/thumb`);
  const progress = element.querySelector("progress");
  progress.value = file ? 1 : (item.offset ?? 0) / Math.max(1, size);
  progress.hidden = Boolean(error || file);
  element.querySelector("[data-file=retry]").hidden = !error || item.isTooLarge || item.isLost;
}

// Shows whether the uploads wait for the network.
function showWaiting(isWaiting) {
  if (isWaiting) status.textContent = tray.dataset.offline;
  else if (!isSending) status.textContent = "";
}

// Shows the picture that the user has chosen. The server's copy may come first.
async function showPreview(item) {
  const url = await createPreviewUrl(item.source).catch(() => undefined);
  if (!url) return;
  if (item.url || !items.includes(item)) URL.revokeObjectURL(url);
  else showPicture(item, url);
}

function showPicture(item, url) {
  item.url = url;
  item.element.querySelector(".preview").replaceChildren(Object.assign(new Image(), { src: url, alt: "" }));
  item.element.querySelector("input").hidden = false;
}

// Leaves the uploaded files where the app finds them. If the user has sent the message already, it is submitted as soon as its
// files are complete.
async function publishReadyFiles() {
  const ready = items.filter((item) => item.file);
  tray.hidden = !items.length && !status.textContent;
  form.classList.toggle("has-files", items.length > 0);
  // A message with files needs no text.
  field.required = !items.length;
  if (ready.length) field.dataset.files = JSON.stringify(ready.map((item) => item.file));
  else delete field.dataset.files;
  if (!isSending) return;
  const isComplete = items.length > 0 && ready.length === items.length;
  if (items.some((item) => item.error)) stopSending();
  else if (isComplete) {
    await Promise.all(items.map(sendDescription));
    if (!isSending || !items.length || !items.every((item) => item.file)) return;
    field.dataset.files = JSON.stringify(items.map((item) => item.file));
    stopSending();
    form.requestSubmit();
  } else if (!items.length) stopSending();
}

function stopSending() {
  isSending = false;
  status.textContent = "";
  field.readOnly = false;
}

// Asks the server once more what it has of a file, and uploads the rest.
function recheckUpload(item) {
  Object.assign(item, { file: undefined, isUnsure: true, isStarted: false, isRestarted: false });
  renderItem(item);
  startNextUpload();
}

let runningUploads = 0;
async function startNextUpload() {
  const next = items.find((item) => !item.isStarted);
  if (!next || runningUploads >= MAX_CONCURRENT_UPLOADS) return;
  next.isStarted = true;
  runningUploads++;
  startNextUpload();
  await uploadFile(next);
  runningUploads--;
  if (items.includes(next)) renderItem(next);
  await publishReadyFiles();
  startNextUpload();
}

// Adds files to the tray. The promise resolves when the browser has stored them or has failed to.
async function addFiles(files) {
  status.textContent = "";
  const added = [];
  for (const source of files) {
    if (items.length >= Number(maxFiles)) {
      status.textContent = tray.dataset.tooMany;
      break;
    }
    const { name, size, type } = source;
    const item = { source, name, size, type, alt: "", at: Date.now() };
    if (!size || size > Number(maxBytes)) Object.assign(item, { error: size ? tray.dataset.tooLarge : tray.dataset.failed, isStarted: true, isTooLarge: true });
    else item.key = storePromise.then((store) => store?.keepFile({ room, name, size, type, alt: "", at: item.at }, source));
    addItem(item);
    added.push(item.key);
  }
  publishReadyFiles();
  await Promise.all(added);
}

function addItem(item) {
  const element = template.content.cloneNode(true).firstElementChild;
  Object.assign(item, { element, stop: new AbortController(), offset: 0 });
  element.querySelector(".name").textContent = item.name;
  const alt = element.querySelector("input");
  alt.value = item.alt;
  alt.addEventListener("input", () => {
    item.alt = alt.value.trim();
    saveFields(item, { alt: item.alt });
  });
  alt.addEventListener("change", () => sendDescription(item).then(publishReadyFiles));
  element.addEventListener("click", ({ target }) => {
    const action = target.closest("[data-file]")?.dataset.file;
    if (action === "remove") removeItem(item);
    if (action === "retry") {
      Object.assign(item, { error: undefined, isStarted: false, isRestarted: false });
      renderItem(item);
      startNextUpload();
    }
  });
  items.push(item);
  list.append(element);
  if (item.source && /^image\/(png|jpeg|gif|webp)$/.test(item.type)) showPreview(item);
  renderItem(item);
  startNextUpload();
}

// Removes a file from the tray. A sent file stays on the server; a file of another window stays in the browser too.
function removeItem(item, { isSent, isElsewhere } = {}) {
  items = items.filter((other) => other !== item);
  item.stop.abort();
  item.element.remove();
  if (item.url?.startsWith("blob:")) URL.revokeObjectURL(item.url);
  if (!isElsewhere) storePromise.then((store) => store?.forgetFile(item.key));
  if (isSent || isElsewhere) return;
  cancelUpload(item);
  status.textContent = "";
  publishReadyFiles();
  field.focus();
}

// Puts the files of an earlier page back, and then adds what the user shares to this room.
async function restoreTray() {
  const store = await storePromise;
  const records = (await store?.claimFiles(room, Number(maxFiles) - items.length)) ?? [];
  for (const record of records) addItem({ ...record, key: Promise.resolve(record.key), isUnsure: true });
  if (records.length) publishReadyFiles();
  store?.onChange(removeTakenItems);
  const share = await store?.readChosenShare();
  if (!share) return;
  if (share.text) {
    field.value = field.value.trim() ? `${field.value}\n${share.text}` : share.text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
  if (Number(maxBytes)) await addFiles(share.files);
  await store.forgetShare();
}

// Removes the files from the tray that another window of the browser has taken over or sent meanwhile.
async function removeTakenItems() {
  const before = [...items];
  const keys = await Promise.all(before.map((item) => item.key));
  const own = await (await storePromise).listOwnKeys(room);
  const gone = before.filter((item, at) => own && keys[at] !== undefined && !own.has(keys[at]) && items.includes(item));
  if (!gone.length) return;
  for (const item of gone) removeItem(item, { isElsewhere: true });
  status.textContent = tray.dataset.elsewhere;
  publishReadyFiles();
}

// Holds the message back until its files are ready. Returns true if the message must not be sent now.
function holdBackMessage() {
  const now = Date.now();
  for (const item of items) if (item.file && now - item.at > MAX_UNCHECKED_AGE_MS && now - (item.checkedAt ?? 0) > CHECK_LIFETIME_MS) recheckUpload(item);
  if (!items.length || items.every((item) => item.file && isDescribed(item))) return false;
  if (items.every((item) => !item.error)) {
    isSending = true;
    field.readOnly = true;
    status.textContent = tray.dataset.waiting;
    publishReadyFiles();
  }
  return true;
}

function enableAttaching() {
  const chooser = Object.assign(document.createElement("input"), { type: "file", multiple: true, hidden: true });
  const button = Object.assign(document.createElement("input"), { type: "button", value: "+", className: "insert attach", title: tray.dataset.attach });
  button.setAttribute("aria-label", tray.dataset.attach);
  field.after(button, chooser);
  form.classList.add("attaching");
  button.addEventListener("click", () => chooser.click());
  chooser.addEventListener("change", () => {
    addFiles(chooser.files);
    chooser.value = "";
    field.focus();
  });
  // These listeners run before those of the app, for which Enter and the button send the message.
  addEventListener(
    "keydown",
    (key) => {
      if (key.target !== field || key.key !== "Enter" || key.shiftKey || key.isComposing || key.keyCode === 229) return;
      if (!holdBackMessage()) return;
      key.preventDefault();
      key.stopImmediatePropagation();
    },
    true,
  );
  addEventListener(
    "submit",
    (submit) => {
      if (submit.target !== form || !holdBackMessage()) return;
      submit.preventDefault();
      submit.stopImmediatePropagation();
    },
    true,
  );
  // The app removes the attribute when it takes the files.
  new MutationObserver(() => {
    if (field.dataset.files !== undefined || !items.length || !items.every((item) => item.file)) return;
    for (const item of [...items]) removeItem(item, { isSent: true });
    publishReadyFiles();
  }).observe(field, { attributeFilter: ["data-files"] });
  addEventListener("paste", (paste) => {
    const { files } = paste.clipboardData ?? {};
    // A copied table or formatted text comes with a picture of it; the browser pastes the text.
    if (!files?.length || paste.clipboardData.getData("text/plain")) return;
    paste.preventDefault();
    addFiles(files);
  });
  addEventListener("dragenter", (drag) => document.body.classList.toggle("dropping", hasFiles(drag)));
  addEventListener("dragleave", (drag) => drag.relatedTarget ?? document.body.classList.remove("dropping"));
}

const hasFiles = (drag) => Boolean(drag.dataTransfer?.types.includes("Files"));

// A dropped file never replaces the page.
addEventListener("dragover", (drag) => hasFiles(drag) && drag.preventDefault());
addEventListener("drop", (drop) => {
  document.body.classList.remove("dropping");
  if (!hasFiles(drop)) return;
  drop.preventDefault();
  if (field && Number(maxBytes)) addFiles(drop.dataTransfer.files);
});

if (field) {
  document.querySelector(".below").prepend(tray);
  if (Number(maxBytes)) enableAttaching();
  restoreTray();
}
