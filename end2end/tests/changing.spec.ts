import { expect, test } from "../people";

test("ann edits what she said, in its place, and everybody sees it", async ({ ann, bob, room }) => {
  await ann.enters(room);
  await bob.enters(room);
  await ann.says("helo");
  await bob.sees("helo");
  await ann.changes("helo", "hello\nand more");
  await bob.sees("hello\nand more");
  await expect(bob.line("hello\nand more").getByText("edited")).toBeVisible();
  await bob.page.reload();
  await bob.isLive();
  await bob.seesAll(["hello\nand more"]);
  await expect(bob.page.locator(".edited")).toHaveText("edited");
});

test("what ann deletes is gone, and shown as gone", async ({ ann, bob, room }) => {
  await ann.enters(room);
  await bob.enters(room);
  await ann.says("not this");
  await bob.sees("not this");
  await ann.deletes("not this");
  await bob.seesAll(["Deleted"]);
  await ann.seesAll(["Deleted"]);
  await expect(ann.page.locator(".menu")).toHaveCount(0);
  await bob.page.reload();
  await bob.seesAll(["Deleted"]);
});

test("only what is one's own has a menu", async ({ ann, bob, room }) => {
  await ann.enters(room);
  await bob.enters(room);
  await ann.says("mine");
  await bob.sees("mine");
  await expect(ann.line("mine").locator(".menu")).toHaveCount(1);
  await expect(bob.line("mine").locator(".menu")).toHaveCount(0);
});

test("with the keyboard alone a message is edited, and Escape changes nothing", async ({ ann, room }) => {
  await ann.enters(room);
  await ann.says("one");
  await ann.sees("one");
  await ann.page.locator(".menu summary").focus();
  await ann.page.keyboard.press("Enter");
  await expect(ann.editor).toBeFocused();
  await ann.page.keyboard.type(" and a half");
  await ann.page.keyboard.press("Escape");
  await ann.seesAll(["one"]);
  await ann.page.locator(".menu summary").focus();
  await ann.page.keyboard.press("Enter");
  await ann.editor.fill("two");
  await ann.page.keyboard.press("Enter");
  await ann.sees("two");
});

test("what is typed while the menu still opens stays", async ({ ann, room }) => {
  await ann.enters(room);
  await ann.says("one");
  await ann.sees("one");
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

test("without script ann edits and deletes", async ({ somebody, room }) => {
  const ann = await somebody({ javaScriptEnabled: false });
  await ann.page.goto(`/r/${room}`);
  await ann.composer.fill("helo");
  await ann.page.getByRole("button", { name: "Send" }).click();
  await ann.menu("helo");
  await ann.editor.fill("hello");
  await ann.page.getByRole("button", { name: "Save" }).last().click();
  await ann.seesAll(["hello"]);
  await ann.menu("hello");
  await ann.page.getByRole("button", { name: "Delete" }).click();
  await ann.seesAll(["Deleted"]);
});

test("an edit that is too long is refused kindly and stays in its field", async ({ ann, room }) => {
  await ann.enters(room);
  await ann.says("short");
  await ann.sees("short");
  await ann.menu("short");
  await ann.editor.fill("x".repeat(9000));
  await ann.page.keyboard.press("Enter");
  await expect(ann.page.getByRole("alert").filter({ hasText: "too long" })).toBeVisible();
  await expect(ann.editor).toHaveValue("x".repeat(9000));
});

test("a finger that rests on ann's message opens its menu", async ({ somebody, room }) => {
  const ann = await somebody({ hasTouch: true, isMobile: true, viewport: { width: 390, height: 844 } });
  await ann.enters(room);
  await ann.composer.fill("press me");
  await ann.page.getByRole("button", { name: "Send" }).tap();
  await ann.sees("press me");
  const touch = { pointerType: "touch", bubbles: true };
  await ann.line("press me").dispatchEvent("pointerdown", touch);
  await expect(ann.editor).toBeFocused();
  await ann.line("press me").dispatchEvent("pointerup", touch);
  await ann.editor.fill("pressed");
  await ann.page.getByRole("button", { name: "Save" }).last().tap();
  await ann.sees("pressed");
  await ann.line("pressed").dispatchEvent("pointerdown", touch);
  await ann.line("pressed").dispatchEvent("pointerup", touch);
  await ann.page.waitForTimeout(700);
  await expect(ann.editor, "a tap is no long press").toHaveCount(0);
});
