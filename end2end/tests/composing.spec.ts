import { expect, phone, test, uniqueName } from "../people";

test("the field keeps the focus when the button sends a message", async ({ ann, room }) => {
  await ann.joinRoom(room);
  await ann.composer.fill("one");
  const send = ann.page.getByRole("button", { name: "Send" });
  const box = await send.boundingBox();
  await ann.page.mouse.move(box!.x + 20, box!.y + 20);
  await ann.page.mouse.down();
  await expect(ann.composer, "while the button is pressed").toBeFocused();
  await ann.page.mouse.up();
  await ann.page.keyboard.type("two");
  await expect(ann.composer).toHaveValue("two");
  await ann.seesMessage("one");
});

test("on a phone Enter inserts a line break, the button sends, and the keyboard stays", async ({ newUser, bob, room }) => {
  const ann = await newUser(phone);
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await expect(ann.composer).toHaveAttribute("enterkeyhint", "enter");
  await ann.composer.tap();
  await ann.page.keyboard.type("line one");
  await ann.page.keyboard.press("Enter");
  await ann.page.keyboard.type("line two");
  await expect(ann.composer).toHaveValue("line one\nline two");
  await ann.page.getByRole("button", { name: "Send" }).tap();
  await bob.seesMessages(["line one\nline two"]);
  await expect(ann.composer).toBeFocused();
  await expect(ann.composer).toHaveValue("");
  // An external keyboard sends with Ctrl Enter.
  await ann.page.keyboard.type("and on");
  await ann.page.keyboard.press("Control+Enter");
  await bob.seesMessage("and on");
});

test("on a phone Enter inserts a line break in the editor too", async ({ newUser, room }) => {
  const ann = await newUser(phone);
  await ann.joinRoom(room);
  await ann.send("first");
  await ann.seesMessage("first");
  await ann.longPress("first", "Edit");
  await ann.page.keyboard.press("Enter");
  await ann.page.keyboard.type("second");
  await ann.menu.getByRole("button", { name: "Save" }).tap();
  await ann.seesMessage("first\nsecond");
});

test("pasted text is inserted although the clipboard also has a picture", async ({ ann, room }) => {
  await ann.joinRoom(room);
  const prevented = await ann.composer.evaluate((field) => {
    const table = new DataTransfer();
    table.setData("text/plain", "a\tb");
    table.items.add(new File(["x"], "table.png", { type: "image/png" }));
    return !field.dispatchEvent(new ClipboardEvent("paste", { clipboardData: table, bubbles: true, cancelable: true }));
  });
  expect(prevented).toBe(false);
  await expect(ann.page.locator("#file-tray")).toBeHidden();
});

test("the profile card opens with the name selected, so that typing replaces it", async ({ ann, room }) => {
  await ann.joinRoom(room);
  await ann.profile.click();
  await expect(ann.page.getByLabel("Your name")).toBeFocused();
  const name = uniqueName("Ann", room);
  await ann.page.keyboard.type(name);
  await ann.page.keyboard.press("Enter");
  await expect(ann.name).toHaveText(name);
  await expect(ann.composer).toBeFocused();
});

for (const part of ["about", "settings", "card"] as const) {
  test(`the composer has the focus after the mouse has opened and Escape has closed: ${part}`, async ({ ann, room }) => {
    await ann.joinRoom(room);
    if (part === "card") await ann.profile.click();
    else if (part === "about") await ann.openDialog("about");
    else await ann.rooms.getByRole("button", { name: "Settings" }).click();
    await ann.page.keyboard.press("Escape");
    await expect(ann.composer).toBeFocused();
    await ann.page.keyboard.type("hello");
    await expect(ann.composer).toHaveValue("hello");
  });
}

test("a dialog that a key has opened returns the focus to its button", async ({ ann, room }) => {
  await ann.joinRoom(room);
  const about = ann.page.locator(".room-header [popovertarget=about]");
  await about.focus();
  await ann.page.keyboard.press("Enter");
  await expect(ann.page.locator("#about")).toBeVisible();
  await ann.page.keyboard.press("Escape");
  await expect(about).toBeFocused();
});
