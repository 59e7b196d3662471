import { expect, postMessages, test } from "../people";

test("a question mark shows the shortcuts, and Escape leads back", async ({ ann, room }) => {
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

test("whatever was done with the keyboard, one can write on at once", async ({ ann, room, request }) => {
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
  await ann.rename(`Ann ${room}`.slice(0, 30));
  await expect(ann.composer).toBeFocused();
  for (const page of ["PageUp", "PageUp"]) await ann.page.keyboard.press(page);
  const pill = ann.page.getByRole("button", { name: "Jump to latest" });
  await expect(pill).toBeVisible();
  await pill.press("Enter");
  await expect(ann.composer).toBeFocused();
  await expect(ann.line("mine")).toBeInViewport();
});

test("a sheet takes the focus and gives it back, and closes when the focus goes elsewhere", async ({ ann, room }) => {
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

test("from an older page the same key leads to the latest message", async ({ ann, room, request }) => {
  await postMessages(request, room, 95);
  await ann.page.goto(`/r/${room}?around=30`);
  await expect(ann.page.locator("html")).toHaveAttribute("data-alive", "");
  await ann.page.keyboard.press("Alt+End");
  await expect(ann.line("message 95")).toBeInViewport();
});

test("an arrow up in an empty composer edits the last message", async ({ ann, bob, room }) => {
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

test("keys lead to the next unread room, and to the next one", async ({ ann, bob, room }) => {
  const [one, two, three] = ["a", "b", "c"].map((letter) => `${letter}-${room}`) as [string, string, string];
  for (const name of [one, two, three]) {
    await ann.joinRoom(name);
    // A room is on her list once something was said in it.
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

test("the keyboard alone reaches everything, the place to write first", async ({ newUser, room }) => {
  // With a script and a mouse the place to write has the focus already.
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
