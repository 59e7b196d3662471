import { expect, test } from "../people";

for (const javaScriptEnabled of [true, false]) {
  test(`Ann creates a room from the lobby and Bob finds it, script ${javaScriptEnabled ? "on" : "off"}`, async ({ newUser, room }) => {
    const title = `Tea ${room}`;
    const ann = await newUser({ javaScriptEnabled });
    await ann.page.goto("/");
    await expect(ann.page.locator(".room-header .topic")).toContainText("Open to everyone with the link");
    await ann.page.getByRole("link", { name: "New room" }).click();
    await ann.page.getByLabel("Room name").fill(title);
    await ann.page.getByLabel("Topic (optional)").fill("Every day at four");
    await ann.page.getByRole("button", { name: "Create room" }).click();
    await expect(ann.page.getByRole("heading", { name: title, level: 1 })).toBeVisible();
    await expect(ann.page.locator(".room-header .topic")).toHaveText("Every day at four");
    const bob = await newUser({ javaScriptEnabled });
    await bob.page.goto("/rooms");
    await bob.page.getByRole("link", { name: title }).click();
    await expect(bob.page.getByRole("heading", { name: title, level: 1 })).toBeVisible();
  });
}

test("unread messages of other rooms are counted", async ({ ann, bob, room }) => {
  await ann.createRoom(`Here ${room}`);
  await bob.createRoom(`There ${room}`);
  await bob.send("welcome");
  await ann.joinRoom(`there-${room}`);
  await ann.seesMessage("welcome");
  // An acknowledged post puts the room into Ann's list; what she has read may be stored later.
  await ann.send("thanks");
  await ann.seesMessage("thanks");
  await ann.room(`There ${room}`).waitFor();
  await ann.joinRoom(`here-${room}`);
  await expect(ann.room(`There ${room}`)).toHaveAttribute("href", `/r/there-${room}`);
  await bob.send("one");
  await bob.send("two");
  await bob.seesMessage("two");
  await expect(ann.room(`There ${room}`)).toContainText("2 unread");
  await expect(ann.page).toHaveTitle(/^\(2\) Here/);
  await expect(ann.page.locator("link[rel=icon]")).toHaveAttribute("href", "/favicon-unread.svg");
  await ann.room(`There ${room}`).click();
  await ann.waitUntilLive();
  await expect(ann.page.locator("#new")).toBeInViewport();
  await ann.seesMessages(["welcome", "thanks", "one", "two"]);
  await expect(ann.page).toHaveTitle(/^There/);
});

test("with more rooms than the list shows, a link opens all of them", async ({ ann, room, request }) => {
  for (let n = 1; n <= 21; n++) await request.post(`/api/rooms/z-${room}-${n}/messages`, { data: { text: "here too" } });
  await ann.joinRoom(room);
  await ann.page.getByRole("link", { name: "All rooms" }).click();
  for (const n of [1, 21]) await expect(ann.page.locator(`a[href="/r/z-${room}-${n}"]`)).toBeVisible();
});

test("only users who have visited a private room have it in their list", async ({ ann, bob, room }) => {
  await ann.createRoom(`Secret ${room}`, "", true);
  expect(new URL(ann.page.url()).pathname).toMatch(/^\/r\/p-[0-9a-f]{32}$/);
  const path = new URL(ann.page.url()).pathname;
  await bob.page.goto("/rooms");
  await expect(bob.page.getByText(`Secret ${room}`)).toHaveCount(0);
  await bob.page.goto(path);
  await bob.waitUntilLive();
  await bob.send("I have the link");
  await ann.seesMessage("I have the link");
  await ann.joinRoom(room);
  await expect(ann.room(`Secret ${room}`)).toContainText("private");
});

test("the owner renames a room, and its members see that at once", async ({ ann, bob, room }) => {
  await ann.createRoom(`Old ${room}`);
  await bob.joinRoom(`old-${room}`);
  const about = await ann.openDialog("about");
  await about.getByLabel("Room name").fill(`New ${room}`);
  await about.getByLabel("Topic").fill("about something");
  await about.getByRole("button", { name: "Save" }).click();
  await expect(bob.page.getByRole("heading", { level: 1 })).toHaveText(`New ${room}`);
  await expect(bob.page.locator(".room-header .topic")).toHaveText("about something");
  await expect(bob.room(`New ${room}`)).toBeVisible();
  const seen = await bob.openDialog("about");
  await expect(seen.getByLabel("Room name")).toHaveCount(0);
  await expect(seen.getByRole("heading")).toHaveText(`New ${room}`);
  await expect(seen.getByText("about something")).toBeVisible();
});

test("a taken room name shows an error and keeps the input", async ({ ann, room }) => {
  await ann.createRoom(`Twins ${room}`);
  await ann.page.goto("/rooms");
  ann.allowConsoleError(/409|400/);
  await ann.page.getByLabel("Room name").fill(`TWINS  ${room}`);
  await ann.page.getByLabel("Topic (optional)").fill("not lost");
  await ann.page.getByRole("button", { name: "Create room" }).click();
  const alert = ann.page.getByRole("alert");
  await expect(alert).toContainText("already");
  await expect(ann.page.getByLabel("Topic (optional)")).toHaveValue("not lost");
  await alert.getByRole("link").click();
  await expect(ann.page.getByRole("heading", { name: `Twins ${room}`, level: 1 })).toBeVisible();
});

test("the room details show the link as a QR code, and a button copies it", async ({ newUser, room, baseURL }) => {
  const ann = await newUser({ permissions: ["clipboard-read", "clipboard-write"] });
  await ann.joinRoom(room);
  const about = await ann.openDialog("about");
  await expect(about.getByRole("img", { name: "QR code of the link" })).toBeVisible();
  await about.getByRole("button", { name: "Copy link" }).click();
  await expect(about.getByRole("button", { name: "Copied" })).toBeVisible();
  await expect(about.getByRole("button", { name: "Copy link" })).toBeVisible();
  expect(await ann.page.evaluate(() => navigator.clipboard.readText())).toBe(`${baseURL}/r/${room}`);
});
