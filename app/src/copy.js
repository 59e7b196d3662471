// Writes to the clipboard, for every script of the page. It runs before the app is loaded.

// Copies a text. The clipboard API needs HTTPS or localhost; the selection of a field beside the button, where the focus closes
// no dialog, works elsewhere.
window.copyText = async (text, button) => {
  if (await navigator.clipboard?.writeText(text).then(() => true, () => false)) return true;
  const focused = document.activeElement;
  const field = Object.assign(document.createElement("textarea"), { value: text });
  button.parentElement.append(field);
  field.select();
  const isCopied = document.execCommand("copy");
  field.remove();
  focused?.focus();
  return isCopied;
};

// Shows on a button with a label for a while that it has copied something.
window.showCopied = (button, label) => {
  const former = button.textContent;
  button.textContent = label;
  button.classList.add("copied");
  setTimeout(() => {
    button.textContent = former;
    button.classList.remove("copied");
  }, 2000);
};

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copy);
    const isCopied = await copyText(field.value, button);
    field.select();
    document.getElementById("copy-problem").textContent = isCopied ? "" : button.dataset.failed;
    if (isCopied) showCopied(button, button.dataset.copied);
  });
}

// Copies the code of a message.
document.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-copy-code]");
  if (!button) return;
  const code = button.closest(".code-block").querySelector("code");
  if (await copyText(code.textContent, button)) showCopied(button, button.dataset.copied);
  // Selected, ready for the keys.
  else getSelection().selectAllChildren(code);
});
