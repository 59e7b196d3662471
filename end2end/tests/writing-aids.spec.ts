import { expect, isAccessible, test, uniqueName, type User } from "../people";

const completions = (user: User) => user.page.getByRole("listbox", { name: "Suggestions" }).getByRole("option");

test("@ completes the name of a user by keyboard and by a tap", async ({ newUser, bob, room }) => {
  const name = uniqueName("Ann Miller", room);
  const ann = await newUser();
  await ann.joinRoom(room);
  await ann.rename(name);
  await ann.send("hi");
  await bob.joinRoom(room);
  await expect(bob.members.filter({ hasText: name })).toHaveCount(1);
  await bob.composer.pressSequentially("hello @mil");
  await expect(completions(bob)).toHaveText([new RegExp(name)]);
  await expect(completions(bob), "Ann is present").toHaveAccessibleName(/ here$/);
  await expect(completions(bob)).toHaveClass("present");
  await isAccessible(bob);
  await bob.page.keyboard.press("Enter");
  await expect(bob.composer).toHaveValue(`hello @${name} `);
  await expect(completions(bob)).toHaveCount(0);
  await bob.composer.pressSequentially("and @ann");
  await completions(bob).first().click();
  await expect(bob.composer).toHaveValue(`hello @${name} and @${name} `);
  await bob.page.keyboard.press("Enter");
  await expect(ann.line(`hello @${name} and @${name}`)).toHaveClass(/to-you/);
});

test(": completes the name of an emoji, Escape does not, and a whole name is replaced", async ({ ann, room }) => {
  await ann.joinRoom(room);
  await ann.composer.pressSequentially("fine :tada");
  await expect(completions(ann).first()).toContainText(":tada:");
  await ann.page.keyboard.press("Tab");
  await expect(ann.composer).toHaveValue("fine 🎉 ");
  await ann.composer.pressSequentially(":smi");
  await expect(completions(ann).first()).toBeVisible();
  await ann.page.keyboard.press("Escape");
  await expect(completions(ann)).toHaveCount(0);
  await ann.page.keyboard.press("Enter");
  await ann.seesMessage("fine 🎉 :smi");
  await ann.composer.pressSequentially(":smile:");
  await expect(ann.composer).toHaveValue("😄 ");
  // A time is no emoji, and neither is an unknown name.
  await ann.composer.fill("");
  await ann.composer.pressSequentially("at 10:30 :nosuchthing:");
  await expect(ann.composer).toHaveValue("at 10:30 :nosuchthing:");
  await expect(completions(ann)).toHaveCount(0);
});

test("a list of emoji that comes after Escape stays closed", async ({ ann, room }) => {
  let answer = () => {};
  const released = new Promise<void>((resolve) => (answer = resolve));
  await ann.page.route("**/emoji-en*", async (route) => {
    await released;
    await route.continue();
  });
  await ann.joinRoom(room);
  const request = ann.page.waitForRequest("**/emoji-en*");
  await ann.composer.pressSequentially(":smi");
  await request;
  await ann.page.keyboard.press("Escape");
  answer();
  // The page reads the same list again, which it has only after the script.
  await ann.page.evaluate(async () => (await fetch(document.getElementById("completions")!.dataset.emoji!)).text());
  await expect(completions(ann)).toHaveCount(0);
  await ann.composer.press("l");
  await expect(completions(ann).first()).toContainText(":smile");
});

test("pasted code can be sent as code", async ({ ann, room }) => {
  await ann.joinRoom(room);
  await ann.composer.fill("look: ");
  await ann.composer.evaluate((field: HTMLTextAreaElement) => {
    const code = "if (x) {\n  y();\n}\n";
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", code);
    field.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
    field.setRangeText(code, 6, 6, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  await ann.page.getByRole("button", { name: "Send as code" }).click();
  await expect(ann.composer).toHaveValue("look: \n```\nif (x) {\n  y();\n}\n```\n");
  await expect(ann.composer).toBeFocused();
  await ann.page.keyboard.press("Enter");
  await expect(ann.page.locator(".line .code-block code")).toHaveText("if (x) {\n  y();\n}");
});

test("near the limit the characters that are left are counted", async ({ ann, room }) => {
  await ann.joinRoom(room);
  const count = ann.page.locator("#count");
  await ann.composer.fill("x".repeat(6_000));
  await expect(count).toBeHidden();
  await ann.composer.fill("x".repeat(8_000));
  await expect(count).toHaveText("192");
  await ann.composer.fill("字".repeat(2_700));
  await expect(count).toHaveText("30");
  await ann.composer.fill("x".repeat(8_200));
  await expect(count).toHaveText("-8");
});

test("a room with a draft is marked in the list", async ({ ann, room }) => {
  await ann.createRoom(`Draft ${room}`);
  await ann.composer.fill("to be continued");
  await ann.joinRoom(room);
  await expect(ann.room(`Draft ${room}`)).toHaveAttribute("data-draft", "");
  await ann.room(`Draft ${room}`).click();
  await ann.waitUntilLive();
  await expect(ann.composer).toHaveValue("to be continued");
  await ann.composer.fill("");
  await ann.joinRoom(room);
  await expect(ann.room(`Draft ${room}`)).not.toHaveAttribute("data-draft");
});
