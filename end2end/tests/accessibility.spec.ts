import { OwnServer } from "../hubbub";
import { expect, isAccessible, test } from "../people";

const phone = { width: 360, height: 740 };

for (const colorScheme of ["light", "dark"] as const) {
  test(`axe finds nothing in any state, in ${colorScheme}`, async ({ newUser, room }) => {
    const ann = await newUser({ colorScheme });
    const bob = await newUser();
    await ann.joinRoom(room);
    await isAccessible(ann);
    await bob.joinRoom(room);
    await bob.send("hello");
    await ann.send("hello yourself");
    await ann.seesMessage("hello");
    await isAccessible(ann);
    await ann.send("x".repeat(9_000));
    await ann.page.locator(".me summary").click();
    await isAccessible(ann);
    ann.allowConsoleError(/404/);
    await ann.page.goto("/r/No_Such_Room");
    await isAccessible(ann);
  });

  test(`axe finds nothing on any sheet and on the other pages, in ${colorScheme}`, async ({ newUser, room }) => {
    test.slow();
    const ann = await newUser({ colorScheme });
    for (const sheet of ["about", "settings", "shortcuts"] as const) {
      await ann.page.goto(`/r/${room}`);
      await ann.waitUntilLive();
      await ann.openDialog(sheet);
      await isAccessible(ann);
    }
    await ann.page.goto(`/r/${room}?before=1`);
    await isAccessible(ann);
    await ann.page.goto("/rooms");
    await isAccessible(ann);
    await ann.page.goto(`/r/${room}`);
    await ann.openDialog("settings");
    await ann.page.getByRole("button", { name: "Create link" }).click();
    await isAccessible(ann);
  });

  test(`all twelve colours of names can be read, in ${colorScheme}`, async ({ newUser, room, playwright, baseURL }) => {
    for (let n = 0; n < 24; n++) {
      const visitor = await playwright.request.newContext({ baseURL });
      await visitor.post(`/api/rooms/${room}/messages`, { data: { text: `message ${n}` } });
      await visitor.dispose();
    }
    const ann = await newUser({ colorScheme });
    await ann.joinRoom(room);
    await isAccessible(ann);
  });
}

test("axe finds nothing on a phone in Chinese, with the sheets open", async ({ newUser, room }) => {
  const ming = await newUser({ viewport: phone, hasTouch: true, isMobile: true, locale: "zh-CN" });
  await ming.page.goto(`/r/${room}`);
  await ming.waitUntilLive();
  for (const sheet of ["rooms", "members", "about"]) {
    await ming.page.locator(`[popovertarget=${sheet}]:visible`).first().tap();
    await expect(ming.page.locator(`#${sheet}`)).toBeVisible();
    await isAccessible(ming);
    await ming.page.keyboard.press("Escape");
  }
});

test("axe finds nothing where somebody is refused, or becomes somebody", async ({ newUser, room }) => {
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
  await mute.page.locator(".menu[open]").getByRole("button", { name: "Save" }).click();
  await expect(mute.page.getByLabel("Message text")).toHaveValue("long ".repeat(2_000));
  await mute.page.getByLabel("Message text").fill("short");
  await mute.page.getByRole("button", { name: "Save" }).click();
  await mute.seesMessages(["mine", "short"]);
});

test("at twice the size everything is still there", async ({ newUser, room }) => {
  // A browser that zooms to 200 % has half as many pixels for the page.
  const ann = await newUser({ viewport: { width: 640, height: 400 } });
  await ann.joinRoom(room);
  await ann.send("large letters");
  await ann.seesMessage("large letters");
  await expect(ann.line("large letters")).toBeInViewport();
  await expect(ann.composer).toBeInViewport();
  expect(await ann.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(640);
});

test("on a small phone everything fits and works", async ({ newUser, room }) => {
  const ann = await newUser({ viewport: phone, hasTouch: true, isMobile: true });
  await ann.joinRoom(room);
  await ann.rename("A name of 32 characters, at most");
  await ann.send(`a word of 200 letters: ${"w".repeat(200)}`);
  await ann.composer.fill("sent by touch");
  await ann.page.getByRole("button", { name: "Send" }).tap();
  await ann.seesMessage("sent by touch");
  const width = await ann.page.evaluate(() => document.documentElement.scrollWidth);
  expect(width, "nothing is wider than the screen").toBeLessThanOrEqual(phone.width);
  await expect(ann.composer).toBeInViewport();
  await expect(ann.line("sent by touch")).toBeInViewport();
  for (const control of await ann.page.locator("button:visible, .me summary").all()) {
    const box = await control.boundingBox();
    expect(box?.height, "a finger can hit it").toBeGreaterThanOrEqual(44);
  }
});

test("new messages are read out one by one, and a flood of them by its number", async ({ ann, bob, room }) => {
  await ann.page.clock.install();
  await ann.joinRoom(room);
  const log = ann.page.getByRole("log", { name: "Messages" });
  const number = ann.page.locator(".page > [aria-live=polite]");
  await expect(log).toHaveAttribute("aria-live", "polite");
  await bob.joinRoom(room);
  await bob.send("one");
  await ann.seesMessage("one");
  await expect(log).toHaveAttribute("aria-live", "polite");
  for (let n = 1; n <= 20; n++) await bob.send(`message ${n}`);
  await ann.seesMessage("message 20");
  await expect(log).toHaveAttribute("aria-live", "off");
  await ann.page.clock.runFor(5_000);
  await expect(number).toHaveText(/^\d+ new messages$/);
  await ann.page.clock.runFor(10_000);
  await expect(log).toHaveAttribute("aria-live", "polite");
});

test("older messages that come onto the page are not read out as news", async ({ ann, room, request }) => {
  for (let n = 1; n <= 60; n++) await request.post(`/api/rooms/${room}/messages`, { data: { text: `message ${n}` } });
  await ann.joinRoom(room);
  await ann.page.evaluate(() => {
    const log = document.querySelector("[role=log]")!;
    const heard: string[] = [];
    Object.assign(window, { heard });
    new MutationObserver((changes) => {
      if (log.getAttribute("aria-live") !== "off") heard.push(...changes.flatMap((change) => [...change.addedNodes]).map(String));
    }).observe(log.querySelector("ol")!, { childList: true });
  });
  await ann.messages.first().scrollIntoViewIfNeeded();
  await expect(ann.line("message 1")).toHaveCount(1);
  expect(await ann.page.evaluate(() => (window as unknown as { heard: string[] }).heard)).toEqual([]);
  await expect(ann.page.getByRole("log")).toHaveAttribute("aria-live", "polite");
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`axe finds nothing where something waits, is refused, new or marked, in ${colorScheme}`, async ({ newUser, bob }) => {
    const server = await OwnServer.start();
    const ann = await newUser({ colorScheme, baseURL: server.url });
    for (const person of [ann, bob]) person.allowServerLoss();
    await ann.joinRoom("tea");
    await bob.page.goto(`${server.url}/r/tea`);
    await bob.waitUntilLive();
    await ann.send("first");
    await bob.seesMessage("first");
    await ann.page.goto("/rooms");
    for (let n = 1; n <= 30; n++) await bob.send(`message ${n}`);
    await bob.seesMessage("message 30");
    await ann.joinRoom("tea");
    await expect(ann.page.locator("#new")).toBeVisible();
    await isAccessible(ann);
    await ann.page.goto("/r/tea?around=20#m20");
    await ann.waitUntilLive();
    await isAccessible(ann);
    await server.stop();
    await ann.send("this one waits");
    await expect(ann.page.getByText("Offline.")).toBeVisible();
    await isAccessible(ann);
    await bob.page.close();
    await ann.page.close();
    await server.remove();
  });
}
