import { type Page } from "@playwright/test";
import { OwnServer } from "../hubbub";
import { expect, test, type User } from "../people";

test.use({ trace: "off", bypassCSP: true });

/** Rows that a page keeps of a room, and has on the page. */
const MAX_SHOWN = 400;

test("a page that has seen 50,000 messages has little more memory than one that has seen 1,000", async ({ ann, bob, room }) => {
  test.slow();
  const server = await OwnServer.start("--post-rate", "0");
  await speaksElsewhere(bob, server);
  await ann.page.goto(`${server.url}/r/${room}`);
  await ann.waitUntilLive();
  await bob.page.evaluate(posts, [room, 1, 1_000] as const);
  await ann.seesMessage("message 1000");
  const early = await memory(ann.page);
  await bob.page.evaluate(posts, [room, 1_001, 50_000] as const);
  await ann.seesMessage("message 50000");
  const late = await memory(ann.page);
  expect(late, `${late} bytes after 50,000 messages, ${early} after 1,000`).toBeLessThanOrEqual(1.5 * early);
  await server.remove();
});

test("what was dropped is fetched again when ann reads back, and the way to the end too", async ({ ann, bob, room }) => {
  test.slow();
  const server = await OwnServer.start("--post-rate", "0");
  await speaksElsewhere(bob, server);
  await ann.page.goto(`${server.url}/r/${room}`);
  await ann.waitUntilLive();
  await bob.page.evaluate(posts, [room, 1, 3_000] as const);
  await ann.seesMessage("message 3000");
  // Further back than the page keeps, from both sides.
  await readsBack(ann, 500);
  expect(await ann.messages.count()).toBeLessThanOrEqual(MAX_SHOWN);
  await isInOrder(ann);
  // While she reads there, the page drops what is new.
  await bob.page.evaluate(posts, [room, 3_001, 6_000] as const);
  await expect(ann.page.getByRole("button", { name: /new messages/ })).toBeVisible();
  await readsOn(ann, 1_500);
  await isInOrder(ann);
  await ann.page.getByRole("button", { name: /new messages|Jump to latest/ }).click();
  await expect(ann.line("message 6000")).toBeInViewport();
  await isInOrder(ann);
  await ann.send("hello");
  await ann.seesMessage("hello");
  await expect(ann.page.getByRole("button", { name: /new message/ })).toHaveCount(0);
  await server.remove();
});

test("ann reads on from far back to the newest message, and none is missing", async ({ ann, bob, room }) => {
  test.slow();
  const server = await OwnServer.start("--post-rate", "0");
  await speaksElsewhere(bob, server);
  await bob.page.evaluate(posts, [room, 1, 2_600] as const);
  await ann.page.goto(`${server.url}/r/${room}`);
  await ann.waitUntilLive();
  await readsBack(ann, 150);
  await readsOn(ann, 2_600);
  await isInOrder(ann);
  await bob.page.evaluate(posts, [room, 2_601, 2_601] as const);
  await ann.seesMessage("message 2601");
  await expect(ann.line("message 2601")).toBeInViewport();
  await server.remove();
});

const numbers = async (person: User) => (await person.messages.allTextContents()).map((text) => Number(text.split(" ")[1]));

async function readsBack(person: User, to: number): Promise<void> {
  await expect(async () => {
    await person.page.locator(".scroller").evaluate((scroller) => scroller.scrollBy(0, -scroller.scrollHeight));
    expect((await numbers(person))[0]).toBeLessThanOrEqual(to);
  }).toPass({ intervals: [50], timeout: 90_000 });
}

async function readsOn(person: User, to: number): Promise<void> {
  await expect(async () => {
    await person.page.locator(".scroller").evaluate((scroller) => scroller.scrollBy(0, scroller.scrollHeight));
    expect((await numbers(person)).at(-1)).toBeGreaterThanOrEqual(to);
  }).toPass({ intervals: [50], timeout: 90_000 });
}

async function isInOrder(person: User): Promise<void> {
  const seen = await numbers(person);
  expect(seen).toEqual(seen.map((_, n) => seen[0]! + n));
}

/** Bytes of the app's own memory, which never shrinks. */
async function memory(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const script = document.querySelector<HTMLLinkElement>("link[rel=modulepreload]")!.href;
    const app = (await import(script)) as { default: () => Promise<{ memory: WebAssembly.Memory }> };
    return (await app.default()).memory.buffer.byteLength;
  });
}

async function speaksElsewhere(person: User, server: OwnServer): Promise<void> {
  person.allowConsoleError(/404/);
  await person.page.goto(`${server.url}/healthz`);
}

/** Runs in a page: posts `message first` to `message last` over one socket of lines. */
async function posts([room, first, last]: readonly [string, number, number]): Promise<void> {
  const socket = new WebSocket(`ws://${location.host}/ws?room=${room}`);
  await new Promise((open) => (socket.onopen = open));
  let heard = 0;
  const all = new Promise<void>((done) => {
    socket.onmessage = (message) => {
      heard += String(message.data).split("\n").length;
      if (heard > last - first) done();
    };
  });
  for (let n = first; n <= last; n++) socket.send(`message ${n}`);
  await all;
  socket.close();
}
