import { expect, holdWasm, test } from "../people";

test("Enter sends, and Shift Enter inserts a line break", async ({ ann, bob, room }) => {
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await ann.composer.pressSequentially("first line");
  await ann.composer.press("Shift+Enter");
  await ann.composer.pressSequentially("second line");
  await expect(ann.composer).toHaveValue("first line\nsecond line");
  await ann.composer.press("Enter");
  await expect(ann.composer).toHaveValue("");
  await bob.seesMessage("first line\nsecond line");
});

test("Enter that ends a composition does not send", async ({ ann, room }) => {
  await ann.joinRoom(room);
  await ann.composer.fill("你");
  await ann.composer.evaluate((field) =>
    field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", isComposing: true, bubbles: true, cancelable: true })),
  );
  await expect(ann.composer).toHaveValue("你");
  await expect(ann.messages).toHaveCount(0);
});

test("a message appears at once as pending, and the same element becomes confirmed", async ({ ann, room }) => {
  let release = () => {};
  const held = new Promise<void>((done) => (release = done));
  await ann.page.routeWebSocket(/\/ws$/, (socket) => {
    const server = socket.connectToServer();
    server.onMessage(async (frame) => {
      if (/"type":"(ack|events)"/.test(String(frame))) await held;
      socket.send(frame);
    });
  });
  await ann.joinRoom(room);
  await ann.send("on its way");
  const line = ann.line("on its way");
  await expect(line).toHaveAttribute("data-standing", "pending");
  const element = await line.elementHandle();
  release();
  await expect(line).toHaveAttribute("data-standing", "confirmed");
  expect(await element?.evaluate((node) => node.isConnected), "the element is the same").toBe(true);
  await expect(ann.messages).toHaveCount(1);
});

test("white space alone is not sent", async ({ ann, room }) => {
  await ann.joinRoom(room);
  await ann.send("   \n ");
  await ann.send("a real one");
  await ann.seesMessages(["a real one"]);
});

test("a text that is too long shows an error and stays in the field", async ({ ann, room }) => {
  await ann.joinRoom(room);
  await ann.send("x".repeat(8_193));
  await expect(ann.page.getByRole("alert").filter({ hasText: "1 bytes too long" })).toBeVisible();
  await expect(ann.composer).toHaveValue("x".repeat(8_193));
  await ann.send("y".repeat(8_192));
  await ann.seesMessage("y".repeat(8_192));
  await expect(ann.page.locator("#text-problem")).toBeEmpty();
});

const hostile = [
  `<img src=x onerror="document.title='owned'">`,
  `</script><script>document.title='owned'</script>`,
  `&lt;b&gt; & "quotes" 'and' \`ticks\``,
  `javascript:alert(1)`,
  `line\u2028 and \u2029 separators \u0000 1`,
];

test("HTML in a message is shown as text, live and after a reload", async ({ ann, bob, room }) => {
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  for (const text of hostile) {
    await ann.send(text);
    await ann.composer.press("Enter");
  }
  // Text between backticks is code.
  const shown = hostile.map((text) => text.replace("\u0000", "\ufffd").replaceAll("`", ""));
  await expect.poll(() => bob.messages.evaluateAll((all) => all.map((one) => one.textContent))).toEqual(shown);
  await bob.page.reload();
  await bob.waitUntilLive();
  await expect.poll(() => bob.messages.evaluateAll((all) => all.map((one) => one.textContent))).toEqual(shown);
  await expect(bob.page.locator(".lines img, .lines script, .lines b b")).toHaveCount(0);
  await expect(bob.page).not.toHaveTitle("owned");
});

test("text that was typed before hydration is kept and sent", async ({ ann, room }) => {
  const release = await holdWasm(ann);
  await ann.page.goto(`/r/${room}`, { waitUntil: "commit" });
  await ann.composer.fill("early bird");
  release();
  await ann.waitUntilLive();
  await expect(ann.composer).toHaveValue("early bird");
  await ann.composer.press("Enter");
  await ann.seesMessages(["early bird"]);
});
