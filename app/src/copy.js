// The buttons that copy a link: they show themselves where there is a script, long before the app has come.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copy);
    field.select();
    // Browsers have a clipboard over HTTPS and on this machine only; the older way works elsewhere.
    const copied = await navigator.clipboard?.writeText(field.value).then(() => true, () => false);
    const done = copied || document.execCommand("copy");
    document.getElementById("copy-problem").textContent = done ? "" : button.dataset.failed;
    if (!done) return;
    const said = button.textContent;
    button.textContent = button.dataset.copied;
    setTimeout(() => (button.textContent = said), 2000);
  });
}
