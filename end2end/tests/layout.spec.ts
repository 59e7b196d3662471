import { expect, test } from "../people";

const paper = (page: import("@playwright/test").Page) =>
  page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);

test("a theme is chosen at once, and the next page comes in it from the server", async ({ newUser, room }) => {
  const ann = await newUser({ colorScheme: "light" });
  await ann.joinRoom(room);
  const light = await paper(ann.page);
  await ann.openDialog("settings");
  await ann.page.getByRole("button", { name: "Dark", exact: true }).click();
  await expect(ann.page.locator("html")).toHaveAttribute("data-theme", "dark");
  await expect(ann.page).toHaveURL(`/r/${room}`);
  const dark = await paper(ann.page);
  expect(dark).not.toBe(light);
  for (const colour of await ann.page.locator("meta[name=theme-color]").all()) await expect(colour).toHaveAttribute("content", dark);
  const html = await (await ann.page.request.get(`/r/${room}`)).text();
  expect(html).toContain('data-theme="dark"');
  await ann.page.reload();
  expect(await paper(ann.page)).toBe(dark);
});

test("without script a theme is chosen too", async ({ newUser, room }) => {
  const ann = await newUser({ javaScriptEnabled: false, colorScheme: "dark" });
  await ann.page.goto(`/r/${room}`);
  const dark = await paper(ann.page);
  await ann.openDialog("settings");
  await ann.page.getByRole("button", { name: "Light", exact: true }).click();
  await expect(ann.page).toHaveURL(`/r/${room}`);
  expect(await paper(ann.page)).not.toBe(dark);
});

for (const width of [320, 390, 768, 1024, 1280, 2560]) {
  test(`at ${width} px nothing is cut off and nothing scrolls sideways`, async ({ newUser, room }) => {
    const ann = await newUser({ viewport: { width, height: 800 } });
    await ann.page.goto("/rooms");
    const sideways = () => ann.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(await sideways(), "the rooms").toBeLessThanOrEqual(0);
    await ann.page.getByLabel("Room name").fill(`${room.slice(-12)} 字${"w".repeat(40)}`.slice(0, 48));
    await ann.page.getByLabel("Topic (optional)").fill("topic ".repeat(30));
    await ann.page.getByRole("button", { name: "Create room" }).click();
    await ann.waitUntilLive();
    await ann.rename("字".repeat(32));
    await ann.send(`a word of 200 letters: ${"w".repeat(200)}`);
    await expect(ann.messages).toHaveCount(1);
    expect(await sideways(), "the room").toBeLessThanOrEqual(0);
    await expect(ann.composer).toBeInViewport();
    const about = await ann.openDialog("about");
    const box = await about.boundingBox();
    expect(box && box.x >= 0 && box.x + box.width <= width, "the sheet").toBeTruthy();
    await ann.page.keyboard.press("Escape");
    for (const control of await ann.page.locator(".room-header button, .room-header summary").all()) {
      if (!(await control.isVisible())) continue;
      const place = await control.boundingBox();
      expect(place && place.x >= 0 && place.x + place.width <= width + 0.5, "every control is on the screen").toBeTruthy();
    }
  });
}

test("on a phone rooms and people are sheets, and everything in them fits a finger", async ({ newUser, room }) => {
  const ann = await newUser({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await ann.joinRoom(room);
  for (const [button, sheet] of [["Rooms", "#rooms"], ["1 person here", "#members"], ["Room details", "#about"]] as const) {
    await expect(ann.page.locator(sheet)).toBeHidden();
    await ann.page.getByRole("button", { name: button }).tap();
    await expect(ann.page.locator(sheet)).toBeVisible();
    for (const target of await ann.page.locator(`${sheet} a, ${sheet} button, ${sheet} input:not([type=checkbox]), ${sheet} select, ${sheet} .checkbox`).all()) {
      if (await target.isVisible()) expect((await target.boundingBox())?.height, await target.innerText()).toBeGreaterThanOrEqual(43.9);
    }
    await ann.page.keyboard.press("Escape");
  }
  await ann.page.goto("/");
  const way = await ann.page.getByRole("link", { name: "New room" }).boundingBox();
  expect(way?.height).toBeGreaterThanOrEqual(43.9);
});

test("on a phone every sheet has a button that closes it", async ({ newUser, room }) => {
  const ann = await newUser({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, javaScriptEnabled: false });
  await ann.page.goto(`/r/${room}`);
  for (const sheet of ["rooms", "members", "about"]) {
    await ann.page.locator(`[popovertarget=${sheet}]:visible`).first().tap();
    await ann.page.locator(`#${sheet}`).getByRole("button", { name: "Close" }).tap();
    await expect(ann.page.locator(`#${sheet}`)).toBeHidden();
  }
});

test("a finger that rested on a message and is lifted does nothing more than open its menu", async ({ newUser, room }) => {
  const ann = await newUser({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await ann.joinRoom(room);
  await ann.send("mine, and it stays");
  await ann.seesMessage("mine, and it stays");
  const finger = await ann.page.context().newCDPSession(ann.page);
  for (const x of [30, 110, 200, 330]) {
    const box = (await ann.line("mine, and it stays").locator(".text").boundingBox())!;
    const touch = { x, y: box.y + box.height / 2 };
    await finger.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [touch] });
    await expect(ann.editor).toBeVisible();
    await finger.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
    await ann.page.waitForTimeout(100);
    await expect(ann.editor, `lifted at ${x} px`).toBeVisible();
    await expect(ann.line("mine, and it stays")).toHaveAttribute("data-standing", "confirmed");
    // And then it takes touches again.
    await expect(ann.page.locator(".long-press")).toHaveCount(0);
    await ann.page.locator(".menu[open]").getByRole("button", { name: "Cancel" }).tap();
    await expect(ann.editor).toBeHidden();
  }
});

test("a sheet that gets a place beside the page when the window grows is a sheet no longer", async ({ newUser, room }) => {
  const ann = await newUser({ viewport: { width: 1000, height: 800 } });
  await ann.joinRoom(room);
  await ann.page.getByRole("button", { name: "1 person here" }).click();
  await expect(ann.page.locator("#members:popover-open")).toHaveCount(1);
  await ann.page.setViewportSize({ width: 1280, height: 800 });
  await expect(ann.page.locator("#members:popover-open")).toHaveCount(0);
  await expect(ann.page.locator("#members")).toBeInViewport();
});

test("the settings are opened from the list of rooms, on a phone in its place", async ({ newUser, room }) => {
  const ann = await newUser({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await ann.joinRoom(room);
  await ann.page.getByRole("button", { name: "Rooms" }).tap();
  await ann.rooms.getByRole("button", { name: "Settings" }).tap();
  await expect(ann.page.locator("#settings")).toBeVisible();
  await expect(ann.rooms).toBeHidden();
});

test("a keyboard that lies over the page leaves the place to write and the newest message in view", async ({ newUser, room }) => {
  // As Safari does it: the window keeps its height, only what one sees of it shrinks.
  const ann = await newUser({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await ann.page.addInitScript(() => {
    const view = Object.assign(new EventTarget(), { scale: 1, height: innerHeight });
    Object.defineProperty(window, "visualViewport", { value: view });
  });
  const keyboard = (height: number) =>
    ann.page.evaluate((height) => {
      Object.assign(visualViewport!, { height: innerHeight - height });
      visualViewport!.dispatchEvent(new Event("resize"));
    }, height);
  await ann.joinRoom(room);
  await ann.send("the newest");
  await ann.seesMessage("the newest");
  const end = async (part: import("@playwright/test").Locator) => {
    const box = await part.boundingBox();
    return box ? box.y + box.height : NaN;
  };
  await keyboard(336);
  expect(await end(ann.composer)).toBeLessThanOrEqual(844 - 336);
  expect(await end(ann.line("the newest"))).toBeLessThanOrEqual(844 - 336);
  await keyboard(0);
  expect(await end(ann.composer)).toBeGreaterThan(780);
});

test("with reduced motion nothing moves", async ({ newUser, room }) => {
  const ann = await newUser({ reducedMotion: "reduce" });
  await ann.joinRoom(room);
  await ann.openDialog("about");
  const moving = await ann.page.evaluate(() => document.getAnimations().length);
  expect(moving).toBe(0);
});
