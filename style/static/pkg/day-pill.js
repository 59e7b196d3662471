// The day of the messages at the upper edge of the page, with a calendar that jumps to another one.

const pill = document.getElementById("day-pill");
const input = pill.querySelector("input");
const label = pill.querySelector("span");
const scroller = document.querySelector(".scroller");

// Before the messages, so that Shift Tab leads from the message box to them.
document.querySelector(".page").prepend(pill);

const midnight = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate());
const asValue = (date) => `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, "0")}-${String(date.getDate()).padStart(2, "0")}`;

let isPlanned = false;

function update() {
  isPlanned = false;
  const { top } = scroller.getBoundingClientRect();
  const days = [...scroller.querySelectorAll(".line:not([hidden]) .day-separator time")];
  const above = days.findLast((day) => day.getBoundingClientRect().bottom < top);
  // An assignment restyles the pill, although nothing changes.
  if (pill.hidden !== !above) pill.hidden = !above;
  if (!above || label.textContent === above.textContent) return;
  label.textContent = above.textContent;
  input.value = asValue(new Date(above.dateTime));
  input.max = asValue(new Date());
}

function plan() {
  if (!isPlanned) requestAnimationFrame(update);
  isPlanned = true;
}

scroller.addEventListener("scroll", plan, { passive: true });
new MutationObserver(plan).observe(scroller.querySelector(".lines"), { childList: true });
plan();

pill.querySelector("button").addEventListener("click", () => input.showPicker?.());
input.addEventListener("change", () => {
  const [year, month, day] = input.value.split("-").map(Number);
  if (!day) return;
  const url = new URL(location.pathname, location.href);
  url.searchParams.set("at", midnight(new Date(year, month - 1, day)).getTime());
  location.assign(url);
});
