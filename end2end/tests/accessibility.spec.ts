import { OwnServer } from "../hubbub";
import { expect, isAccessible, isAccessibleInLightAndDark, postMessages, test } from "../people";

const phone = { width: 360, height: 740 };

test("axe finds no violation in any state of a room", async ({ newUser, room }) => {
  const ann = await newUser();
  const bob = await newUser();
  await ann.joinRoom(room);
  await isAccessibleInLightAndDark(ann);
  await bob.joinRoom(room);
  await bob.send("hello");
  await ann.send("hello yourself");
  await ann.seesMessage("hello");
  await isAccessibleInLightAndDark(ann);
  await ann.send("x".repeat(9_000));
  await ann.profile.click();
  await isAccessibleInLightAndDark(ann);
  ann.allowConsoleError(/404/);
  await ann.page.goto("/r/No_Such_Room");
  await isAccessibleInLightAndDark(ann);
});

test("axe finds no violation in the dialogs and on the other pages", { tag: "@long" }, async ({ newUser, room }) => {
  test.slow();
  const ann = await newUser();
  for (const dialog of ["about", "settings", "shortcuts"] as const) {
    await ann.joinRoom(room);
    await ann.openDialog(dialog);
    await isAccessibleInLightAndDark(ann);
  }
  await ann.page.goto(`/r/${room}?before=1`);
  await isAccessibleInLightAndDark(ann);
  for (const page of ["/rooms", "/search", "/search?q=before:gestern"]) {
    await ann.page.goto(page);
    await isAccessibleInLightAndDark(ann);
  }
  await ann.page.goto(`/r/${room}`);
  await ann.openDialog("settings");
  await ann.page.getByRole("button", { name: "Create link" }).click();
  await isAccessibleInLightAndDark(ann);
});

test("axe finds no violation in the twelve colors of names", async ({ newUser, room, playwright, baseURL }) => {
  for (let n = 0; n < 24; n++) {
    const visitor = await playwright.request.newContext({ baseURL });
    await visitor.post(`/api/rooms/${room}/messages`, { data: { text: `message ${n}` } });
    await visitor.dispose();
  }
  const ann = await newUser();
  await ann.joinRoom(room);
  await isAccessibleInLightAndDark(ann);
  // As a message whose link was opened.
  await ann.messages.evaluateAll((lines) => lines.forEach((line) => line.classList.add("marked")));
  await isAccessibleInLightAndDark(ann);
});

test("axe finds no violation on a phone in Chinese with each popover open", async ({ newUser, room }) => {
  const ming = await newUser({ viewport: phone, hasTouch: true, isMobile: true, locale: "zh-CN" });
  await ming.page.goto(`/r/${room}`);
  await ming.waitUntilLive();
  for (const popover of ["rooms", "members", "about"]) {
    await ming.page.locator(`[popovertarget=${popover}]:visible`).first().tap();
    await expect(ming.page.locator(`#${popover}`)).toBeVisible();
    await isAccessible(ming);
    await ming.page.keyboard.press("Escape");
  }
});

test("axe finds no violation on pages of errors and device links", async ({ newUser, room }) => {
  const ann = await newUser();
  ann.allowConsoleError(/4\d\d/);
  await ann.joinRoom(room);
  await ann.send("mine");
  await ann.seesMessage("mine");
  await ann.openDialog("settings");
  await ann.page.getByRole("button", { name: "Create link" }).click();
  const link = await ann.page.getByLabel("Link", { exact: true }).inputValue();
  const ming = await newUser({ viewport: phone, locale: "zh-CN" });
  ming.allowConsoleError(/410/);
  await ming.page.goto(link);
  await isAccessible(ming);
  await ming.page.getByRole("button", { name: "继续" }).click();
  await ming.page.goto(link);
  await isAccessible(ming);
  await ann.page.goto("/offline");
  await isAccessible(ann);
  const mute = await newUser({ javaScriptEnabled: false });
  mute.allowConsoleError(/4\d\d/);
  await mute.page.goto(`/r/${room}`);
  await mute.composer.fill("mine too");
  await mute.page.getByRole("button", { name: "Send" }).click();
  await mute.openMenu("mine too");
  await mute.editor.fill("long ".repeat(2_000));
  await mute.menu.getByRole("button", { name: "Save" }).click();
  await expect(mute.page.getByLabel("Message text")).toHaveValue("long ".repeat(2_000));
  await mute.page.getByLabel("Message text").fill("short");
  await mute.page.getByRole("button", { name: "Save" }).click();
  await mute.seesMessages(["mine", "short"]);
});

test("a page at 200 % zoom shows the newest message and the composer", async ({ newUser, room }) => {
  // A browser that zooms to 200 % gives the page half as many pixels.
  const ann = await newUser({ viewport: { width: 640, height: 400 } });
  await ann.joinRoom(room);
  await ann.send("large letters");
  await ann.seesMessage("large letters");
  await expect(ann.line("large letters")).toBeInViewport();
  await expect(ann.composer).toBeInViewport();
  expect(await ann.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(640);
});

test("a small phone shows everything and works by touch", async ({ newUser, room }) => {
  const ann = await newUser({ viewport: phone, hasTouch: true, isMobile: true });
  await ann.joinRoom(room);
  await ann.rename("A name of 32 characters, at most");
  await ann.send(`a word of 200 letters: ${"w".repeat(200)}`);
  await ann.composer.fill("sent by touch");
  await ann.page.getByRole("button", { name: "Send" }).tap();
  await ann.seesMessage("sent by touch");
  const width = await ann.page.evaluate(() => document.documentElement.scrollWidth);
  expect(width, "width of the page").toBeLessThanOrEqual(phone.width);
  await expect(ann.composer).toBeInViewport();
  await expect(ann.line("sent by touch")).toBeInViewport();
  for (const control of await ann.page.locator("button:visible, .me summary").all()) {
    const box = await control.boundingBox();
    expect(box?.height, "height of a touch target").toBeGreaterThanOrEqual(44);
  }
});

test("screen readers announce new messages one by one, and a flood by its count", async ({ ann, bob, room }) => {
  await ann.page.clock.install();
  await ann.joinRoom(room);
  const log = ann.page.getByRole("log", { name: "Messages" });
  const count = ann.page.locator(".page > [aria-live=polite]");
  await expect(log).toHaveAttribute("aria-live", "polite");
  await bob.joinRoom(room);
  await bob.send("one");
  await ann.seesMessage("one");
  await expect(log).toHaveAttribute("aria-live", "polite");
  // All of them arrive in the same moment of Ann's clock, however long Bob takes.
  await ann.page.clock.pauseAt(await ann.page.evaluate(() => Date.now() + 1_000));
  for (let n = 1; n <= 20; n++) await bob.send(`message ${n}`);
  await bob.seesMessage("message 20");
  await expect(log).toHaveAttribute("aria-live", "off");
  await ann.page.clock.runFor(1_000);
  await ann.seesMessage("message 20");
  await ann.page.clock.runFor(5_000);
  await expect(count).toHaveText(/^\d+ new messages$/);
  await ann.page.clock.runFor(10_000);
  await expect(log).toHaveAttribute("aria-live", "polite");
});

test("screen readers do not announce older messages that are loaded", async ({ ann, room, request }) => {
  await postMessages(request, room, 60);
  await ann.joinRoom(room);
  await ann.page.evaluate(() => {
    const log = document.querySelector("[role=log]")!;
    const announced: string[] = [];
    Object.assign(window, { announced });
    new MutationObserver((changes) => {
      if (log.getAttribute("aria-live") !== "off") announced.push(...changes.flatMap((change) => [...change.addedNodes]).map(String));
    }).observe(log.querySelector("ol")!, { childList: true });
  });
  await ann.messages.first().scrollIntoViewIfNeeded();
  await expect(ann.line("message 1")).toHaveCount(1);
  expect(await ann.page.evaluate(() => (window as unknown as { announced: string[] }).announced)).toEqual([]);
  await expect(ann.page.getByRole("log")).toHaveAttribute("aria-live", "polite");
});

test("axe finds no violation beside pending, unread and highlighted messages", { tag: "@long" }, async ({ newUser, bob }) => {
  const server = await OwnServer.start("--post-rate", "0");
  const ann = await newUser({ baseURL: server.url });
  for (const user of [ann, bob]) user.allowServerLoss();
  await ann.joinRoom("tea");
  await bob.page.goto(`${server.url}/r/tea`);
  await bob.waitUntilLive();
  await ann.send("first");
  await bob.seesMessage("first");
  await ann.page.goto("/rooms");
  for (let n = 1; n <= 30; n++) await bob.page.request.post(`${server.url}/api/rooms/tea/messages`, { data: { text: `message ${n}` } });
  await bob.seesMessage("message 30");
  await ann.joinRoom("tea");
  await expect(ann.page.locator("#new")).toBeVisible();
  await isAccessibleInLightAndDark(ann);
  await ann.page.goto("/r/tea?around=20#m20");
  await ann.waitUntilLive();
  await isAccessibleInLightAndDark(ann);
  await server.stop();
  await ann.send("this one waits");
  await expect(ann.page.getByText("Offline.")).toBeVisible();
  await isAccessibleInLightAndDark(ann);
  await bob.page.close();
  await ann.page.close();
  await server.remove();
});
