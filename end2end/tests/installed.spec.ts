import { OwnServer } from "../hubbub";
import { expect, hides, test, type Person } from "../people";

const installed = { serviceWorkers: "allow" } as const;

async function hasWorker(person: Person): Promise<void> {
  await person.page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    while (!navigator.serviceWorker.controller) await new Promise((done) => setTimeout(done, 20));
  });
}

test("the manifest and its icons are there", async ({ ann, request }) => {
  await ann.page.goto("/");
  const link = await ann.page.locator("link[rel=manifest]").getAttribute("href");
  const manifest = await (await request.get(link ?? "")).json();
  expect(manifest).toMatchObject({ name: "Hubbub", display: "standalone", start_url: "/" });
  for (const icon of manifest.icons) {
    const answer = await request.get(icon.src);
    expect([answer.status(), answer.headers()["content-type"]]).toEqual([200, icon.type]);
  }
});

test("the rooms seen last can be read with the server gone, and nothing written is lost", async ({ somebody }) => {
  const server = await OwnServer.start();
  const ann = await somebody({ ...installed, baseURL: server.url });
  ann.expects(/ERR_CONNECTION_REFUSED|WebSocket/);
  await ann.enters("tea");
  await hasWorker(ann);
  await ann.says("before the network went");
  await ann.sees("before the network went");
  await ann.page.reload();
  await ann.isLive();
  await server.stop();
  await ann.page.reload();
  await ann.seesAll(["before the network went"]);
  await ann.says("written without a network");
  await expect(ann.line("written without a network")).toHaveAttribute("data-standing", "pending");
  await ann.page.goto(`${server.url}/r/never-seen`);
  await expect(ann.page.getByRole("heading")).toHaveText("You are offline");
  await ann.page.goto(`${server.url}/r/tea`);
  await server.start();
  await ann.page.reload();
  await ann.isLive();
  await ann.seesAll(["before the network went", "written without a network"]);
  await ann.page.close();
  await server.remove();
});

test("a room that was seen but once is there too", async ({ somebody }) => {
  const server = await OwnServer.start();
  const ann = await somebody({ ...installed, baseURL: server.url });
  ann.expects(/ERR_CONNECTION_REFUSED|WebSocket/);
  await ann.enters("tea");
  await hasWorker(ann);
  await expect.poll(() => ann.page.evaluate(() => caches.match("/r/tea").then(Boolean))).toBe(true);
  await server.stop("SIGKILL");
  await ann.page.reload();
  await expect(ann.page.getByRole("heading", { level: 1 })).toHaveText("Tea");
  await ann.page.close();
  await server.remove();
});

test("what was said after the page came is in the copy too", async ({ somebody }) => {
  const server = await OwnServer.start();
  const ann = await somebody({ ...installed, baseURL: server.url });
  const bob = await somebody({ baseURL: server.url });
  for (const person of [ann, bob]) person.expects(/ERR_CONNECTION_REFUSED|WebSocket/);
  await ann.enters("tea");
  await hasWorker(ann);
  await bob.enters("tea");
  await bob.says("said later");
  await ann.sees("said later");
  await hides(ann, true);
  await expect
    .poll(() => ann.page.evaluate(async () => (await (await (await caches.open("hubbub-pages")).match("/r/tea"))?.text())?.includes("said later")))
    .toBe(true);
  await server.stop();
  await ann.page.reload();
  await ann.seesAll(["said later"]);
  await ann.page.close();
  await bob.page.close();
  await server.remove();
});

test("with a network the page is always the server's, never a copy", async ({ somebody, room, request }) => {
  const ann = await somebody(installed);
  // Without sockets nothing but the page itself can be new.
  await ann.page.addInitScript("delete window.WebSocket");
  await ann.enters(room).catch(() => {});
  await ann.page.evaluate(() => navigator.serviceWorker.register("/sw.js"));
  await hasWorker(ann);
  await ann.page.reload();
  await expect.poll(() => ann.page.evaluate((room) => caches.match(`/r/${room}`).then(Boolean), room)).toBe(true);
  await request.post(`/api/rooms/${room}/messages`, { data: { text: "newer than the copy" } });
  const answer = await ann.page.goto(`/r/${room}`);
  expect(answer?.fromServiceWorker()).toBe(true);
  expect(await answer?.text()).toContain("newer than the copy");
});

test("whoever sits here next gets no copy of somebody else's rooms", async ({ somebody }) => {
  const server = await OwnServer.start();
  const ann = await somebody({ ...installed, baseURL: server.url });
  ann.expects(/ERR_CONNECTION_REFUSED|WebSocket/);
  await ann.enters("secret");
  await hasWorker(ann);
  await ann.says("for my eyes only");
  await ann.sees("for my eyes only");
  await ann.page.reload();
  await ann.isLive();
  await ann.page.goto("/rooms");
  await ann.page.context().clearCookies();
  await ann.enters("tea");
  await ann.page.reload();
  await ann.isLive();
  await expect.poll(() => ann.page.evaluate(() => caches.match("/r/tea").then(Boolean))).toBe(true);
  await server.stop();
  await ann.page.goto(`${server.url}/r/secret`);
  await expect(ann.page.getByRole("heading")).toHaveText("You are offline");
  await ann.page.close();
  await server.remove();
});

test("ann is told of a mention while her tab is hidden, and of nothing else", async ({ somebody, bob, room }) => {
  const ann = await somebody({ ...installed, permissions: ["notifications"] });
  await ann.enters(room);
  await hasWorker(ann);
  await ann.calls(`Ann ${room}`.slice(0, 30));
  const about = await ann.opens("about");
  await expect(about.getByLabel("Notifications")).toHaveValue("off");
  await expect(about.getByLabel("Play a sound")).not.toBeChecked();
  await about.getByLabel("Notifications").selectOption("mentions");
  // The browser is asked first.
  await expect.poll(() => ann.page.evaluate((room) => localStorage.getItem(`hubbub/choice/notify/${room}`), room)).toBe("mentions");
  await ann.page.keyboard.press("Escape");
  await bob.enters(room);
  await hides(ann, true);
  await bob.says("nothing for her");
  await bob.says(`are you there, @${`Ann ${room}`.slice(0, 30)}?`);
  const told = () =>
    ann.page.evaluate(async () => {
      const worker = await navigator.serviceWorker.ready;
      return (await worker.getNotifications()).map((notification) => notification.body);
    });
  await expect.poll(told).toEqual([`are you there, @${`Ann ${room}`.slice(0, 30)}?`]);
  await ann.page.reload();
  await ann.isLive();
  await expect((await ann.opens("about")).getByLabel("Notifications")).toHaveValue("mentions");
});

test("who asks for every message gets every message", async ({ somebody, bob, room }) => {
  const ann = await somebody({ ...installed, permissions: ["notifications"] });
  await ann.enters(room);
  await hasWorker(ann);
  await (await ann.opens("about")).getByLabel("Notifications").selectOption("all");
  await bob.enters(room);
  await hides(ann, true);
  await bob.says("good morning");
  await expect
    .poll(() => ann.page.evaluate(async () => (await (await navigator.serviceWorker.ready).getNotifications()).length))
    .toBe(1);
});

test("a message rings where that was asked for, and nobody is told who looks at another tab", async ({ somebody, bob, room }) => {
  const ann = await somebody({ ...installed, permissions: ["notifications"] });
  await ann.page.addInitScript(() => {
    const rung: string[] = [];
    Object.assign(window, { rung });
    HTMLMediaElement.prototype.play = async function () {
      rung.push(new URL(this.src).pathname);
    };
  });
  const rung = () => ann.page.evaluate(() => (window as unknown as { rung: string[] }).rung);
  await ann.enters(room);
  await hasWorker(ann);
  const about = await ann.opens("about");
  await about.getByLabel("Notifications").selectOption("all");
  await about.getByLabel("Play a sound").check();
  await ann.page.keyboard.press("Escape");
  await bob.enters(room);
  await hides(ann, true);
  await bob.says("ring");
  await expect.poll(rung).toEqual(["/tone.wav"]);
  const other = await ann.page.context().newPage();
  await other.goto("/rooms");
  await bob.says("no ring");
  await ann.sees("no ring");
  await other.waitForTimeout(300);
  expect(await rung()).toEqual(["/tone.wav"]);
});

test("a browser that refuses notifications is told so in a sentence", async ({ somebody, room }) => {
  const ann = await somebody({ permissions: [] });
  await ann.page.addInitScript(() => {
    Notification.requestPermission = async () => "denied";
  });
  await ann.enters(room);
  const about = await ann.opens("about");
  await about.getByLabel("Notifications").selectOption("all");
  await expect(about.getByText("Your browser blocks notifications")).toBeVisible();
  await expect(about.getByLabel("Notifications")).toHaveValue("off");
});

for (const [locale, says] of [["en-GB", "This browser stores no cookies"], ["zh-CN", "这个浏览器不为本站保存 Cookie"]] as const) {
  test(`a browser that refuses cookies is told what follows, in ${locale}`, async ({ somebody, room }) => {
    const ann = await somebody({ locale });
    await ann.page.addInitScript(() => Object.defineProperty(navigator, "cookieEnabled", { value: false }));
    await ann.page.goto(`/r/${room}`);
    await ann.isLive();
    await expect(ann.page.getByText(says)).toBeVisible();
  });
}

test("a browser that keeps nothing says so, and chat works all the same", async ({ ann, bob, room }) => {
  await ann.page.addInitScript(() => {
    Object.defineProperty(window, "localStorage", {
      get() {
        throw new DOMException("no", "SecurityError");
      },
    });
  });
  await ann.enters(room);
  await expect(ann.page.getByText("This browser stores no data for this site")).toBeVisible();
  await bob.enters(room);
  await ann.says("still here");
  await bob.sees("still here");
});

test("a browser that keeps nothing notifies for as long as the page is open", async ({ somebody, bob, room }) => {
  const ann = await somebody({ ...installed, permissions: ["notifications"] });
  await ann.page.addInitScript(() => {
    Storage.prototype.setItem = () => {
      throw new DOMException("no", "QuotaExceededError");
    };
  });
  await ann.enters(room);
  await hasWorker(ann);
  await (await ann.opens("about")).getByLabel("Notifications").selectOption("all");
  await bob.enters(room);
  await hides(ann, true);
  await bob.says("good morning");
  await expect
    .poll(() => ann.page.evaluate(async () => (await (await navigator.serviceWorker.ready).getNotifications()).length))
    .toBe(1);
});
