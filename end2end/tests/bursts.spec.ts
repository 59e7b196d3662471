import { type Browser, type Page } from "@playwright/test";
import { OwnServer } from "../hubbub";
import { expect, test, type User } from "../people";

// Playwright's own trace takes pictures of the page at every step, on the thread that is measured here.
test.use({ trace: "off" });

/** Milliseconds that nothing on the page may take. */
const TASK_MS = 100;

test("a thousand messages in a second leave ann's page responsive, and every one is there", async ({ ann, bob, room, browser }) => {
  const server = await OwnServer.start("--post-rate", "0");
  await ann.page.goto(`${server.url}/r/${room}`);
  await ann.waitUntilLive();
  await speaksElsewhere(bob.page, server, () => bob.allowConsoleError(/404/));
  const longest = await longestTask(browser, ann.page, async () => {
    const counting = ann.page.evaluate(countUpdates);
    const posting = bob.page.evaluate(posts, [room, 1_000, 1_000] as const);
    await ann.composer.pressSequentially("typed meanwhile", { delay: 40 });
    await posting;
    await ann.seesMessage("message 1000");
    const { updates, frames } = await counting;
    expect(updates, `${updates} updates in ${frames} frames`).toBeLessThanOrEqual(frames + 2);
    expect(updates).toBeGreaterThan(0);
  });
  expect(longest, "the longest task, in milliseconds").toBeLessThan(TASK_MS);
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
  // Ann sees all of them pass, so that her page has them too.
  await bob.page.evaluate(posts, [room, 50_000, 0] as const);
  await ann.seesMessage("message 50000");
  expect(await ann.messages.count()).toBeLessThanOrEqual(400);
  const longest = await longestTask(browser, ann.page, async () => {
    await ann.send("hello");
    await ann.seesMessage("hello");
    await bob.page.evaluate(posts, [room, 20, 500] as const);
    await ann.seesMessage("message 20");
    await ann.page.locator(".scroller").evaluate((element) => element.scrollBy(0, -4_000));
    await ann.page.waitForTimeout(300);
  });
  expect(longest, "the longest task, in milliseconds").toBeLessThan(TASK_MS);
  const full = await aliveAfter(ann.page, `${server.url}/r/${room}`);
  await ann.seesMessage("message 20");
  const empty = await aliveAfter(ann.page, `${server.url}/r/${room}-empty`);
  expect(full, `alive after ${full} ms, an empty room after ${empty}`).toBeLessThan(empty + 1_000);
  await server.remove();
});

/** The messages on the page are numbered without a hole, up to `last` where that is known. The first number. */
async function isInOrder(person: User, last?: number): Promise<number> {
  const texts = await person.messages.allTextContents();
  const first = Number(texts[0]?.split(" ")[1]);
  expect(texts).toEqual(Array.from({ length: texts.length }, (_, n) => `message ${first + n}`));
  if (last) expect(first + texts.length - 1).toBe(last);
  return first;
}

/** Milliseconds from the navigation to the hydrated page. */
async function aliveAfter(page: Page, url: string): Promise<number> {
  await page.goto(url);
  await page.waitForFunction(() => performance.getEntriesByName("hydrated").length > 0);
  return page.evaluate(() => performance.getEntriesByName("hydrated")[0]!.startTime);
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
 * The longest task on a page's main thread while something happens, in milliseconds of the processor's time, as
 * Chromium traces it: what others do on this machine meanwhile is not the page's.
 */
async function longestTask(browser: Browser, page: Page, happens: () => Promise<void>): Promise<number> {
  await browser.startTracing(page, { categories: ["toplevel", "blink.user_timing"] });
  await page.evaluate(() => performance.mark("it begins"));
  await happens();
  await page.evaluate(() => performance.mark("it ends"));
  const trace = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
  const mark = (name: string) => trace.traceEvents.find((event) => event.name === name);
  const [begin, end] = [mark("it begins"), mark("it ends")];
  if (!begin || !end) throw new Error("the trace has no marks");
  const tasks = trace.traceEvents.filter(
    ({ name, pid, tid, ts }) =>
      name.endsWith("RunTask") && pid === begin.pid && tid === begin.tid && ts > begin.ts && ts < end.ts,
  );
  expect(tasks.length, "tasks in the trace").toBeGreaterThan(10);
  return Math.max(...tasks.map(({ dur = 0, tdur = dur }) => tdur / 1_000));
}
