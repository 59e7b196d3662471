import { expect, test } from "../people";

test("ann edits what she said, in its place, and everybody sees it", async ({ ann, bob, room }) => {
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

test("what ann deletes is gone, and shown as gone", async ({ ann, bob, room }) => {
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

test("only what is one's own has a menu", async ({ ann, bob, room }) => {
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await ann.send("mine");
  await bob.seesMessage("mine");
  await expect(ann.line("mine").locator(".menu")).toHaveCount(1);
  await expect(bob.line("mine").locator(".menu")).toHaveCount(0);
});

test("with the keyboard alone a message is edited, and Escape changes nothing", async ({ ann, room }) => {
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

test("what is typed while the menu still opens stays", async ({ ann, room }) => {
  await ann.joinRoom(room);
  await ann.send("one");
  await ann.seesMessage("one");
  await ann.line("one")
    .locator(".menu")
    .evaluate(async (menu: HTMLDetailsElement) => {
      const opened = new Promise((heard) => menu.addEventListener("toggle", heard, { once: true }));
      menu.open = true;
      menu.querySelector("textarea")!.value = "two";
      await opened;
    });
  await expect(ann.editor).toBeFocused();
  await expect(ann.editor).toHaveValue("two");
});

test("without script ann edits and deletes", async ({ newUser, room }) => {
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

test("an edit that is too long is refused kindly and stays in its field", async ({ ann, room }) => {
  await ann.joinRoom(room);
  await ann.send("short");
  await ann.seesMessage("short");
  await ann.openMenu("short");
  await ann.editor.fill("x".repeat(9000));
  await ann.page.keyboard.press("Enter");
  await expect(ann.page.getByRole("alert").filter({ hasText: "too long" })).toBeVisible();
  await expect(ann.editor).toHaveValue("x".repeat(9000));
});

test("a finger that rests on ann's message opens its menu", async ({ newUser, room }) => {
  const ann = await newUser({ hasTouch: true, isMobile: true, viewport: { width: 390, height: 844 } });
  await ann.joinRoom(room);
  await ann.composer.fill("press me");
  await ann.page.getByRole("button", { name: "Send" }).tap();
  await ann.seesMessage("press me");
  const touch = { pointerType: "touch", bubbles: true };
  await ann.line("press me").dispatchEvent("pointerdown", touch);
  await expect(ann.editor).toBeFocused();
  await ann.line("press me").dispatchEvent("pointerup", touch);
  await ann.editor.fill("pressed");
  await ann.page.getByRole("button", { name: "Save" }).last().tap();
  await ann.seesMessage("pressed");
  await ann.line("pressed").dispatchEvent("pointerdown", touch);
  await ann.line("pressed").dispatchEvent("pointerup", touch);
  await ann.page.waitForTimeout(700);
  await expect(ann.editor, "a tap is no long press").toHaveCount(0);
});
