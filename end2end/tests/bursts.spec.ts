import { type Browser, type Page } from "@playwright/test";
import { OwnServer } from "../hubbub";
import { expect, test, type User } from "../people";

// Playwright's own trace takes pictures of the page at every step, on the thread that is measured here.
test.use({ trace: "off" });

test("a thousand messages in a second leave ann's page responsive, and every one is there", async ({ ann, bob, room }) => {
  const server = await OwnServer.start("--post-rate", "0");
  await ann.page.goto(`${server.url}/r/${room}`);
  await ann.waitUntilLive();
  await speaksElsewhere(bob.page, server, () => bob.allowConsoleError(/404/));
  const counting = ann.page.evaluate(countUpdates);
  const posting = bob.page.evaluate(posts, [room, 1_000, 1_000] as const);
  await ann.composer.pressSequentially("typed meanwhile", { delay: 40 });
  await posting;
  await ann.seesMessage("message 1000");
  const { updates, frames } = await counting;
  expect(updates, `${updates} updates in ${frames} frames`).toBeLessThanOrEqual(frames + 2);
  expect(updates).toBeGreaterThan(0);
  await expect(ann.composer).toHaveValue("typed meanwhile");
  await isInOrder(ann, 1_000);
  await expect(async () => {
    await ann.page.locator(".scroller").evaluate((element) => element.scrollBy(0, -3_000));
    expect(await isInOrder(ann)).toBe(1);
  }, "everything is there as she scrolls back").toPass();
  await server.remove();
});

test("what comes while ann looks at another tab is there, and in order", async ({ ann, bob, room }) => {
  const server = await OwnServer.start("--post-rate", "0");
  await ann.page.addInitScript(() => (window.requestAnimationFrame = () => 0));
  await ann.page.goto(`${server.url}/r/${room}`);
  await ann.waitUntilLive();
  await speaksElsewhere(bob.page, server, () => bob.allowConsoleError(/404/));
  await bob.page.evaluate(posts, [room, 200, 0] as const);
  await ann.seesMessage("message 200");
  await isInOrder(ann, 200);
  await server.remove();
});

test("fifty thousand messages do not slow a room", async ({ ann, bob, room, browser }) => {
  test.slow();
  const server = await OwnServer.start("--post-rate", "0");
  await speaksElsewhere(bob.page, server, () => bob.allowConsoleError(/404/));
  await ann.page.goto(`${server.url}/r/${room}`);
  await ann.waitUntilLive();
  // Enough for the page to be as full as it gets: what follows differs only in what is no longer shown.
  await bob.page.evaluate(posts, [room, 1_000, 0] as const);
  await ann.seesMessage("message 1000");
  const early = await work(browser, ann, bob, room);
  const earlySize = await size(ann.page);
  // Ann sees all of them pass, so that her page has them too.
  await bob.page.evaluate(posts, [room, 49_000, 0] as const);
  await ann.seesMessage("message 49000");
  expect(await ann.messages.count()).toBeLessThanOrEqual(400);
  const late = await work(browser, ann, bob, room);
  expect(late, `${late} ms of work after 50,000 messages, ${early} after 1,000`).toBeLessThan(3 * early);
  const lateSize = await size(ann.page);
  expect(lateSize, `${lateSize} bytes of page after 50,000 messages, ${earlySize} after 1,000`).toBeLessThan(
    1.5 * earlySize,
  );
  await server.remove();
});

/** Characters of the page as the server renders it now. */
async function size(page: Page): Promise<number> {
  return page.evaluate(async () => (await (await fetch(location.pathname)).text()).length);
}

/**
 * Milliseconds of the processor's time that the main thread of Ann's page spends while she writes, Bob posts and she
 * scrolls back.
 */
async function work(browser: Browser, ann: User, bob: User, room: string): Promise<number> {
  const text = `hello ${Math.random()}`;
  return processorTime(browser, ann.page, async () => {
    await ann.send(text);
    await ann.seesMessage(text);
    await bob.page.evaluate(posts, [room, 20, 500] as const);
    await ann.seesMessage("message 20");
    await ann.page.locator(".scroller").evaluate((element) => element.scrollBy(0, -4_000));
    await expect(async () => {
      await ann.page.locator(".scroller").evaluate((element) => element.scrollTo(0, element.scrollHeight));
      await expect(ann.messages.last()).toHaveText("message 20", { timeout: 500 });
    }, "she comes back to the end").toPass();
  });
}

/** The messages on the page are numbered without a hole, up to `last` where that is known. The first number. */
async function isInOrder(person: User, last?: number): Promise<number> {
  const texts = await person.messages.allTextContents();
  const first = Number(texts[0]?.split(" ")[1]);
  expect(texts).toEqual(Array.from({ length: texts.length }, (_, n) => `message ${first + n}`));
  if (last) expect(first + texts.length - 1).toBe(last);
  return first;
}

/** Brings somebody to a page of the server that is no room, from where they can open sockets. */
async function speaksElsewhere(page: Page, server: OwnServer, expects: () => void): Promise<void> {
  expects();
  await page.goto(`${server.url}/healthz`);
}

/** Runs in a page: posts many messages over one socket of lines, spread over some milliseconds. */
async function posts([room, count, within]: readonly [string, number, number]): Promise<void> {
  const socket = new WebSocket(`ws://${location.host}/ws?room=${room}`);
  await new Promise((open) => (socket.onopen = open));
  let heard = 0;
  const all = new Promise<void>((done) => {
    socket.onmessage = (message) => {
      heard += String(message.data).split("\n").length;
      if (heard >= count) done();
    };
  });
  const began = performance.now();
  for (let n = 1; n <= count; n++) {
    const due = began + (within * n) / count;
    while (performance.now() < due) await new Promise((later) => setTimeout(later, 1));
    socket.send(`message ${n}`);
  }
  await all;
  socket.close();
}

/** Runs in a page: how often its lines change in the next second and a half, and how many frames that has. */
async function countUpdates(): Promise<{ updates: number; frames: number }> {
  let [updates, frames] = [0, 0];
  const observer = new MutationObserver(() => updates++);
  observer.observe(document.querySelector(".lines")!, { childList: true });
  const until = performance.now() + 1_500;
  while (performance.now() < until) {
    await new Promise(requestAnimationFrame);
    frames++;
  }
  observer.disconnect();
  return { updates, frames };
}

type TraceEvent = { name: string; pid: number; tid: number; ts: number; dur?: number; tdur?: number };

/**
 * Milliseconds of the processor's time that the tasks of a page's main thread take while something happens, as
 * Chromium traces it: what other processes do on this machine meanwhile is not counted.
 */
async function processorTime(browser: Browser, page: Page, happens: () => Promise<void>): Promise<number> {
  const [begins, ends] = ["work begins", "work ends"];
  await browser.startTracing(page, { categories: ["toplevel", "blink.user_timing"] });
  await page.evaluate((name) => performance.mark(name), begins);
  await happens();
  await page.evaluate((name) => performance.mark(name), ends);
  const trace = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
  const mark = (name: string) => trace.traceEvents.find((event) => event.name === name);
  const [begin, end] = [mark(begins), mark(ends)];
  if (!begin || !end) throw new Error("the trace has no marks");
  const tasks = trace.traceEvents.filter(
    ({ name, pid, tid, ts }) =>
      name.endsWith("RunTask") && pid === begin.pid && tid === begin.tid && ts > begin.ts && ts < end.ts,
  );
  expect(tasks.length, "tasks in the trace").toBeGreaterThan(10);
  return Math.round(tasks.reduce((sum, { dur = 0, tdur = dur }) => sum + tdur / 1_000, 0));
}
