import { OwnServer } from "../hubbub";
import { expect, postMessages, test } from "../people";

test("who reads at the end stays there as the room grows", async ({ ann, bob, room, request }) => {
  await postMessages(request, room, 40);
  await ann.joinRoom(room);
  await expect(ann.line("message 40")).toBeInViewport();
  await bob.joinRoom(room);
  for (let n = 1; n <= 5; n++) await bob.send(`more ${n}`);
  await ann.seesMessage("more 5");
  await expect(ann.line("more 5")).toBeInViewport();
});

test("who reads back is left where they are, told of what is new, and brought there when they ask", async ({
  ann,
  bob,
  room,
  request,
}) => {
  await postMessages(request, room, 40);
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await ann.line("message 5").scrollIntoViewIfNeeded();
  const before = (await ann.line("message 5").boundingBox())?.y;
  await bob.send("are you there?");
  await expect(ann.page.getByRole("button", { name: "1 new message" })).toBeVisible();
  expect((await ann.line("message 5").boundingBox())?.y).toBe(before);
  await bob.send("hello?");
  await ann.page.getByRole("button", { name: "2 new messages" }).click();
  await expect(ann.line("hello?")).toBeInViewport();
  await expect(ann.page.getByRole("button", { name: /new message/ })).toHaveCount(0);
});

test("the newest fifty are on the page, and older ones come as ann scrolls back, without a jump", async ({
  ann,
  room,
  request,
}) => {
  await postMessages(request, room, 130);
  await ann.joinRoom(room);
  await expect(ann.messages).toHaveCount(50);
  for (let oldest = 90; oldest > 1; oldest -= 15) {
    const line = ann.line(`message ${oldest}`);
    await line.scrollIntoViewIfNeeded();
    const before = (await line.boundingBox())?.y;
    await ann.page.waitForTimeout(100);
    expect((await line.boundingBox())?.y).toBe(before);
  }
  await ann.line("message 1").scrollIntoViewIfNeeded();
  await expect(ann.messages).toHaveCount(130);
  await ann.seesMessages(Array.from({ length: 130 }, (_, n) => `message ${n + 1}`));
  await expect(ann.page.getByRole("link", { name: "Older messages" })).toHaveCount(0);
});

test("what ann has just read is not new to her after a reload", async ({ ann, bob, room }) => {
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

test("a reload that outruns the read report does not make read messages new", async ({ ann, bob, room }) => {
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

test("what ann has selected stays selected while bob writes and older messages come", async ({ ann, bob, room, request }) => {
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

test("an older page has a link back to now", async ({ ann, room, request }) => {
  await postMessages(request, room, 60);
  await ann.page.goto(`/r/${room}?before=11`);
  await ann.seesMessages(Array.from({ length: 10 }, (_, n) => `message ${n + 1}`));
  await ann.page.getByRole("link", { name: "Back to latest" }).click();
  await ann.waitUntilLive();
  await expect(ann.line("message 60")).toBeInViewport();
});

test("in a room of ten thousand the page holds a few hundred, and both ends can be reached", async ({ ann, room, bob }) => {
  const server = await OwnServer.start("--post-rate", "0");
  await ann.page.goto(`${server.url}/r/${room}`);
  await ann.waitUntilLive();
  bob.allowConsoleError(/404/);
  await bob.page.goto(`${server.url}/healthz`);
  await bob.page.evaluate(posts, [room, 10_000] as const);
  await ann.seesMessage("message 10000");
  expect(await ann.messages.count()).toBeLessThanOrEqual(400);
  const scroller = ann.page.locator(".scroller");
  for (let n = 0; n < 5; n++) {
    await scroller.evaluate((element) => element.scrollBy(0, -element.scrollHeight));
    await ann.page.waitForTimeout(100);
  }
  expect(await ann.messages.count()).toBeLessThanOrEqual(400);
  await expect(ann.line("message 10000")).toHaveCount(0);
  const first = await ann.messages.first().innerText();
  expect(Number(first.split(" ")[1])).toBeLessThan(9700);
  await bob.page.evaluate(posts, [room, 1] as const);
  await ann.page.getByRole("button", { name: "1 new message" }).click();
  await expect(ann.messages.last()).toBeInViewport();
  await ann.page.close();
  await server.remove();
});

test("who jumps to the very edge of what is shown keeps the row they see there", async ({ ann, room, bob }) => {
  const server = await OwnServer.start("--post-rate", "0");
  bob.allowConsoleError(/404/);
  await bob.page.goto(`${server.url}/healthz`);
  await ann.page.goto(`${server.url}/r/${room}`);
  await ann.waitUntilLive();
  await bob.page.evaluate(posts, [room, 1_000] as const);
  await ann.seesMessage("message 1000");
  for (const seen of ["message 705", "message 605", "message 505"]) {
    await expect(ann.line(seen)).toHaveCount(1);
    const before = await ann.page.locator(".scroller").evaluate((scroller, seen) => {
      scroller.scrollTop = -scroller.scrollHeight;
      const line = [...scroller.querySelectorAll(".line")].find((line) => line.textContent?.endsWith(seen));
      return line!.getBoundingClientRect().y;
    }, seen);
    await ann.page.waitForTimeout(300);
    const after = (await ann.line(seen).boundingBox())?.y ?? 0;
    expect(Math.abs(after - before), `${seen} moved from ${before} to ${after}`).toBeLessThan(3);
  }
  await server.remove();
});

/** Runs in a page: posts many messages over one socket of lines. */
async function posts([room, count]: readonly [string, number]): Promise<void> {
  const socket = new WebSocket(`ws://${location.host}/ws?room=${room}`);
  await new Promise((open) => (socket.onopen = open));
  let heard = 0;
  const all = new Promise<void>((done) => {
    socket.onmessage = (message) => {
      heard += String(message.data).split("\n").length;
      if (heard >= count) done();
    };
  });
  for (let n = 1; n <= count; n++) socket.send(`message ${n}`);
  await all;
  socket.close();
}

test("times are those of the reader's own zone and language", async ({ newUser, room, request }) => {
  await postMessages(request, room, 1);
  const berlin = await newUser({ locale: "de-DE", timezoneId: "Europe/Berlin" });
  const newYork = await newUser({ locale: "en-US", timezoneId: "America/New_York" });
  for (const person of [berlin, newYork]) await person.joinRoom(room);
  const shown = async (person: typeof berlin) => person.line("message 1").locator(".timestamp time").innerText();
  const at = new Date((await berlin.line("message 1").locator(".timestamp time").getAttribute("datetime")) ?? "");
  const clock = (locale: string, timeZone: string) =>
    new RegExp(at.toLocaleTimeString(locale, { timeZone, hour: "numeric", minute: "2-digit" }).replace(/\s/g, "\\s") + "$");
  await expect.poll(() => shown(berlin)).toMatch(clock("de-DE", "Europe/Berlin"));
  await expect.poll(() => shown(newYork)).toMatch(clock("en-US", "America/New_York"));
});
