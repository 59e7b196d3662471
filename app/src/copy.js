// Shows the copy buttons if scripts run, before the app is loaded.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copy);
    field.select();
    // The clipboard API needs HTTPS or localhost; execCommand works elsewhere.
    const copied = await navigator.clipboard?.writeText(field.value).then(() => true, () => false);
    const done = copied || document.execCommand("copy");
    document.getElementById("copy-problem").textContent = done ? "" : button.dataset.failed;
    if (!done) return;
    const label = button.textContent;
    button.textContent = button.dataset.copied;
    setTimeout(() => (button.textContent = label), 2000);
  });
}

// Copies the code of a message.
document.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-copy-code]");
  if (!button) return;
  const code = button.closest(".code-block").querySelector("code");
  const copied = await navigator.clipboard?.writeText(code.textContent).then(() => true, () => false);
  // Without the clipboard API the code is selected, ready for the keys.
  if (!copied) getSelection().selectAllChildren(code);
  if (!copied && !document.execCommand("copy")) return;
  const label = button.textContent;
  button.textContent = button.dataset.copied;
  setTimeout(() => (button.textContent = label), 2000);
});
