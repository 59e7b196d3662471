import { expect, phone, test, type User } from "../people";

test("after the button has sent a message, what is typed goes into the field", async ({ ann, room }) => {
  await ann.joinRoom(room);
  await ann.composer.fill("one");
  const send = ann.page.getByRole("button", { name: "Send" });
  const box = await send.boundingBox();
  await ann.page.mouse.move(box!.x + 20, box!.y + 20);
  await ann.page.mouse.down();
  await expect(ann.composer, "also while the button is pressed").toBeFocused();
  await ann.page.mouse.up();
  await ann.page.keyboard.type("two");
  await expect(ann.composer).toHaveValue("two");
  await ann.seesMessage("one");
});

test("on a phone Enter begins a line, the button sends, and the keyboard stays", async ({ newUser, bob, room }) => {
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
  // A keyboard that is attached to it sends with Ctrl Enter.
  await ann.page.keyboard.type("and on");
  await ann.page.keyboard.press("Control+Enter");
  await bob.seesMessage("and on");
});

test("on a phone Enter begins a line in a message that is edited too", async ({ newUser, room }) => {
  const ann = await newUser(phone);
  await ann.joinRoom(room);
  await ann.send("first");
  await ann.seesMessage("first");
  const touch = { pointerType: "touch", bubbles: true };
  await ann.line("first").dispatchEvent("pointerdown", touch);
  await expect(ann.editor).toBeFocused();
  await ann.line("first").dispatchEvent("pointerup", touch);
  await ann.page.keyboard.press("Enter");
  await ann.page.keyboard.type("second");
  await ann.page.locator(".menu[open]").getByRole("button", { name: "Save" }).tap();
  await ann.seesMessage("first\nsecond");
});

async function drops(person: User, onto: string): Promise<boolean> {
  return person.page.locator(onto).evaluate((target) => {
    const files = new DataTransfer();
    files.items.add(new File(["x"], "cat.png", { type: "image/png" }));
    const event = (kind: string) => new DragEvent(kind, { dataTransfer: files, bubbles: true, cancelable: true });
    // What is not prevented opens the file in place of the page.
    return !target.dispatchEvent(event("dragover")) && !target.dispatchEvent(event("drop"));
  });
}

for (const { locale, says } of [{ locale: "en-GB", says: "Sending files is not supported yet." }, { locale: "zh-CN", says: "暂不支持发送文件。" }]) {
  test(`a picture that is dropped or pasted is caught and the page says why, in ${locale}`, async ({ newUser, room }) => {
    const ann = await newUser({ locale });
    await ann.joinRoom(room);
    const sentence = ann.page.locator(".below").getByText(says);
    expect(await drops(ann, ".scroller")).toBe(true);
    await expect(sentence).toBeVisible();
    await ann.page.locator("#text").fill("hello");
    await ann.page.locator("#text").press("Enter");
    await expect(sentence, "a message takes it away").toHaveCount(0);
    expect(await drops(ann, "#rooms")).toBe(true);
    await expect(sentence).toBeVisible();
    await ann.page.reload();
    await ann.waitUntilLive();
    const pasted = await ann.page.locator("#text").evaluate((field) => {
      const files = new DataTransfer();
      files.items.add(new File(["x"], "cat.png", { type: "image/png" }));
      return !field.dispatchEvent(new ClipboardEvent("paste", { clipboardData: files, bubbles: true, cancelable: true }));
    });
    expect(pasted).toBe(true);
    await expect(sentence).toBeVisible();
  });
}

test("text is pasted as ever, also where a picture of it comes along", async ({ ann, room }) => {
  await ann.joinRoom(room);
  const prevented = await ann.composer.evaluate((field) => {
    const table = new DataTransfer();
    table.setData("text/plain", "a\tb");
    table.items.add(new File(["x"], "table.png", { type: "image/png" }));
    return !field.dispatchEvent(new ClipboardEvent("paste", { clipboardData: table, bubbles: true, cancelable: true }));
  });
  expect(prevented).toBe(false);
  await expect(ann.page.getByText("Sending files is not supported yet.")).toHaveCount(0);
});

test("the card of ann's name opens with the name selected, so that typing replaces it", async ({ ann, room }) => {
  await ann.joinRoom(room);
  await ann.page.locator(".me summary").click();
  await expect(ann.page.getByLabel("Your name")).toBeFocused();
  const name = `Ann ${room}`.slice(0, 30);
  await ann.page.keyboard.type(name);
  await ann.page.keyboard.press("Enter");
  await expect(ann.name).toHaveText(name);
  await expect(ann.composer).toBeFocused();
});

for (const sheet of ["about", "settings", "card"] as const) {
  test(`after ann has looked at the ${sheet} with the mouse, she types on at once`, async ({ ann, room }) => {
    await ann.joinRoom(room);
    if (sheet === "card") await ann.page.locator(".me summary").click();
    else if (sheet === "about") await ann.openDialog("about");
    else await ann.rooms.getByRole("button", { name: "Settings" }).click();
    await ann.page.keyboard.press("Escape");
    await expect(ann.composer).toBeFocused();
    await ann.page.keyboard.type("hello");
    await expect(ann.composer).toHaveValue("hello");
  });
}

test("a sheet that was opened with a key gives the focus back to its button", async ({ ann, room }) => {
  await ann.joinRoom(room);
  const about = ann.page.locator(".room-header [popovertarget=about]");
  await about.focus();
  await ann.page.keyboard.press("Enter");
  await expect(ann.page.locator("#about")).toBeVisible();
  await ann.page.keyboard.press("Escape");
  await expect(about).toBeFocused();
});
