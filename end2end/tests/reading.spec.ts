import { type APIRequestContext } from "@playwright/test";
import { expect, test } from "../people";

async function said(request: APIRequestContext, room: string, count: number): Promise<void> {
  for (let n = 1; n <= count; n++) {
    await request.post(`/api/rooms/${room}/messages`, { data: { text: `message ${n}` } });
  }
}

test("who reads at the end stays there as the room grows", async ({ ann, bob, room, request }) => {
  await said(request, room, 40);
  await ann.enters(room);
  await expect(ann.line("message 40")).toBeInViewport();
  await bob.enters(room);
  for (let n = 1; n <= 5; n++) await bob.says(`more ${n}`);
  await ann.sees("more 5");
  await expect(ann.line("more 5")).toBeInViewport();
});

test("who reads back is left where they are, told of what is new, and brought there when they ask", async ({
  ann,
  bob,
  room,
  request,
}) => {
  await said(request, room, 40);
  await ann.enters(room);
  await bob.enters(room);
  await ann.line("message 5").scrollIntoViewIfNeeded();
  const before = (await ann.line("message 5").boundingBox())?.y;
  await bob.says("are you there?");
  await expect(ann.page.getByRole("button", { name: "1 new message" })).toBeVisible();
  expect((await ann.line("message 5").boundingBox())?.y).toBe(before);
  await bob.says("hello?");
  await ann.page.getByRole("button", { name: "2 new messages" }).click();
  await expect(ann.line("hello?")).toBeInViewport();
  await expect(ann.page.getByRole("button", { name: /new message/ })).toHaveCount(0);
});

test("the newest fifty are on the page, the older ones a link away, and now is a link back", async ({
  ann,
  room,
  request,
}) => {
  await said(request, room, 60);
  await ann.enters(room);
  await expect(ann.messages).toHaveCount(50);
  await ann.page.getByRole("link", { name: "Older messages" }).click();
  await ann.seesAll(Array.from({ length: 10 }, (_, n) => `message ${n + 1}`));
  await ann.page.getByRole("link", { name: "Back to now" }).click();
  await ann.isLive();
  await expect(ann.line("message 60")).toBeInViewport();
});

test("times are those of the reader's own zone and language", async ({ somebody, room, request }) => {
  await said(request, room, 1);
  const berlin = await somebody({ locale: "de-DE", timezoneId: "Europe/Berlin" });
  const newYork = await somebody({ locale: "en-US", timezoneId: "America/New_York" });
  for (const person of [berlin, newYork]) await person.enters(room);
  const shown = async (person: typeof berlin) => person.line("message 1").locator("time").innerText();
  const at = new Date((await berlin.line("message 1").locator("time").getAttribute("datetime")) ?? "");
  const clock = (locale: string, timeZone: string) =>
    new RegExp(at.toLocaleTimeString(locale, { timeZone, hour: "2-digit", minute: "2-digit" }).replace(/\s/g, "\\s") + "$");
  await expect.poll(() => shown(berlin)).toMatch(clock("de-DE", "Europe/Berlin"));
  await expect.poll(() => shown(newYork)).toMatch(clock("en-US", "America/New_York"));
});
