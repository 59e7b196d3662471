import { expect, postMessages, test, uniqueName } from "../people";

test("the question mark opens the shortcuts, and Escape closes them", async ({ ann, room }) => {
  await ann.joinRoom(room);
  await ann.page.locator("h1").click();
  await ann.page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await ann.page.keyboard.press("?");
  await expect(ann.page.getByRole("heading", { name: "Keyboard shortcuts" })).toBeVisible();
  await ann.page.keyboard.press("Escape");
  await expect(ann.page.locator("#shortcuts")).toBeHidden();
  await ann.composer.focus();
  await ann.page.keyboard.press("?");
  await expect(ann.composer).toHaveValue("?");
  await expect(ann.page.locator("#shortcuts")).toBeHidden();
});

test("the composer has the focus after each action of the keyboard", async ({ ann, room, request }) => {
  await postMessages(request, room, 60);
  await ann.joinRoom(room);
  await ann.send("mine");
  await ann.seesMessage("mine");
  await ann.composer.press("ArrowUp");
  await expect(ann.editor).toBeFocused();
  await ann.page.keyboard.type(" too");
  await expect(ann.editor).toHaveValue("mine too");
  await ann.editor.fill(" ");
  await ann.editor.press("Enter");
  await expect(ann.page.getByText("Please enter a message.")).toBeVisible();
  await ann.editor.press("Escape");
  await expect(ann.composer).toBeFocused();
  await ann.rename(uniqueName("Ann", room));
  await expect(ann.composer).toBeFocused();
  for (const page of ["PageUp", "PageUp"]) await ann.page.keyboard.press(page);
  const jump = ann.page.getByRole("button", { name: "Jump to latest" });
  await expect(jump).toBeVisible();
  await jump.press("Enter");
  await expect(ann.composer).toBeFocused();
  await expect(ann.line("mine")).toBeInViewport();
});

test("a dialog takes the focus, returns it, and closes when the focus leaves it", async ({ ann, room }) => {
  await ann.joinRoom(room);
  await ann.composer.press("Control+/");
  await expect(ann.page.locator("#shortcuts").getByRole("button", { name: "Close" })).toBeFocused();
  await ann.page.keyboard.press("Escape");
  await expect(ann.composer).toBeFocused();
  await ann.openDialog("about");
  await expect(ann.page.getByRole("dialog")).toBeVisible();
  await ann.composer.focus();
  await expect(ann.page.getByRole("dialog")).toHaveCount(0);
});

test("Alt End on a page of older messages opens the latest message", async ({ ann, room, request }) => {
  await postMessages(request, room, 95);
  await ann.page.goto(`/r/${room}?around=30`);
  await ann.waitUntilHydrated();
  await ann.page.keyboard.press("Alt+End");
  await expect(ann.line("message 95")).toBeInViewport();
});

test("the arrow up key in an empty composer edits the user's last message", async ({ ann, bob, room }) => {
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await ann.send("frist");
  await ann.seesMessage("frist");
  await bob.send("hm?");
  await ann.seesMessage("hm?");
  await ann.composer.press("ArrowUp");
  await expect(ann.editor).toBeFocused();
  await ann.editor.fill("first");
  await ann.editor.press("Enter");
  await bob.seesMessage("first");
});

test("keys open the next unread room and the previous room", async ({ ann, bob, room }) => {
  const [one, two, three] = ["a", "b", "c"].map((letter) => `${letter}-${room}`) as [string, string, string];
  for (const name of [one, two, three]) {
    await ann.joinRoom(name);
    // The list contains a room after its first message.
    await ann.send("hello");
    await ann.seesMessage("hello");
  }
  await ann.joinRoom(one);
  await bob.joinRoom(three);
  await bob.send("over here");
  await expect(ann.rooms.locator(".badge")).toHaveCount(1);
  await ann.page.keyboard.press("Alt+Shift+ArrowDown");
  await expect(ann.page).toHaveURL(`/r/${three}#new`);
  await ann.seesMessage("over here");
  await ann.page.keyboard.press("Alt+ArrowUp");
  await expect(ann.page).toHaveURL(`/r/${two}`);
});

test("the keyboard reaches every control, the composer first", async ({ newUser, room }) => {
  // With script and a mouse the composer already has the focus.
  const ann = await newUser({ javaScriptEnabled: false });
  await ann.page.goto(`/r/${room}`);
  await ann.page.keyboard.press("Tab");
  const skip = ann.page.getByRole("link", { name: "Skip to message box" });
  await expect(skip).toBeFocused();
  await expect(skip).toBeInViewport();
  await ann.page.keyboard.press("Enter");
  await ann.page.keyboard.press("Tab");
  await ann.page.keyboard.press("Shift+Tab");
  await ann.page.keyboard.type("hello");
  await expect(ann.composer).toHaveValue("hello");
  await ann.page.keyboard.press("Tab");
  await ann.page.keyboard.press("Enter");
  await ann.seesMessages(["hello"]);
});
