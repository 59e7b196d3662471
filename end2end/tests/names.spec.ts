import { expect, test } from "../people";

test("a new name shows everywhere at once, in what was said before too", async ({ ann, bob, room }) => {
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await ann.send("who am I?");
  await bob.seesMessage("who am I?");
  await ann.rename("Ann");
  await expect(bob.line("who am I?").locator("b")).toHaveText("Ann");
  await expect(ann.line("who am I?").locator("b")).toHaveText("Ann");
  await ann.page.reload();
  await ann.waitUntilLive();
  await expect(ann.name).toHaveText("Ann");
});

test("a name that cannot be one is refused with a sentence, and the old one stays", async ({ ann, room }) => {
  await ann.joinRoom(room);
  const given = await ann.name.innerText();
  await ann.page.locator(".me summary").click();
  await ann.page.getByLabel("Your name").fill("\u202eevil");
  await ann.page.getByRole("button", { name: "Save" }).click();
  await expect(ann.page.getByRole("alert").filter({ hasText: "A name cannot contain hidden characters" })).toBeVisible();
  await expect(ann.name).toHaveText(given);
});

for (const name of ["Admin ✓", "Ann #2"]) {
  test(`the server refuses the name ${name}, and the old one comes back`, async ({ ann, room }) => {
    await ann.joinRoom(room);
    const given = await ann.name.innerText();
    await ann.page.locator(".me summary").click();
    await ann.page.getByLabel("Your name").fill(name);
    await ann.page.getByRole("button", { name: "Save" }).click();
    await expect(ann.page.getByRole("alert").filter({ hasText: "This name is not allowed" })).toBeVisible();
    await expect(ann.name).toHaveText(given);
    await expect(ann.page.getByLabel("Your name")).toHaveValue(name);
  });
}

test("the card with the name is closed by Escape and by a click elsewhere", async ({ ann, room }) => {
  await ann.joinRoom(room);
  const card = ann.page.getByLabel("Your name");
  await ann.page.locator(".me summary").click();
  await card.focus();
  await ann.page.keyboard.press("Escape");
  await expect(card).toBeHidden();
  // A pointer opened it: what is typed next is a message. From the keyboard the focus goes back to where it was.
  await expect(ann.page.locator("#text")).toBeFocused();
  await ann.page.locator(".me summary").press("Enter");
  await expect(card).toBeFocused();
  await ann.page.keyboard.press("Escape");
  await expect(ann.page.locator(".me summary")).toBeFocused();
  await ann.page.locator(".me summary").click();
  await expect(card).toBeVisible();
  await ann.page.locator(".scroller").click();
  await expect(card).toBeHidden();
});

test("a name made of markup stays text", async ({ ann, bob, room }) => {
  const name = "<img src=x onerror=alert(1)>";
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await ann.rename(name);
  await ann.send("look at my name");
  await expect(bob.line("look at my name").locator("b")).toHaveText(name);
  await bob.page.reload();
  await expect(bob.line("look at my name").locator("b")).toHaveText(name);
});
