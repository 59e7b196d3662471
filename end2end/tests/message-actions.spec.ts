import { expect, isAccessible, postMessages, test } from "../people";

test("the bar copies the link of a message, and the menu its text", async ({ newUser, room, bob }) => {
  const ann = await newUser({ permissions: ["clipboard-read", "clipboard-write"] });
  const clipboard = () => ann.page.evaluate(() => navigator.clipboard.readText());
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await bob.send("take **this**");
  await ann.act("take this", "Copy link");
  await expect.poll(clipboard).toMatch(new RegExp(`/r/${room}\\?around=1#m1$`));
  await expect(ann.page.locator("#action-status")).toHaveText("Copied");
  await ann.act("take this", "More");
  await isAccessible(ann);
  await ann.actions.getByRole("menuitem", { name: "Copy text" }).click();
  await expect.poll(clipboard).toBe("take this");
});

test("Ann copies selected messages as Markdown", async ({ newUser, room, bob }) => {
  const ann = await newUser({ permissions: ["clipboard-read", "clipboard-write"] });
  const clipboard = () => ann.page.evaluate(() => navigator.clipboard.readText());
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  const texts = ["# [x](y) **bold** `a*b` <b>", "- one\n- *two*", "> quoted\n\n```js\nlet tea = 1;\n```", "last https://tea.example/"];
  for (const text of texts) {
    await bob.composer.fill(text);
    await bob.submit();
  }
  await expect(ann.messages).toHaveCount(texts.length);
  const name = ((await bob.name.textContent()) ?? "").trim();
  const row = (seq: number) => ann.page.locator(`#m${seq}`);
  await row(4).focus();
  await ann.page.keyboard.press("Shift+Y");
  await expect.poll(clipboard).toMatch(/^\*\*.+\*\* \d{4}-\d\d-\d\d \d\d:\d\d\n\n> last <https:\/\/tea\.example\/>\n$/);
  await expect(ann.page.locator("#action-status")).toHaveText("Copied");
  await ann.page.evaluate(() => {
    const text = (seq: number) => document.querySelector(`#m${seq} .text`) as Element;
    getSelection()?.setBaseAndExtent(text(1), 0, text(3), 1);
  });
  await row(2).hover();
  await ann.page.locator("#message-bar [data-action=more]").click();
  await ann.actions.getByRole("menuitem", { name: "Copy as Markdown" }).click();
  const quotes = [
    "> \\# \\[x\\](y) **bold** `a*b` \\<b\\>\n",
    "> - one\n> - *two*\n",
    "> > quoted\n>\n> ```js\n> let tea = 1;\n> ```\n",
  ];
  const author = (await row(1).locator(".author").textContent())?.trim() ?? "";
  expect(author).toContain(name);
  await expect.poll(async () => (await clipboard()).split(/\*\*.+\*\* \d{4}-\d\d-\d\d \d\d:\d\d\n\n/)).toEqual(["", quotes[0] + "\n", quotes[1] + "\n", quotes[2]]);
});

test("without the clipboard API links, texts and code are copied by the selection", async ({ ann, bob, room }) => {
  await ann.page.addInitScript(() => Object.defineProperty(navigator, "clipboard", { value: undefined }));
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await bob.composer.fill("```\nlet tea = 1;\n```");
  await bob.submit();
  await bob.send("take **this**");
  await ann.seesMessage("take this");
  const pastes = async (text: string | RegExp) => {
    await ann.composer.fill("");
    await ann.composer.press("Control+v");
    await expect(ann.composer).toHaveValue(text);
  };
  await ann.act("take this", "Copy link");
  await expect(ann.page.locator("#action-status")).toHaveText("Copied");
  await pastes(/around=2#m2$/);
  await ann.act("take this", "More");
  await ann.actions.getByRole("menuitem", { name: "Copy text" }).click();
  await expect(ann.page.locator("#action-status")).toHaveText("Copied");
  await ann.page.keyboard.press("Escape");
  await pastes("take this");
  await ann.page.locator("#m1").hover();
  await ann.page.locator("#m1 [data-copy-code]").click();
  await expect(ann.page.locator("#m1 [data-copy-code]")).toHaveText("Copied");
  await pastes("let tea = 1;");
  const about = await ann.openDialog("about");
  await about.locator("[data-copy]").click();
  await expect(about.locator("[data-copy]")).toHaveText("Copied");
  await ann.page.keyboard.press("Escape");
  await pastes(ann.page.url());
});

test("the menu of a message has what the user may do with it", async ({ ann, bob, room }) => {
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await bob.send("from Bob");
  await ann.send("from Ann");
  await ann.seesMessage("from Bob");
  await ann.act("from Bob", "More");
  await expect(ann.actions.getByRole("menuitem")).toHaveText([
    /Reply/, /Copy link/, /Copy text/, /Copy as Markdown/, /Quote/, /Mark unread/, /Report or block/,
  ]);
  await ann.page.keyboard.press("Escape");
  await expect(ann.actions).toBeHidden();
  await ann.act("from Ann", "More");
  await expect(ann.actions.getByRole("menuitem")).toHaveText([/Reply/, /Copy link/, /Copy text/, /Copy as Markdown/, /Quote/, /Edit/, /Delete/]);
  await ann.actions.getByRole("menuitem", { name: "Edit" }).click();
  await ann.editor.fill("edited by Ann");
  await ann.editor.press("Enter");
  await bob.seesMessage("edited by Ann");
  await ann.act("edited by Ann", "More");
  await ann.actions.getByRole("menuitem", { name: "Delete" }).click();
  await expect(ann.page.getByRole("button", { name: "Undo" })).toBeVisible();
});

test("a quote of a message goes into the composer, after what is there", async ({ ann, bob, room }) => {
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await bob.composer.fill("one\ntwo");
  await bob.submit();
  await ann.seesMessage("one\ntwo");
  await ann.composer.fill("I read:");
  await ann.line("one\ntwo").hover();
  await ann.page.getByRole("toolbar").getByRole("button", { name: "More" }).click();
  await ann.actions.getByRole("menuitem", { name: "Quote" }).click();
  await expect(ann.composer).toHaveValue("I read:\n> one\n> two\n\n");
  // The draft is stored, as if it were typed.
  await ann.page.reload();
  await expect(ann.composer).toHaveValue("I read:\n> one\n> two\n\n");
});

test("the messages are one stop of the Tab key, with arrows and letters", async ({ ann, room, request }) => {
  await postMessages(request, room, 20);
  await ann.joinRoom(room);
  await ann.send("mine, see https://example.org");
  await ann.seesMessage("mine, see https://example.org");
  await expect(ann.composer).toBeFocused();
  await ann.page.keyboard.press("Shift+Tab");
  await expect(ann.page.locator(".line").last()).toBeFocused();
  await isAccessible(ann);
  await ann.page.keyboard.press("ArrowUp");
  await expect(ann.line("message 20")).toBeFocused();
  await ann.page.keyboard.press("Home");
  await expect(ann.line("message 1")).toBeFocused();
  await expect(ann.line("message 1")).toBeInViewport();
  await ann.page.keyboard.press("End");
  // The row's links and actions are behind its arrow.
  await ann.page.keyboard.press("ArrowRight");
  await ann.page.keyboard.press("ArrowRight");
  await expect(ann.page.locator(".line").last().locator(".text a")).toBeFocused();
  await ann.page.keyboard.press("Escape");
  await expect(ann.page.locator(".line").last()).toBeFocused();
  await ann.page.keyboard.press("e");
  await expect(ann.editor).toBeFocused();
  await ann.page.keyboard.press("Escape");
  await ann.page.keyboard.press("Shift+Tab");
  await ann.page.keyboard.press("ArrowUp");
  await ann.page.keyboard.press("r");
  await expect(ann.composer).toBeFocused();
  await expect(ann.page.locator(".reply-notice")).toContainText("message 20");
  await ann.page.keyboard.press("Escape");
  await ann.page.keyboard.press("Shift+Tab");
  await ann.page.keyboard.press("m");
  await expect(ann.actions).toBeVisible();
  await ann.page.keyboard.press("ArrowDown");
  await expect(ann.actions.getByRole("menuitem", { name: "Copy link" })).toBeFocused();
  await ann.page.keyboard.press("Escape");
  await expect(ann.actions).toBeHidden();
  await expect(ann.page.locator(".line").last()).toBeFocused();
  await ann.page.keyboard.press("Escape");
  await expect(ann.composer).toBeFocused();
});
