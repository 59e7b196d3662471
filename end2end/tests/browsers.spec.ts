import { Gate } from "../gate";
import { OwnServer } from "../hubbub";
import { expect, hasWorker, isLive, test, type User } from "../people";

const unreachable = /WebSocket connection to .* failed|ERR_CONNECTION|ERR_EMPTY_RESPONSE/;

let server: OwnServer;
test.beforeEach(async () => {
  // Most of these tests load several pages.
  test.slow();
  server = await OwnServer.start();
});
test.afterEach(async () => server.remove());

async function join(user: User): Promise<void> {
  user.allowConsoleError(unreachable);
  await user.joinRoom("tea", server.url);
}

const keys = (user: User, part: string) =>
  user.page.evaluate((part) => Object.keys(localStorage).filter((key) => key.includes(part)), part);

test("a duplicated tab has its own draft, and each tab sends its message once", async ({ ann, bob }) => {
  await join(bob);
  await join(ann);
  await ann.composer.fill("written in the first tab");
  const session = await ann.page.evaluate(() => JSON.stringify(sessionStorage));
  const copy = await ann.page.context().newPage();
  // Browsers copy the session storage when they duplicate a tab.
  await copy.addInitScript((session) => {
    if (sessionStorage.length === 0) for (const [key, value] of Object.entries(JSON.parse(session))) sessionStorage.setItem(key, String(value));
  }, session);
  await copy.goto(`${server.url}/r/tea`);
  await isLive(copy);
  await copy.locator("#text").fill("written in the copy");
  expect(await keys(ann, "/draft/")).toHaveLength(2);
  await ann.page.reload();
  await ann.waitUntilLive();
  await expect(ann.composer).toHaveValue("written in the first tab");
  await expect(copy.locator("#text")).toHaveValue("written in the copy");
  await ann.composer.press("Enter");
  await copy.locator("#text").press("Enter");
  await bob.seesMessage("written in the copy");
  await bob.seesMessage("written in the first tab");
  await copy.close();
});

test("pending messages are sent in the order of writing after the clock was set back", async ({ ann, bob }) => {
  await join(bob);
  await ann.page.clock.install();
  await join(ann);
  await server.stop();
  await ann.send("first");
  await ann.page.clock.setSystemTime(Date.now() - 3_600_000);
  await ann.send("second");
  await expect(ann.line("second")).toHaveAttribute("data-standing", "pending");
  await server.start();
  await ann.page.reload();
  await bob.seesMessages(["first", "second"]);
});

test("the messages of a closed tab are sent after the clock was set back by an hour", async ({ ann, bob }) => {
  await join(bob);
  await join(ann);
  await ann.page.evaluate(() => {
    const command = { id: "019ac000-0000-7000-8000-000000000001", deed: { post: { text: "left behind" } } };
    const at = Date.now() + 3_600_000;
    localStorage.setItem("hubbub/tab/gone", `${at} page`);
    localStorage.setItem(`hubbub/room/tea/out/${command.id}`, JSON.stringify({ at, tab: "gone", command, refused: null }));
  });
  await ann.page.clock.install();
  await ann.page.reload();
  await ann.waitUntilLive();
  await ann.passSeconds(40);
  await bob.seesMessage("left behind");
});

test("full storage shows a warning, and messages are still sent", async ({ ann, bob }) => {
  await join(bob);
  await join(ann);
  const sentence = ann.page.getByText("This browser stores no data for this site");
  await expect(sentence).toHaveCount(0);
  await ann.page.evaluate(() => {
    Storage.prototype.setItem = () => {
      throw new DOMException("full", "QuotaExceededError");
    };
  });
  await ann.composer.fill("h");
  await expect(sentence).toBeVisible();
  await ann.send("not kept, but sent");
  await bob.seesMessage("not kept, but sent");
  await ann.seesMessage("not kept, but sent");
});

test("keys of an input method do not send, cancel or move anything in any field", async ({ ann }) => {
  await join(ann);
  await ann.send("mine");
  await ann.seesMessage("mine");
  const press = (selector: string, key: string, init: object) =>
    ann.page.locator(selector).evaluate(
      (field, [key, init]) => field.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...init })),
      [key, init] as const,
    );
  for (const init of [{ isComposing: true, keyCode: 229 }, { isComposing: false, keyCode: 229 }]) {
    await ann.composer.fill("かんじ");
    await press("#text", "Enter", init);
    await expect(ann.composer).toHaveValue("かんじ");
    await ann.composer.fill("");
    await press("#text", "ArrowUp", init);
    await expect(ann.editor).toHaveCount(0);
    await ann.openMenu("mine");
    await ann.editor.fill("へんか");
    for (const key of ["Enter", "Escape"]) {
      await press(".menu[open] textarea", key, init);
      await expect(ann.editor).toHaveValue("へんか");
    }
    await ann.editor.press("Escape");
    await ann.profile.click();
    await ann.page.locator("#name").fill("なまえ");
    for (const key of ["Enter", "Escape"]) {
      await press("#name", key, init);
      await expect(ann.page.locator("#name")).toBeVisible();
      await expect(ann.page.locator("#name")).toHaveValue("なまえ");
    }
    await ann.page.locator("#name").press("Escape");
  }
  await ann.seesMessages(["mine"]);
});

test("the browser requests the manifest with cookies", async ({ ann }) => {
  await join(ann);
  await expect(ann.page.locator("link[rel=manifest]")).toHaveAttribute("crossorigin", "use-credentials");
});

test("a range request returns a part of a file", async ({ request }) => {
  const tone = `${server.url}/tone.wav`;
  const whole = await request.get(tone, { headers: { "accept-encoding": "identity" } });
  const size = (await whole.body()).length;
  expect(whole.headers()["accept-ranges"]).toBe("bytes");
  const get = (headers: Record<string, string>) => request.get(tone, { headers: { "accept-encoding": "identity", ...headers } });
  const part = await get({ range: "bytes=2-5" });
  expect([part.status(), part.headers()["content-range"], part.headers()["content-length"]]).toEqual([206, `bytes 2-5/${size}`, "4"]);
  expect(await part.body()).toEqual((await whole.body()).subarray(2, 6));
  const beyond = await get({ range: `bytes=${size}-` });
  expect([beyond.status(), beyond.headers()["content-range"]]).toEqual([416, `bytes */${size}`]);
  const { etag } = whole.headers();
  expect((await get({ range: "bytes=0-1", "if-range": etag })).status()).toBe(206);
  expect((await get({ range: "bytes=0-1", "if-range": '"another"' })).status()).toBe(200);
  expect((await get({ range: "bytes=0-1,4-5" })).status()).toBe(200);
  expect((await request.head(tone, { headers: { range: "bytes=0-1" } })).status()).toBe(200);
});

test("the page of a captive portal is never cached in place of a room", async ({ newUser }) => {
  const gate = await Gate.before(server.port);
  const ann = await newUser({ serviceWorkers: "allow", baseURL: gate.url });
  ann.allowConsoleError(/WebSocket|ERR_|MIME type|Failed to (load|fetch)/);
  await ann.joinRoom("tea");
  await hasWorker(ann);
  await ann.send("the real room");
  await ann.seesMessage("the real room");
  await ann.page.reload();
  await ann.waitUntilLive();
  const portal = { status: 200, type: "text/html", body: "<title>Sign in</title><h1>Sign in to the network</h1>" };
  gate.answer = () => portal;
  await ann.page.goto(`${gate.url}/r/tea`);
  await expect(ann.page.getByRole("heading")).toHaveText("Sign in to the network");
  await ann.page.evaluate(() => navigator.serviceWorker.controller?.postMessage("refresh"));
  await ann.page.evaluate(async () => {
    for (const file of ["/pkg/hubbub.0000.js", "/pkg/hubbub.0000.wasm"]) await fetch(file);
  });
  await ann.page.goto(`${gate.url}/r/never-seen`);
  const cached = () =>
    ann.page.evaluate(async () => {
      const texts: string[] = [];
      for (const name of await caches.keys()) {
        const cache = await caches.open(name);
        for (const key of await cache.keys()) texts.push((await (await cache.match(key))!.text()).slice(0, 400));
      }
      return texts.filter((text) => text.includes("Sign in")).length;
    });
  expect(await cached()).toBe(0);
  gate.answer = () => ({ status: 502, type: "text/html", body: "Bad gateway" });
  await ann.page.goto(`${gate.url}/r/tea`);
  await ann.seesMessages(["the real room"]);
  await ann.page.close();
  gate.close();
});
