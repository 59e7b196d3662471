import { type Locator, type Page } from "@playwright/test";
import { expect, phone, test, type User } from "../people";

const background = (page: Page) =>
  page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);

test("a theme applies at once, and the server renders the next page with it", async ({ newUser, room }) => {
  const ann = await newUser({ colorScheme: "light" });
  await ann.joinRoom(room);
  const light = await background(ann.page);
  await ann.openDialog("settings");
  await ann.page.getByRole("button", { name: "Dark", exact: true }).click();
  await expect(ann.page.locator("html")).toHaveAttribute("data-theme", "dark");
  await expect(ann.page).toHaveURL(`/r/${room}`);
  const dark = await background(ann.page);
  expect(dark).not.toBe(light);
  for (const color of await ann.page.locator("meta[name=theme-color]").all()) await expect(color).toHaveAttribute("content", dark);
  const html = await (await ann.page.request.get(`/r/${room}`)).text();
  expect(html).toContain('data-theme="dark"');
  await ann.page.reload();
  expect(await background(ann.page)).toBe(dark);
});

test("a theme is selected without script", async ({ newUser, room }) => {
  const ann = await newUser({ javaScriptEnabled: false, colorScheme: "dark" });
  await ann.page.goto(`/r/${room}`);
  const dark = await background(ann.page);
  await ann.openDialog("settings");
  await ann.page.getByRole("button", { name: "Light", exact: true }).click();
  await expect(ann.page).toHaveURL(`/r/${room}`);
  expect(await background(ann.page)).not.toBe(dark);
});

/** Checks that the buttons before the text, the text and the button after it are beside each other. */
async function isOneRow(user: User): Promise<void> {
  const parts = user.page.locator(".composer :is(.insert, textarea, button[type=submit]):visible");
  await expect(parts.and(user.page.locator(".attach"))).toBeVisible();
  const boxes = await Promise.all((await parts.all()).map((part) => part.boundingBox()));
  const places = boxes.map((box) => ({ from: box!.x, to: box!.x + box!.width, bottom: Math.round(box!.y + box!.height) })).sort((a, b) => a.from - b.from);
  expect(places.length).toBeGreaterThanOrEqual(3);
  expect(new Set(places.map(({ bottom }) => bottom)).size, "they end at one height").toBe(1);
  for (const [n, { to }] of places.slice(0, -1).entries()) expect(to).toBeLessThanOrEqual(places[n + 1]!.from + 0.5);
}

test("the parts of the composer stay in one row below a reply and the posting rules", async ({ ann, room }) => {
  await ann.joinRoom(room);
  await ann.send("hello");
  await isOneRow(ann);
  await ann.line("hello").focus();
  await ann.page.keyboard.press("r");
  await expect(ann.page.locator(".reply-notice")).toBeVisible();
  await isOneRow(ann);
});

for (const width of [320, 390, 768, 1024, 1280, 2560]) {
  test(`at ${width} px nothing is cut off and nothing scrolls horizontally`, async ({ newUser, room }) => {
    const ann = await newUser({ viewport: { width, height: 800 } });
    const overflow = () => ann.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    await ann.page.goto(`/search?q=${"w".repeat(200)}`);
    expect(await overflow(), "the search").toBeLessThanOrEqual(0);
    await ann.page.goto("/rooms");
    expect(await overflow(), "the rooms").toBeLessThanOrEqual(0);
    await ann.page.getByLabel("Room name").fill(`${room.slice(-12)} 字${"w".repeat(40)}`.slice(0, 48));
    await ann.page.getByLabel("Topic (optional)").fill("topic ".repeat(30));
    await ann.page.getByRole("button", { name: "Create room" }).click();
    await ann.waitUntilLive();
    await ann.rename("字".repeat(32));
    await ann.send(`a word of 200 letters: ${"w".repeat(200)}`);
    await expect(ann.messages).toHaveCount(1);
    expect(await overflow(), "the room").toBeLessThanOrEqual(0);
    await expect(ann.composer).toBeInViewport();
    await isOneRow(ann);
    const about = await ann.openDialog("about");
    const box = await about.boundingBox();
    expect(box && box.x >= 0 && box.x + box.width <= width, "the dialog").toBeTruthy();
    await ann.page.keyboard.press("Escape");
    for (const control of await ann.page.locator(".room-header button, .room-header summary").all()) {
      if (!(await control.isVisible())) continue;
      const place = await control.boundingBox();
      expect(place && place.x >= 0 && place.x + place.width <= width + 0.5, "every control is on the screen").toBeTruthy();
    }
  });
}

test("on a phone rooms and members are drawers with touch targets", async ({ newUser, room }) => {
  const ann = await newUser(phone);
  await ann.joinRoom(room);
  for (const [button, id] of [["Rooms", "#rooms"], ["1 person here", "#members"], ["Room details", "#about"]] as const) {
    await expect(ann.page.locator(id)).toBeHidden();
    await ann.page.getByRole("button", { name: button }).tap();
    await expect(ann.page.locator(id)).toBeVisible();
    for (const target of await ann.page.locator(`${id} a, ${id} button, ${id} input:not([type=checkbox]), ${id} select, ${id} .checkbox`).all()) {
      if (await target.isVisible()) expect((await target.boundingBox())?.height, await target.innerText()).toBeGreaterThanOrEqual(43.9);
    }
    await ann.page.keyboard.press("Escape");
  }
  await ann.page.goto("/");
  const link = await ann.page.getByRole("link", { name: "New room" }).boundingBox();
  expect(link?.height).toBeGreaterThanOrEqual(43.9);
});

test("on a phone every popover has a close button", async ({ newUser, room }) => {
  const ann = await newUser({ ...phone, javaScriptEnabled: false });
  await ann.page.goto(`/r/${room}`);
  for (const popover of ["rooms", "members", "about"]) {
    await ann.page.locator(`[popovertarget=${popover}]:visible`).first().tap();
    await ann.page.locator(`#${popover}`).getByRole("button", { name: "Close" }).tap();
    await expect(ann.page.locator(`#${popover}`)).toBeHidden();
  }
});

test("lifting the finger after a long press does nothing but open the menu", async ({ newUser, room }) => {
  const ann = await newUser(phone);
  await ann.joinRoom(room);
  await ann.send("mine, and it stays");
  await ann.seesMessage("mine, and it stays");
  const finger = await ann.page.context().newCDPSession(ann.page);
  for (const x of [30, 110, 200, 330]) {
    const box = (await ann.line("mine, and it stays").locator(".text").boundingBox())!;
    const touch = { x, y: box.y + box.height / 2 };
    await finger.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [touch] });
    await expect(ann.actions).toBeVisible();
    await finger.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
    // The menu receives touches again when the browser can no longer synthesize a click.
    await expect(ann.page.locator(".message-menu.pressed")).toHaveCount(0);
    await expect(ann.actions, `lifted at ${x} px`).toBeVisible();
    await expect(ann.line("mine, and it stays")).toHaveAttribute("data-standing", "confirmed");
    await ann.page.touchscreen.tap(200, 100);
    await expect(ann.actions).toBeHidden();
  }
});

test("an open drawer becomes a sidebar when the window grows", async ({ newUser, room }) => {
  const ann = await newUser({ viewport: { width: 1000, height: 800 } });
  await ann.joinRoom(room);
  await ann.page.getByRole("button", { name: "1 person here" }).click();
  await expect(ann.page.locator("#members:popover-open")).toHaveCount(1);
  await ann.page.setViewportSize({ width: 1280, height: 800 });
  await expect(ann.page.locator("#members:popover-open")).toHaveCount(0);
  await expect(ann.page.locator("#members")).toBeInViewport();
});

test("on a phone the settings replace the room list that opens them", async ({ newUser, room }) => {
  const ann = await newUser(phone);
  await ann.joinRoom(room);
  await ann.page.getByRole("button", { name: "Rooms" }).tap();
  await ann.rooms.getByRole("button", { name: "Settings" }).tap();
  await expect(ann.page.locator("#settings")).toBeVisible();
  await expect(ann.rooms).toBeHidden();
});

test("a virtual keyboard over the page leaves the composer and the newest message visible", async ({ newUser, room }) => {
  // Safari shrinks the visual viewport and not the window.
  const ann = await newUser(phone);
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
  const end = async (part: Locator) => {
    const box = await part.boundingBox();
    return box ? box.y + box.height : NaN;
  };
  await keyboard(336);
  expect(await end(ann.composer)).toBeLessThanOrEqual(844 - 336);
  expect(await end(ann.line("the newest"))).toBeLessThanOrEqual(844 - 336);
  await keyboard(0);
  expect(await end(ann.composer)).toBeGreaterThan(780);
});

test("with reduced motion nothing is animated", async ({ newUser, room }) => {
  const ann = await newUser({ reducedMotion: "reduce" });
  await ann.joinRoom(room);
  await ann.openDialog("about");
  const moving = await ann.page.evaluate(() => document.getAnimations().length);
  expect(moving).toBe(0);
});
