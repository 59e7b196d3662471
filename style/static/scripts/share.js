// This script belongs to the page on which the user chooses a room for what they share from the system's share sheet. The
// service worker keeps it until then, and only the browser has it. The script shows it and notes the chosen room, whose page
// takes it from there.

const BASE = document.documentElement.dataset.base ?? "";

const section = document.getElementById("shared");
const nothing = document.getElementById("nothing-shared");
const [quote, list, status, template, cancel] = ["blockquote", "ul", "[role=status]", "template", "button"].map((of) => section.querySelector(of));
// The tray of the chosen room shows sizes in the same way, and reads the same share.
const scripts = [section.dataset.uploader, section.dataset.kept].map((address) => import(address));
const [{ createPreviewUrl, formatSize }, { CHOSEN_ROOM_KEY, MAX_SHARE_AGE_MS, SHARE_PATH, forgetShare, matchShared }] = await Promise.all(scripts);

async function readShare() {
  const answer = await matchShared(SHARE_PATH);
  const share = await answer?.json();
  if (share && Math.abs(Date.now() - share.at) <= MAX_SHARE_AGE_MS) return share;
  await forgetShare();
  return undefined;
}

async function createEntry({ name, type, size }, n) {
  const element = template.content.cloneNode(true).firstElementChild;
  const bytes = await (await matchShared(`${SHARE_PATH}/${n}`))?.blob();
  if (bytes && /^image\/(png|jpeg|gif|webp)$/.test(type)) {
    const src = await createPreviewUrl(bytes).catch(() => undefined);
    if (src) element.querySelector(".preview").replaceChildren(Object.assign(new Image(), { src, alt: "" }));
  }
  element.querySelector(".name").textContent = name;
  element.querySelector("small").textContent = formatSize(size);
  return element;
}

async function showShare() {
  const share = await readShare();
  if (!share) {
    if (location.hash === "#failed") nothing.textContent = section.dataset.failed;
    nothing.hidden = false;
    return;
  }
  quote.textContent = share.text;
  quote.hidden = !share.text;
  list.replaceChildren(...(await Promise.all(share.files.map(createEntry))));
  list.hidden = !share.files.length;
  if (share.isCut) status.textContent = section.dataset.leftOut;
  for (const link of document.querySelectorAll(".directory a")) link.addEventListener("click", () => sessionStorage.setItem(CHOSEN_ROOM_KEY, link.pathname));
  cancel.addEventListener("click", async () => {
    await forgetShare();
    location.replace(`${BASE}/`);
  });
  section.hidden = false;
}

showShare();
// After the share is taken, the browser may show the page once more as it was.
addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
