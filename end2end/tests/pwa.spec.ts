import { OwnServer } from "../hubbub";
import { expect, setTabHidden, test, type NewUser, type User } from "../people";

const installed = { serviceWorkers: "allow" } as const;

async function hasWorker(person: User): Promise<void> {
  await person.page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    while (!navigator.serviceWorker.controller) await new Promise((done) => setTimeout(done, 20));
  });
}

/** Joins Ann to a room of a server that the scene may stop, with the service worker in control of her page. */
async function annInstalled(newUser: NewUser, room: string): Promise<{ server: OwnServer; ann: User }> {
  const server = await OwnServer.start();
  const ann = await newUser({ ...installed, baseURL: server.url });
  ann.allowServerLoss();
  await ann.joinRoom(room);
  await hasWorker(ann);
  return { server, ann };
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

test("the rooms seen last can be read with the server gone, and nothing written is lost", async ({ newUser }) => {
  const { server, ann } = await annInstalled(newUser, "tea");
  await ann.send("before the network went");
  await ann.seesMessage("before the network went");
  await ann.page.reload();
  await ann.waitUntilLive();
  await server.stop();
  await ann.page.reload();
  await ann.seesMessages(["before the network went"]);
  await ann.send("written without a network");
  await expect(ann.line("written without a network")).toHaveAttribute("data-standing", "pending");
  await ann.page.goto(`${server.url}/r/never-seen`);
  await expect(ann.page.getByRole("heading")).toHaveText("You are offline");
  await ann.page.goto(`${server.url}/r/tea`);
  await server.start();
  await ann.page.reload();
  await ann.waitUntilLive();
  await ann.seesMessages(["before the network went", "written without a network"]);
  await ann.page.close();
  await server.remove();
});

test("a room that was seen but once is there too", async ({ newUser }) => {
  const { server, ann } = await annInstalled(newUser, "tea");
  await expect.poll(() => ann.page.evaluate(() => caches.match("/r/tea").then(Boolean))).toBe(true);
  await server.stop("SIGKILL");
  await ann.page.reload();
  await expect(ann.page.getByRole("heading", { level: 1 })).toHaveText("Tea");
  await ann.page.close();
  await server.remove();
});

test("what was said after the page came is in the copy too", async ({ newUser }) => {
  const { server, ann } = await annInstalled(newUser, "tea");
  const bob = await newUser({ baseURL: server.url });
  bob.allowServerLoss();
  await bob.joinRoom("tea");
  await bob.send("said later");
  await ann.seesMessage("said later");
  await setTabHidden(ann, true);
  await expect
    .poll(() => ann.page.evaluate(async () => (await (await (await caches.open("hubbub-pages")).match("/r/tea"))?.text())?.includes("said later")))
    .toBe(true);
  await server.stop();
  await ann.page.reload();
  await ann.seesMessages(["said later"]);
  await ann.page.close();
  await bob.page.close();
  await server.remove();
});

test("with a network the page is always the server's, never a copy", async ({ newUser, room, request }) => {
  const ann = await newUser(installed);
  // Without sockets nothing but the page itself can be new.
  await ann.page.addInitScript("delete window.WebSocket");
  await ann.joinRoom(room).catch(() => {});
  await ann.page.evaluate(() => navigator.serviceWorker.register("/sw.js"));
  await hasWorker(ann);
  await ann.page.reload();
  await expect.poll(() => ann.page.evaluate((room) => caches.match(`/r/${room}`).then(Boolean), room)).toBe(true);
  await request.post(`/api/rooms/${room}/messages`, { data: { text: "newer than the copy" } });
  const answer = await ann.page.goto(`/r/${room}`);
  expect(answer?.fromServiceWorker()).toBe(true);
  expect(await answer?.text()).toContain("newer than the copy");
});

test("whoever sits here next gets no copy of somebody else's rooms", async ({ newUser }) => {
  const { server, ann } = await annInstalled(newUser, "secret");
  await ann.send("for my eyes only");
  await ann.seesMessage("for my eyes only");
  await ann.page.reload();
  await ann.waitUntilLive();
  await ann.page.goto("/rooms");
  await ann.page.context().clearCookies();
  await ann.joinRoom("tea");
  await ann.page.reload();
  await ann.waitUntilLive();
  await expect.poll(() => ann.page.evaluate(() => caches.match("/r/tea").then(Boolean))).toBe(true);
  await server.stop();
  await ann.page.goto(`${server.url}/r/secret`);
  await expect(ann.page.getByRole("heading")).toHaveText("You are offline");
  await ann.page.close();
  await server.remove();
});

test("ann is told of a mention while her tab is hidden, and of nothing else", async ({ newUser, bob, room }) => {
  const ann = await newUser({ ...installed, permissions: ["notifications"] });
  await ann.joinRoom(room);
  await hasWorker(ann);
  await ann.rename(`Ann ${room}`.slice(0, 30));
  const about = await ann.openDialog("about");
  await expect(about.getByLabel("Notifications")).toHaveValue("off");
  await expect(about.getByLabel("Play a sound")).not.toBeChecked();
  await about.getByLabel("Notifications").selectOption("mentions");
  // The browser is asked first.
  await expect.poll(() => ann.page.evaluate((room) => localStorage.getItem(`hubbub/choice/notify/${room}`), room)).toBe("mentions");
  await ann.page.keyboard.press("Escape");
  await bob.joinRoom(room);
  await setTabHidden(ann, true);
  await bob.send("nothing for her");
  await bob.send(`are you there, @${`Ann ${room}`.slice(0, 30)}?`);
  const told = () =>
    ann.page.evaluate(async () => {
      const worker = await navigator.serviceWorker.ready;
      return (await worker.getNotifications()).map((notification) => notification.body);
    });
  await expect.poll(told).toEqual([`are you there, @${`Ann ${room}`.slice(0, 30)}?`]);
  await ann.page.reload();
  await ann.waitUntilLive();
  await expect((await ann.openDialog("about")).getByLabel("Notifications")).toHaveValue("mentions");
});

test("who asks for every message gets every message", async ({ newUser, bob, room }) => {
  const ann = await newUser({ ...installed, permissions: ["notifications"] });
  await ann.joinRoom(room);
  await hasWorker(ann);
  await (await ann.openDialog("about")).getByLabel("Notifications").selectOption("all");
  await bob.joinRoom(room);
  await setTabHidden(ann, true);
  await bob.send("good morning");
  await expect
    .poll(() => ann.page.evaluate(async () => (await (await navigator.serviceWorker.ready).getNotifications()).length))
    .toBe(1);
});

test("a message rings where that was asked for, and nobody is told who looks at another tab", async ({ newUser, bob, room }) => {
  const ann = await newUser({ ...installed, permissions: ["notifications"] });
  await ann.page.addInitScript(() => {
    const rung: string[] = [];
    Object.assign(window, { rung });
    HTMLMediaElement.prototype.play = async function () {
      rung.push(new URL(this.src).pathname);
    };
  });
  const rung = () => ann.page.evaluate(() => (window as unknown as { rung: string[] }).rung);
  await ann.joinRoom(room);
  await hasWorker(ann);
  const about = await ann.openDialog("about");
  await about.getByLabel("Notifications").selectOption("all");
  await about.getByLabel("Play a sound").check();
  await ann.page.keyboard.press("Escape");
  await bob.joinRoom(room);
  await setTabHidden(ann, true);
  await bob.send("ring");
  await expect.poll(rung).toEqual(["/tone.wav"]);
  const other = await ann.page.context().newPage();
  await other.goto("/rooms");
  await bob.send("no ring");
  await ann.seesMessage("no ring");
  await other.waitForTimeout(300);
  expect(await rung()).toEqual(["/tone.wav"]);
});

test("a browser that refuses notifications is told so in a sentence", async ({ newUser, room }) => {
  const ann = await newUser({ permissions: [] });
  await ann.page.addInitScript(() => {
    Notification.requestPermission = async () => "denied";
  });
  await ann.joinRoom(room);
  const about = await ann.openDialog("about");
  await about.getByLabel("Notifications").selectOption("all");
  await expect(about.getByText("Your browser blocks notifications")).toBeVisible();
  await expect(about.getByLabel("Notifications")).toHaveValue("off");
});

for (const [locale, says] of [["en-GB", "This browser stores no cookies"], ["zh-CN", "这个浏览器不为本站保存 Cookie"]] as const) {
  test(`a browser that refuses cookies is told what follows, in ${locale}`, async ({ newUser, room }) => {
    const ann = await newUser({ locale });
    await ann.page.addInitScript(() => Object.defineProperty(navigator, "cookieEnabled", { value: false }));
    await ann.page.goto(`/r/${room}`);
    await ann.waitUntilLive();
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
  await ann.joinRoom(room);
  await expect(ann.page.getByText("This browser stores no data for this site")).toBeVisible();
  await bob.joinRoom(room);
  await ann.send("still here");
  await bob.seesMessage("still here");
});

test("a browser that keeps nothing notifies for as long as the page is open", async ({ newUser, bob, room }) => {
  const ann = await newUser({ ...installed, permissions: ["notifications"] });
  await ann.page.addInitScript(() => {
    Storage.prototype.setItem = () => {
      throw new DOMException("no", "QuotaExceededError");
    };
  });
  await ann.joinRoom(room);
  await hasWorker(ann);
  await (await ann.openDialog("about")).getByLabel("Notifications").selectOption("all");
  await bob.joinRoom(room);
  await setTabHidden(ann, true);
  await bob.send("good morning");
  await expect
    .poll(() => ann.page.evaluate(async () => (await (await navigator.serviceWorker.ready).getNotifications()).length))
    .toBe(1);
});
