import { OwnServer } from "../hubbub";
import { expect, postMessages, test } from "../people";
import { openIdlePage, postRange } from "../posting";
import { positionOf, renderedNumbers, scrollBackUntil, scrollIntoView } from "../scrolling";

test("a reader at the end stays there as messages arrive", async ({ ann, bob, room, request }) => {
  await postMessages(request, room, 40);
  await ann.joinRoom(room);
  await expect(ann.line("message 40")).toBeInViewport();
  await bob.joinRoom(room);
  for (let n = 1; n <= 5; n++) await bob.send(`more ${n}`);
  await ann.seesMessage("more 5");
  await expect(ann.line("more 5")).toBeInViewport();
});

test("a reader of older messages keeps the position, and a button shows and opens new ones", async ({
  ann,
  bob,
  room,
  request,
}) => {
  await postMessages(request, room, 40);
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  const before = await scrollIntoView(ann, "message 5");
  await bob.send("are you there?");
  await expect(ann.page.getByRole("button", { name: "1 new message" })).toBeVisible();
  expect(await positionOf(ann, "message 5")).toBe(before);
  await bob.send("hello?");
  await ann.page.getByRole("button", { name: "2 new messages" }).click();
  await expect(ann.line("hello?")).toBeInViewport();
  await expect(ann.page.getByRole("button", { name: /new message/ })).toHaveCount(0);
});

test("a page has the newest fifty messages, and scrolling back loads older ones without a jump", async ({
  ann,
  room,
  request,
}) => {
  await postMessages(request, room, 130);
  await ann.joinRoom(room);
  await expect(ann.messages).toHaveCount(50);
  const before = await scrollIntoView(ann, "message 90");
  await expect(ann.messages).toHaveCount(130);
  expect(await positionOf(ann, "message 90")).toBe(before);
  await scrollIntoView(ann, "message 1");
  await ann.seesMessages(Array.from({ length: 130 }, (_, n) => `message ${n + 1}`));
  await expect(ann.page.getByRole("link", { name: "Older messages" })).toHaveCount(0);
});

test("read messages are not unread after a reload", async ({ ann, bob, room }) => {
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  for (const text of ["one", "two", "three"]) {
    await bob.send(text);
    await ann.seesMessage(text);
  }
  await ann.page.reload();
  await ann.waitUntilLive();
  await ann.seesMessages(["one", "two", "three"]);
  await expect(ann.page.locator("#new")).toHaveCount(0);
});

test("a reload before the read marker was reported does not make messages unread", async ({ ann, bob, room }) => {
  await ann.page.routeWebSocket(/\/ws/, (socket) => {
    const server = socket.connectToServer();
    socket.onMessage((frame) => {
      if (!String(frame).startsWith('{"type":"read"')) server.send(frame);
    });
  });
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await bob.send("one");
  await ann.seesMessage("one");
  await ann.page.reload();
  await ann.waitUntilLive();
  await ann.seesMessage("one");
  await expect(ann.page.locator("#new")).toHaveCount(0);
});

test("a selection stays while messages arrive and older ones are loaded", async ({ ann, bob, room, request }) => {
  await postMessages(request, room, 60);
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await ann.line("message 30").locator(".text").selectText();
  await bob.send("something new");
  await ann.seesMessage("something new");
  await ann.messages.first().scrollIntoViewIfNeeded();
  await expect(ann.line("message 1")).toHaveCount(1);
  expect(await ann.page.evaluate(() => getSelection()?.toString())).toBe("message 30");
});

test("a page of older messages links to the latest page", async ({ ann, room, request }) => {
  await postMessages(request, room, 60);
  await ann.page.goto(`/r/${room}?before=11`);
  await ann.seesMessages(Array.from({ length: 10 }, (_, n) => `message ${n + 1}`));
  await ann.page.getByRole("link", { name: "Back to latest" }).click();
  await ann.waitUntilLive();
  await expect(ann.line("message 60")).toBeInViewport();
});

test("a page of a room with ten thousand messages renders a few hundred and reaches both ends", async ({ ann, room, bob }) => {
  const server = await OwnServer.start("--post-rate", "0");
  await ann.joinRoom(room, server.url);
  await openIdlePage(bob, server);
  await postRange(bob, room, 1, 10_000);
  await ann.seesMessage("message 10000");
  expect(await ann.messages.count()).toBeLessThanOrEqual(400);
  await scrollBackUntil(ann, async () => (await renderedNumbers(ann))[0]! < 9_700);
  expect(await ann.messages.count()).toBeLessThanOrEqual(400);
  await expect(ann.line("message 10000")).toHaveCount(0);
  await postRange(bob, room, 10_001, 10_001);
  await ann.page.getByRole("button", { name: "1 new message" }).click();
  await expect(ann.messages.last()).toBeInViewport();
  await ann.page.close();
  await server.remove();
});

test("a jump to the first rendered row keeps the position of the visible rows", async ({ ann, room, bob }) => {
  const server = await OwnServer.start("--post-rate", "0");
  await openIdlePage(bob, server);
  await ann.joinRoom(room, server.url);
  await postRange(bob, room, 1, 1_000);
  await ann.seesMessage("message 1000");
  for (const first of [701, 601, 501]) {
    const seen = `message ${first + 4}`;
    await expect.poll(async () => (await renderedNumbers(ann))[0]).toBe(first);
    const before = await ann.line(seen).evaluate((line) => {
      const scroller = line.closest(".scroller")!;
      scroller.scrollTop = -scroller.scrollHeight;
      return line.getBoundingClientRect().y;
    });
    await expect.poll(async () => (await renderedNumbers(ann))[0], "the first of the older rows").toBe(first - 100);
    const after = await positionOf(ann, seen);
    expect(Math.abs(after - before), `${seen} moved from ${before} to ${after}`).toBeLessThan(3);
  }
  await server.remove();
});

test("times are in the reader's time zone and language", async ({ newUser, room, request }) => {
  await postMessages(request, room, 1);
  const berlin = await newUser({ locale: "de-DE", timezoneId: "Europe/Berlin" });
  const newYork = await newUser({ locale: "en-US", timezoneId: "America/New_York" });
  for (const user of [berlin, newYork]) await user.joinRoom(room);
  const shown = async (user: typeof berlin) => user.line("message 1").locator(".timestamp time").innerText();
  const at = new Date((await berlin.line("message 1").locator(".timestamp time").getAttribute("datetime")) ?? "");
  const clock = (locale: string, timeZone: string) =>
    new RegExp(at.toLocaleTimeString(locale, { timeZone, hour: "numeric", minute: "2-digit" }).replace(/\s/g, "\\s") + "$");
  await expect.poll(() => shown(berlin)).toMatch(clock("de-DE", "Europe/Berlin"));
  await expect.poll(() => shown(newYork)).toMatch(clock("en-US", "America/New_York"));
});
