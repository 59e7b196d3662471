import { endTimers, expect, phone, stopTimers, test } from "../people";

/** The milliseconds of a long press. */
const LONG_PRESS_MS = 500;

test("Ann edits her message in place, and everyone sees the change", async ({ ann, bob, room }) => {
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await ann.send("helo");
  await bob.seesMessage("helo");
  await ann.edit("helo", "hello\nand more");
  await bob.seesMessage("hello\nand more");
  await expect(bob.line("hello\nand more").getByText("edited")).toBeVisible();
  await bob.page.reload();
  await bob.waitUntilLive();
  await bob.seesMessages(["hello\nand more"]);
  await expect(bob.page.locator(".edited")).toHaveText("edited");
});

test("a deleted message is shown as deleted", async ({ ann, bob, room }) => {
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await ann.send("not this");
  await bob.seesMessage("not this");
  await ann.delete("not this");
  await bob.seesMessages(["Deleted"]);
  await ann.seesMessages(["Deleted"]);
  await expect(ann.page.locator(".menu")).toHaveCount(0);
  await bob.page.reload();
  await bob.seesMessages(["Deleted"]);
});

test("only the user's own messages have a menu", async ({ ann, bob, room }) => {
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await ann.send("mine");
  await bob.seesMessage("mine");
  await expect(ann.line("mine").locator(".menu")).toHaveCount(1);
  await expect(bob.line("mine").locator(".menu")).toHaveCount(0);
});

test("the keyboard edits a message, and Escape cancels", async ({ ann, room }) => {
  await ann.joinRoom(room);
  await ann.send("one");
  await ann.seesMessage("one");
  await ann.page.locator(".menu summary").focus();
  await ann.page.keyboard.press("Enter");
  await expect(ann.editor).toBeFocused();
  await ann.page.keyboard.type(" and a half");
  await ann.page.keyboard.press("Escape");
  await ann.seesMessages(["one"]);
  await ann.page.locator(".menu summary").focus();
  await ann.page.keyboard.press("Enter");
  await ann.editor.fill("two");
  await ann.page.keyboard.press("Enter");
  await ann.seesMessage("two");
});

test("text that is typed while the menu opens stays", async ({ ann, room }) => {
  await ann.joinRoom(room);
  await ann.send("one");
  await ann.seesMessage("one");
  await ann.line("one")
    .locator(".menu")
    .evaluate(async (menu: HTMLDetailsElement) => {
      const opened = new Promise((toggled) => menu.addEventListener("toggle", toggled, { once: true }));
      menu.open = true;
      menu.querySelector("textarea")!.value = "two";
      await opened;
    });
  await expect(ann.editor).toBeFocused();
  await expect(ann.editor).toHaveValue("two");
});

test("Ann edits and deletes without script", async ({ newUser, room }) => {
  const ann = await newUser({ javaScriptEnabled: false });
  await ann.page.goto(`/r/${room}`);
  await ann.composer.fill("helo");
  await ann.page.getByRole("button", { name: "Send" }).click();
  await ann.openMenu("helo");
  await ann.editor.fill("hello");
  await ann.page.getByRole("button", { name: "Save" }).last().click();
  await ann.seesMessages(["hello"]);
  await ann.openMenu("hello");
  await ann.page.getByRole("button", { name: "Delete" }).click();
  await ann.seesMessages(["Deleted"]);
});

test("an edit that is too long shows an error and stays in the field", async ({ ann, room }) => {
  await ann.joinRoom(room);
  await ann.send("short");
  await ann.seesMessage("short");
  await ann.openMenu("short");
  await ann.editor.fill("x".repeat(9000));
  await ann.page.keyboard.press("Enter");
  await expect(ann.page.getByRole("alert").filter({ hasText: "too long" })).toBeVisible();
  await expect(ann.editor).toHaveValue("x".repeat(9000));
});

test("a long press opens the menu of actions", async ({ newUser, room }) => {
  const ann = await newUser(phone);
  await ann.joinRoom(room);
  await ann.composer.fill("press me");
  await ann.page.getByRole("button", { name: "Send" }).tap();
  await ann.seesMessage("press me");
  await ann.longPress("press me", "Edit");
  await ann.editor.fill("pressed");
  await ann.page.getByRole("button", { name: "Save" }).last().tap();
  await ann.seesMessage("pressed");
});

test("a tap does not open the menu", async ({ newUser, room }) => {
  const ann = await newUser(phone);
  await stopTimers(ann, [LONG_PRESS_MS]);
  await ann.joinRoom(room);
  await ann.send("tap me");
  await ann.seesMessage("tap me");
  const touch = { pointerType: "touch", bubbles: true };
  await ann.line("tap me").dispatchEvent("pointerdown", touch);
  await ann.line("tap me").dispatchEvent("pointerup", touch);
  await endTimers(ann);
  await expect(ann.actions).toBeHidden();
  // A press that is not released does.
  await ann.line("tap me").dispatchEvent("pointerdown", touch);
  await endTimers(ann);
  await expect(ann.actions).toBeVisible();
});
