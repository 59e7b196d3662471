// On a phone a dialog at the lower edge follows the finger that pulls it down, and closes if it was pulled far enough.

const CLOSE_PX = 80;
const SNAP_BACK = { duration: 140, easing: "ease-out" };

const isPhone = matchMedia("(width < 45rem)");
const isStill = matchMedia("(prefers-reduced-motion: reduce)");

for (const dialog of document.querySelectorAll(".dialog")) {
  // Where the finger began, if it may pull the dialog.
  let start;
  let pulled = 0;

  dialog.addEventListener("touchstart", ({ touches, target }) => {
    const canPull = isPhone.matches && touches.length === 1 && dialog.scrollTop === 0 && !target.closest("input, select");
    [start, pulled] = [canPull ? touches[0].clientY : undefined, 0];
  }, { passive: true });

  dialog.addEventListener("touchmove", (move) => {
    // Upwards, and in a dialog that scrolls already, the movement is the browser's.
    if (start === undefined || !move.cancelable) return;
    pulled = Math.max(0, move.touches[0].clientY - start);
    if (pulled === 0) return;
    move.preventDefault();
    if (!isStill.matches) dialog.style.translate = `0 ${pulled}px`;
  }, { passive: false });

  const release = ({ type }) => {
    dialog.style.translate = "";
    if (type === "touchend" && pulled > CLOSE_PX) dialog.hidePopover();
    else if (pulled > 0 && !isStill.matches) dialog.animate([{ translate: `0 ${pulled}px` }, { translate: "0" }], SNAP_BACK);
    [start, pulled] = [undefined, 0];
  };
  dialog.addEventListener("touchend", release);
  dialog.addEventListener("touchcancel", release);
}
