import AxeBuilder from "@axe-core/playwright";
import { expect, test, type Person } from "../people";

const phone = { width: 360, height: 740 };

async function isAccessible(person: Person): Promise<void> {
  // What is still fading in has the contrast of a moment.
  await person.page.waitForFunction(() => document.getAnimations().every((motion) => motion.playState !== "running"));
  const { violations } = await new AxeBuilder({ page: person.page }).analyze();
  expect(violations.map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.html).join(" ")}`)).toEqual([]);
}

for (const colorScheme of ["light", "dark"] as const) {
  test(`axe finds nothing in any state, in ${colorScheme}`, async ({ somebody, room }) => {
    const ann = await somebody({ colorScheme });
    const bob = await somebody();
    await ann.enters(room);
    await isAccessible(ann);
    await bob.enters(room);
    await bob.says("hello");
    await ann.says("hello yourself");
    await ann.sees("hello");
    await isAccessible(ann);
    await ann.says("x".repeat(9_000));
    await ann.page.locator(".me summary").click();
    await isAccessible(ann);
    ann.expects(/404/);
    await ann.page.goto("/r/No_Such_Room");
    await isAccessible(ann);
  });

  test(`axe finds nothing on any sheet and on the other pages, in ${colorScheme}`, async ({ somebody, room }) => {
    test.slow();
    const ann = await somebody({ colorScheme });
    for (const sheet of ["about", "settings", "keys"] as const) {
      await ann.page.goto(`/r/${room}`);
      await ann.isLive();
      await ann.opens(sheet);
      await isAccessible(ann);
    }
    await ann.page.goto(`/r/${room}?before=1`);
    await isAccessible(ann);
    await ann.page.goto("/rooms");
    await isAccessible(ann);
    await ann.page.goto(`/r/${room}`);
    await ann.opens("settings");
    await ann.page.getByRole("button", { name: "Make a link" }).click();
    await isAccessible(ann);
  });

  test(`all twelve colours of names can be read, in ${colorScheme}`, async ({ somebody, room, playwright, baseURL }) => {
    for (let n = 0; n < 24; n++) {
      const visitor = await playwright.request.newContext({ baseURL });
      await visitor.post(`/api/rooms/${room}/messages`, { data: { text: `message ${n}` } });
      await visitor.dispose();
    }
    const ann = await somebody({ colorScheme });
    await ann.enters(room);
    await isAccessible(ann);
  });
}

test("axe finds nothing on a phone in Chinese, with the sheets open", async ({ somebody, room }) => {
  const ming = await somebody({ viewport: phone, hasTouch: true, isMobile: true, locale: "zh-CN" });
  await ming.page.goto(`/r/${room}`);
  await ming.isLive();
  for (const sheet of ["rooms", "people", "about"]) {
    await ming.page.locator(`[popovertarget=${sheet}]:visible`).first().tap();
    await expect(ming.page.locator(`#${sheet}`)).toBeVisible();
    await isAccessible(ming);
    await ming.page.keyboard.press("Escape");
  }
});

test("at twice the size everything is still there", async ({ somebody, room }) => {
  // A browser that zooms to 200 % has half as many pixels for the page.
  const ann = await somebody({ viewport: { width: 640, height: 400 } });
  await ann.enters(room);
  await ann.says("large letters");
  await ann.sees("large letters");
  await expect(ann.line("large letters")).toBeInViewport();
  await expect(ann.composer).toBeInViewport();
  expect(await ann.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(640);
});

test("on a small phone everything fits and works", async ({ somebody, room }) => {
  const ann = await somebody({ viewport: phone, hasTouch: true, isMobile: true });
  await ann.enters(room);
  await ann.calls("A name of 32 characters, at most");
  await ann.says(`a word of 200 letters: ${"w".repeat(200)}`);
  await ann.composer.fill("sent by touch");
  await ann.page.getByRole("button", { name: "Send" }).tap();
  await ann.sees("sent by touch");
  const width = await ann.page.evaluate(() => document.documentElement.scrollWidth);
  expect(width, "nothing is wider than the screen").toBeLessThanOrEqual(phone.width);
  await expect(ann.composer).toBeInViewport();
  await expect(ann.line("sent by touch")).toBeInViewport();
  for (const control of await ann.page.locator("button:visible, .me summary").all()) {
    const box = await control.boundingBox();
    expect(box?.height, "a finger can hit it").toBeGreaterThanOrEqual(44);
  }
});

test("new messages are announced: the list is a polite log", async ({ ann, room }) => {
  await ann.enters(room);
  await expect(ann.page.getByRole("log", { name: "Messages" })).toHaveAttribute("aria-live", "polite");
});
