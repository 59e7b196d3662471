// On a phone a dialog at the lower edge follows the finger that pulls it down. The dialog closes if the finger pulls it far
// enough.

const CLOSE_THRESHOLD_PX = 80;
const SNAP_BACK = { duration: 140, easing: "ease-out" };

const phoneQuery = matchMedia("(width < 45rem)");
const reducedMotionQuery = matchMedia("(prefers-reduced-motion: reduce)");

for (const dialog of document.querySelectorAll(".dialog")) {
  // `start` is where the finger began, if it may pull the dialog.
  let start;
  let pulled = 0;

  dialog.addEventListener("touchstart", ({ touches, target }) => {
    const canPull = phoneQuery.matches && touches.length === 1 && dialog.scrollTop === 0 && !target.closest("input, select");
    [start, pulled] = [canPull ? touches[0].clientY : undefined, 0];
  }, { passive: true });

  dialog.addEventListener("touchmove", (move) => {
    // The browser handles a movement upwards, and any movement in a dialog that scrolls already.
    if (start === undefined || !move.cancelable) return;
    pulled = Math.max(0, move.touches[0].clientY - start);
    if (pulled === 0) return;
    move.preventDefault();
    if (!reducedMotionQuery.matches) dialog.style.translate = `0 ${pulled}px`;
  }, { passive: false });

  const releaseDialog = ({ type }) => {
    dialog.style.translate = "";
    if (type === "touchend" && pulled > CLOSE_THRESHOLD_PX) dialog.hidePopover();
    else if (pulled > 0 && !reducedMotionQuery.matches) dialog.animate([{ translate: `0 ${pulled}px` }, { translate: "0" }], SNAP_BACK);
    [start, pulled] = [undefined, 0];
  };
  dialog.addEventListener("touchend", releaseDialog);
  dialog.addEventListener("touchcancel", releaseDialog);
}
