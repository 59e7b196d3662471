import { expect, postMessages, test, uniqueName } from "../people";

const withoutScript = { javaScriptEnabled: false };

test("without script Ann reads and posts messages", async ({ newUser, bob, room }) => {
  await bob.joinRoom(room);
  await bob.send("anybody without script?");
  await bob.seesMessage("anybody without script?");
  const ann = await newUser(withoutScript);
  await ann.page.goto(`/r/${room}`);
  await expect(ann.messages).toHaveText(["anybody without script?"]);
  await ann.composer.fill("me,\nin two lines");
  await ann.page.getByRole("button", { name: "Send" }).click();
  await expect(ann.page).toHaveURL(`/r/${room}`);
  await expect(ann.messages).toHaveText(["anybody without script?", "me,\nin two lines"]);
  await bob.seesMessage("me,\nin two lines");
});

test("without script the newest message is visible and older ones are linked", async ({ newUser, room, request }) => {
  await postMessages(request, room, 55);
  const ann = await newUser(withoutScript);
  await ann.page.goto(`/r/${room}`);
  await expect(ann.line("message 55")).toBeInViewport();
  await ann.page.getByRole("link", { name: "Older messages" }).click();
  await expect(ann.messages).toHaveCount(5);
});

test("without script Ann changes her name", async ({ newUser, room }) => {
  const ann = await newUser(withoutScript);
  await ann.page.goto(`/r/${room}`);
  const name = uniqueName("Ann", room);
  await ann.rename(name);
  await expect(ann.page).toHaveURL(`/r/${room}`);
  await ann.page.reload();
  await expect(ann.name).toHaveText(name);
});

test("without script a rejected input shows an error and stays in the field", async ({ newUser, room }) => {
  const ann = await newUser(withoutScript);
  await ann.page.goto(`/r/${room}`);
  ann.allowConsoleError(/413|400/);
  const long = `  <b>\n${"long ".repeat(2000)}`;
  await ann.composer.fill(long);
  await ann.page.getByRole("button", { name: "Send" }).click();
  await expect(ann.page.getByRole("alert").filter({ hasText: "at most 8192 bytes" })).toBeVisible();
  await expect(ann.composer).toHaveValue(long);
  await ann.profile.click();
  await ann.page.getByLabel("Your name").fill("\u202e");
  await ann.page.getByRole("button", { name: "Save" }).click();
  await expect(ann.page.getByRole("alert").filter({ hasText: "Please enter a name" })).toBeVisible();
  await expect(ann.page.getByLabel("Your name")).toHaveValue("\u202e");
});

test("hydration keeps a rejected input", async ({ ann, room }) => {
  await ann.page.addInitScript("window.Socket = window.WebSocket; delete window.WebSocket");
  await ann.page.goto(`/r/${room}`);
  ann.allowConsoleError(/413/);
  await ann.composer.fill("long ".repeat(2000));
  await ann.page.addInitScript("window.WebSocket = window.Socket");
  await ann.page.getByRole("button", { name: "Send" }).click();
  await ann.waitUntilLive();
  await expect(ann.composer).toHaveValue("long ".repeat(2000));
  await ann.composer.fill("short");
  await ann.composer.press("Enter");
  await ann.seesMessages(["short"]);
  await expect(ann.page.getByRole("alert").filter({ hasText: "at most" })).toHaveCount(0);
});

test("a browser without WebSockets posts a message", async ({ ann, room }) => {
  await ann.page.addInitScript("delete window.WebSocket");
  await ann.page.goto(`/r/${room}`);
  await ann.composer.fill("the old way");
  await ann.page.getByRole("button", { name: "Send" }).click();
  await ann.seesMessages(["the old way"]);
});
