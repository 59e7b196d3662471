// This script shows the day of the messages at the upper edge of the page, with a calendar that jumps to another day.

const pill = document.getElementById("day-pill");
const input = pill.querySelector("input");
const label = pill.querySelector("span");
const scroller = document.querySelector(".scroller");

// The pill precedes the messages, so that Shift Tab leads from the message box to them.
document.querySelector(".page").prepend(pill);

const getMidnight = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate());
const formatDate = (date) => `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, "0")}-${String(date.getDate()).padStart(2, "0")}`;

let isScheduled = false;

function updatePill() {
  isScheduled = false;
  const { top } = scroller.getBoundingClientRect();
  const days = [...scroller.querySelectorAll(".line:not([hidden]) .day-separator time")];
  const above = days.findLast((day) => day.getBoundingClientRect().bottom < top);
  // Even an assignment of the same value restyles the pill.
  if (pill.hidden !== !above) pill.hidden = !above;
  if (!above || label.textContent === above.textContent) return;
  label.textContent = above.textContent;
  input.value = formatDate(new Date(above.dateTime));
  input.max = formatDate(new Date());
}

function scheduleUpdate() {
  if (!isScheduled) requestAnimationFrame(updatePill);
  isScheduled = true;
}

scroller.addEventListener("scroll", scheduleUpdate, { passive: true });
new MutationObserver(scheduleUpdate).observe(scroller.querySelector(".lines"), { childList: true });
scheduleUpdate();

pill.querySelector("button").addEventListener("click", () => input.showPicker?.());
input.addEventListener("change", () => {
  const [year, month, day] = input.value.split("-").map(Number);
  if (!day) return;
  const url = new URL(location.pathname, location.href);
  url.searchParams.set("at", getMidnight(new Date(year, month - 1, day)).getTime());
  location.assign(url);
});
