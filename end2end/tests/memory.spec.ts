import { type Page } from "@playwright/test";
import { OwnServer } from "../hubbub";
import { expect, test } from "../people";
import { openIdlePage, postRange } from "../posting";
import { isInOrder, renderedNumbers, scrollBackUntil, scrollForwardUntil } from "../scrolling";

test.use({ trace: "off", bypassCSP: true });

/** The rows that a page renders, at most. */
const MAX_ROWS = 400;

test("a page after 50,000 messages uses little more memory than after 1,000", { tag: "@long" }, async ({ ann, bob, room }) => {
  test.slow();
  const server = await OwnServer.start("--post-rate", "0");
  await openIdlePage(bob, server);
  await ann.joinRoom(room, server.url);
  // The memory never shrinks, and a page that falls behind needs more of it. So Ann sees a thousand before the next are posted.
  const postThousand = async (first: number) => {
    await postRange(bob, room, first, first + 999);
    await ann.seesMessage(`message ${first + 999}`);
  };
  await postThousand(1);
  const early = await memory(ann.page);
  for (let first = 1_001; first < 50_000; first += 1_000) await postThousand(first);
  expect((await memory(ann.page)) / early, "memory after 50,000 messages against 1,000").toBeLessThanOrEqual(1.25);
  await server.remove();
});

test("dropped messages are fetched again in both directions", { tag: "@long" }, async ({ ann, bob, room }) => {
  test.slow();
  const server = await OwnServer.start("--post-rate", "0");
  await openIdlePage(bob, server);
  await ann.joinRoom(room, server.url);
  await postRange(bob, room, 1, 3_000);
  await ann.seesMessage("message 3000");
  // This is further back than the page stores.
  await scrollBackUntil(ann, async () => (await renderedNumbers(ann))[0]! <= 500);
  expect(await ann.messages.count()).toBeLessThanOrEqual(MAX_ROWS);
  await isInOrder(ann);
  // While Ann reads there, the page drops newer messages.
  await postRange(bob, room, 3_001, 6_000);
  await expect(ann.page.getByRole("button", { name: /new messages/ })).toBeVisible();
  await scrollForwardUntil(ann, async () => (await renderedNumbers(ann)).at(-1)! >= 1_500);
  await isInOrder(ann);
  await ann.page.getByRole("button", { name: /new messages|Jump to latest/ }).click();
  await expect(ann.line("message 6000")).toBeInViewport();
  await isInOrder(ann);
  await ann.send("hello");
  await ann.seesMessage("hello");
  await expect(ann.page.getByRole("button", { name: /new message/ })).toHaveCount(0);
  await server.remove();
});

test("scrolling from old messages to the newest one shows every message", { tag: "@long" }, async ({ ann, bob, room }) => {
  test.slow();
  const server = await OwnServer.start("--post-rate", "0");
  await openIdlePage(bob, server);
  await postRange(bob, room, 1, 2_600);
  await ann.joinRoom(room, server.url);
  await scrollBackUntil(ann, async () => (await renderedNumbers(ann))[0]! <= 150);
  await scrollForwardUntil(ann, async () => (await renderedNumbers(ann)).at(-1)! >= 2_600);
  await isInOrder(ann);
  await postRange(bob, room, 2_601, 2_601);
  await ann.seesMessage("message 2601");
  await expect(ann.line("message 2601")).toBeInViewport();
  await server.remove();
});

/** Returns the bytes of the app's memory, which never shrinks. */
async function memory(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const script = document.querySelector<HTMLLinkElement>("link[rel=modulepreload]")!.href;
    const app = (await import(script)) as { default: () => Promise<{ memory: WebAssembly.Memory }> };
    return (await app.default()).memory.buffer.byteLength;
  });
}
