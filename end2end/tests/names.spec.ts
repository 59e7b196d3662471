import { expect, test } from "../people";

test("a new name appears at once, also on earlier messages", async ({ ann, bob, room }) => {
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

test("an invalid name shows an error, and the old name stays", async ({ ann, room }) => {
  await ann.joinRoom(room);
  const initialName = await ann.name.innerText();
  await ann.profile.click();
  await ann.page.getByLabel("Your name").fill("\u202eevil");
  await ann.page.getByRole("button", { name: "Save" }).click();
  await expect(ann.page.getByRole("alert").filter({ hasText: "A name cannot contain hidden characters" })).toBeVisible();
  await expect(ann.name).toHaveText(initialName);
});

for (const name of ["Admin ✓", "Ann #2"]) {
  test(`the server rejects the name ${name}, and the old name returns`, async ({ ann, room }) => {
    await ann.joinRoom(room);
    const initialName = await ann.name.innerText();
    await ann.profile.click();
    await ann.page.getByLabel("Your name").fill(name);
    await ann.page.getByRole("button", { name: "Save" }).click();
    await expect(ann.page.getByRole("alert").filter({ hasText: "This name is not allowed" })).toBeVisible();
    await expect(ann.name).toHaveText(initialName);
    await expect(ann.page.getByLabel("Your name")).toHaveValue(name);
  });
}

test("Escape and a click elsewhere close the profile card", async ({ ann, room }) => {
  await ann.joinRoom(room);
  const card = ann.page.getByLabel("Your name");
  await ann.profile.click();
  await card.focus();
  await ann.page.keyboard.press("Escape");
  await expect(card).toBeHidden();
  // After a pointer has opened the card the composer gets the focus, after the keyboard its button.
  await expect(ann.page.locator("#text")).toBeFocused();
  await ann.profile.press("Enter");
  await expect(card).toBeFocused();
  await ann.page.keyboard.press("Escape");
  await expect(ann.profile).toBeFocused();
  await ann.profile.click();
  await expect(card).toBeVisible();
  await ann.page.locator(".scroller").click();
  await expect(card).toBeHidden();
});

test("markup in a name is shown as text", async ({ ann, bob, room }) => {
  const name = "<img src=x onerror=alert(1)>";
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await ann.rename(name);
  await ann.send("look at my name");
  await expect(bob.line("look at my name").locator("b")).toHaveText(name);
  await bob.page.reload();
  await expect(bob.line("look at my name").locator("b")).toHaveText(name);
});
