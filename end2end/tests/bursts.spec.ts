import { type Browser, type Page } from "@playwright/test";
import { OwnServer } from "../hubbub";
import { expect, test, type User } from "../people";
import { openIdlePage, postRange } from "../posting";
import { isInOrder, renderedNumbers, scrollBy } from "../scrolling";

// Playwright's trace takes screenshots at every step on the thread that these tests measure.
test.use({ trace: "off" });

test("a page stays responsive while a thousand messages arrive in a second, and shows all of them", { tag: "@long" }, async ({ ann, bob, room }) => {
  const server = await OwnServer.start("--post-rate", "0");
  await ann.joinRoom(room, server.url);
  await openIdlePage(bob, server);
  const counting = ann.page.evaluate(countUpdates);
  const posting = postRange(bob, room, 1, 1_000, 1_000);
  await ann.composer.pressSequentially("typed meanwhile", { delay: 40 });
  await posting;
  await ann.seesMessage("message 1000");
  const { updates, frames } = await counting;
  expect(updates, `${updates} updates in ${frames} frames`).toBeLessThanOrEqual(frames + 2);
  expect(updates).toBeGreaterThan(0);
  await expect(ann.composer).toHaveValue("typed meanwhile");
  await isInOrder(ann);
  expect((await renderedNumbers(ann)).at(-1)).toBe(1_000);
  await expect(async () => {
    await scrollBy(ann, -3_000);
    expect(await isInOrder(ann)).toBe(1);
  }, "the first message after scrolling back").toPass();
  await server.remove();
});

test("messages that arrive while the tab is hidden are shown in order", async ({ ann, bob, room }) => {
  const server = await OwnServer.start("--post-rate", "0");
  await ann.page.addInitScript(() => (window.requestAnimationFrame = () => 0));
  await ann.joinRoom(room, server.url);
  await openIdlePage(bob, server);
  await postRange(bob, room, 1, 200);
  await ann.seesMessage("message 200");
  await isInOrder(ann);
  expect((await renderedNumbers(ann)).at(-1)).toBe(200);
  await server.remove();
});

test("fifty thousand messages do not slow a room", { tag: "@long" }, async ({ ann, bob, room, browser }) => {
  test.slow();
  const server = await OwnServer.start("--post-rate", "0");
  await openIdlePage(bob, server);
  await ann.joinRoom(room, server.url);
  // The page renders the most rows now, so that later messages add only to those that are not rendered.
  await postRange(bob, room, 1, 1_000);
  await ann.seesMessage("message 1000");
  const early = await work(browser, ann, bob, room);
  const earlySize = await size(ann.page);
  // Ann's page receives all of them.
  await postRange(bob, room, 1, 49_000);
  await expect(ann.line("message 49000"), "the most work of all tests").toBeVisible({ timeout: 60_000 });
  expect(await ann.messages.count()).toBeLessThanOrEqual(400);
  const late = await work(browser, ann, bob, room);
  expect(late, `${late} ms of work after 50,000 messages, ${early} after 1,000`).toBeLessThan(3 * early);
  // The page has up to 300 messages until the server knows that Ann has read them.
  const lateSize = () => size(ann.page);
  await expect.poll(lateSize, `${earlySize} bytes of page after 1,000 messages`).toBeLessThan(1.5 * earlySize);
  await server.remove();
});

/** Returns the characters of the page that the server renders now. */
async function size(page: Page): Promise<number> {
  return page.evaluate(async () => (await (await fetch(location.pathname)).text()).length);
}

/**
 * Returns the milliseconds of processor time that the main thread of Ann's page uses while she writes, Bob posts and she
 * scrolls back.
 */
async function work(browser: Browser, ann: User, bob: User, room: string): Promise<number> {
  const text = `hello ${Math.random()}`;
  return processorTime(browser, ann.page, async () => {
    await ann.send(text);
    await ann.seesMessage(text);
    await postRange(bob, room, 1, 20, 500);
    await ann.seesMessage("message 20");
    await scrollBy(ann, -4_000);
    await expect(async () => {
      await ann.page.locator(".scroller").evaluate((element) => element.scrollTo(0, element.scrollHeight));
      await expect(ann.messages.last()).toHaveText("message 20", { timeout: 500 });
    }, "the end after scrolling").toPass();
  });
}

/** Runs in a page. Counts the changes of its rows and the frames in the next second and a half. */
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
 * Returns the milliseconds of processor time that the tasks of a page's main thread use during `action`, from the trace of
 * Chromium. The time of other processes does not count.
 */
async function processorTime(browser: Browser, page: Page, action: () => Promise<void>): Promise<number> {
  const [beginName, endName] = ["begin", "end"];
  await browser.startTracing(page, { categories: ["toplevel", "blink.user_timing"] });
  await page.evaluate((name) => performance.mark(name), beginName);
  await action();
  await page.evaluate((name) => performance.mark(name), endName);
  const trace = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
  const mark = (name: string) => trace.traceEvents.find((event) => event.name === name);
  const [begin, end] = [mark(beginName), mark(endName)];
  if (!begin || !end) throw new Error("the trace has no marks");
  const tasks = trace.traceEvents.filter(
    ({ name, pid, tid, ts }) =>
      name.endsWith("RunTask") && pid === begin.pid && tid === begin.tid && ts > begin.ts && ts < end.ts,
  );
  expect(tasks.length, "tasks in the trace").toBeGreaterThan(10);
  return Math.round(tasks.reduce((sum, { dur = 0, tdur = dur }) => sum + tdur / 1_000, 0));
}
