// This script is the light box, which shows the pictures of the page, one after the other. The server renders it once.

const box = document.getElementById("light-box");
const image = box.querySelector("img");
const caption = box.querySelector("span");
const original = box.querySelector("a");
const reducedMotionQuery = matchMedia("(prefers-reduced-motion: reduce)");
const SWIPE_THRESHOLD_PX = 48;
let shown;

const listPictures = () => [...document.querySelectorAll(".lines .files a.picture")];

function showPicture(link) {
  shown = link;
  const inner = link.querySelector("img");
  const [width, height] = link.dataset.size.split("x").map(Number);
  Object.assign(image, { width, height, alt: inner.alt });
  // An animated picture stays still for users who prefer reduced motion.
  image.src = link.querySelector("source") && reducedMotionQuery.matches ? inner.src : link.href;
  caption.textContent = inner.alt;
  original.href = link.href;
  const all = listPictures();
  const at = all.indexOf(link);
  for (const button of box.querySelectorAll("[data-step]")) button.disabled = !all[at + Number(button.dataset.step)];
  if (!box.open) box.showModal();
}

function showNeighbor(by) {
  const all = listPictures();
  const next = all[all.indexOf(shown) + by];
  if (next) showPicture(next);
}

document.querySelector(".lines")?.addEventListener("click", (click) => {
  const link = click.target.closest("a.picture");
  if (!link || click.button || click.ctrlKey || click.metaKey || click.shiftKey) return;
  click.preventDefault();
  showPicture(link);
});
box.addEventListener("click", ({ target }) => {
  const by = target.closest("[data-step]")?.dataset.step;
  if (by) showNeighbor(Number(by));
  else if (target === box || target.closest("[data-close]")) box.close();
});
box.addEventListener("keydown", (key) => {
  const by = { ArrowLeft: -1, ArrowRight: 1 }[key.key];
  if (!by) return;
  key.preventDefault();
  showNeighbor(document.dir === "rtl" ? -by : by);
});
box.addEventListener("close", () => {
  image.removeAttribute("src");
  shown?.focus();
});
let pressed;
box.addEventListener("pointerdown", (press) => (pressed = { x: press.clientX, y: press.clientY }));
box.addEventListener("pointerup", (release) => {
  if (!pressed) return;
  const [across, down] = [release.clientX - pressed.x, release.clientY - pressed.y];
  pressed = undefined;
  if (Math.abs(across) > SWIPE_THRESHOLD_PX && Math.abs(across) > 2 * Math.abs(down)) showNeighbor(across < 0 ? 1 : -1);
  else if (down > 2 * SWIPE_THRESHOLD_PX && down > 2 * Math.abs(across)) box.close();
});
