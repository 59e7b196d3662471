import { OwnServer } from "../hubbub";
import { expect, hasCopy, hasWorker, notifications, setTabHidden, test, uniqueName, workerOf, type NewUser, type User } from "../people";

const installed = { serviceWorkers: "allow" } as const;

/** Joins Ann to a room of a server that the test may stop, with the service worker in control of her page. */
async function annInstalled(newUser: NewUser, room: string): Promise<{ server: OwnServer; ann: User }> {
  const server = await OwnServer.start();
  const ann = await newUser({ ...installed, baseURL: server.url });
  ann.allowServerLoss();
  await ann.joinRoom(room);
  await hasWorker(ann);
  return { server, ann };
}

test("the server has the manifest and its icons", async ({ ann, request }) => {
  await ann.page.goto("/");
  const link = await ann.page.locator("link[rel=manifest]").getAttribute("href");
  const manifest = await (await request.get(link ?? "")).json();
  expect(manifest).toMatchObject({ name: "Hubbub", display: "standalone", start_url: "/" });
  for (const icon of manifest.icons) {
    const answer = await request.get(icon.src);
    expect([answer.status(), answer.headers()["content-type"]]).toEqual([200, icon.type]);
  }
});

test("recent rooms can be read without the server, and messages are sent later", async ({ newUser }) => {
  const { server, ann } = await annInstalled(newUser, "tea");
  await ann.send("before the network went");
  await ann.seesMessage("before the network went");
  await ann.page.reload();
  await ann.waitUntilLive();
  await hasCopy(ann, "/r/tea", "before the network went");
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

test("a room that was opened once can be read without the server", async ({ newUser }) => {
  const { server, ann } = await annInstalled(newUser, "tea");
  await hasCopy(ann, "/r/tea");
  await server.stop("SIGKILL");
  await ann.page.reload();
  await expect(ann.page.getByRole("heading", { level: 1 })).toHaveText("Tea");
  await ann.page.close();
  await server.remove();
});

test("the copy of a room contains messages that arrived after the page", async ({ newUser }) => {
  const { server, ann } = await annInstalled(newUser, "tea");
  const bob = await newUser({ baseURL: server.url });
  bob.allowServerLoss();
  await bob.joinRoom("tea");
  await bob.send("said later");
  await ann.seesMessage("said later");
  await setTabHidden(ann, true);
  await hasCopy(ann, "/r/tea", "said later");
  await server.stop();
  await ann.page.reload();
  await ann.seesMessages(["said later"]);
  await ann.page.close();
  await bob.page.close();
  await server.remove();
});

test("with a network the page comes from the server and not from the cache", async ({ newUser, room, request }) => {
  const ann = await newUser(installed);
  // The page does not load the app, so that only the page itself can be new.
  await ann.page.addInitScript("delete window.WebSocket; delete window.EventSource");
  await ann.page.goto(`/r/${room}`);
  await ann.page.evaluate(() => navigator.serviceWorker.register("/sw.js"));
  await hasWorker(ann);
  await ann.page.reload();
  await hasCopy(ann, `/r/${room}`);
  await request.post(`/api/rooms/${room}/messages`, { data: { text: "newer than the copy" } });
  const answer = await ann.page.goto(`/r/${room}`);
  expect(answer?.fromServiceWorker()).toBe(true);
  expect(await answer?.text()).toContain("newer than the copy");
});

test("the next user of a browser gets no copies of the previous user's rooms", async ({ newUser }) => {
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
  await hasCopy(ann, "/r/tea");
  await server.stop();
  await ann.page.goto(`${server.url}/r/secret`);
  await expect(ann.page.getByRole("heading")).toHaveText("You are offline");
  await ann.page.close();
  await server.remove();
});

test("an answer for the previous user that arrives late is not stored", async ({ newUser }) => {
  const { server, ann } = await annInstalled(newUser, "secret");
  await hasCopy(ann, "/r/secret");
  const worker = workerOf(ann);
  await worker.evaluate(() => {
    const scope = self as unknown as { fetch: typeof fetch; release: () => void; held: Promise<unknown> };
    const real = scope.fetch.bind(self);
    const released = new Promise<void>((done) => (scope.release = done));
    scope.fetch = (request, options) => {
      const answer = real(request, options);
      if (request !== "/r/secret") return answer;
      scope.held = answer;
      return answer.then(async (page) => (await released, page));
    };
  });
  await setTabHidden(ann, true);
  await expect.poll(() => worker.evaluate(() => "held" in self)).toBe(true);
  await worker.evaluate(async () => void (await (self as unknown as { held: Promise<unknown> }).held));
  await ann.page.goto("/rooms");
  await ann.page.context().clearCookies();
  await ann.joinRoom("tea");
  await hasCopy(ann, "/r/tea");
  await worker.evaluate(() => (self as unknown as { release: () => void }).release());
  // The worker stores pages in turn, so a page that it stores now comes after the late one.
  await ann.send("stored later");
  await ann.seesMessage("stored later");
  await setTabHidden(ann, true);
  await hasCopy(ann, "/r/tea", "stored later");
  expect(await ann.page.evaluate(async () => Boolean(await caches.match("/r/secret")))).toBe(false);
  await ann.page.close();
  await server.remove();
});

test("a page of the previous user that is being stored is deleted with their other copies", async ({ newUser }) => {
  const { server, ann } = await annInstalled(newUser, "tea");
  await hasCopy(ann, "/r/tea");
  // The first page waits until the second one is stored, or until it has clearly not overtaken the first.
  await workerOf(ann).evaluate(async () => {
    const { storePage } = self as unknown as { storePage: (path: string, answer: Response, asked: number) => Promise<void> };
    const pageOf = (person: string) =>
      new Response(person, { headers: { "content-type": "text/html", "hubbub-person": person } });
    const owner = await (await caches.open("hubbub-whose")).match("/");
    const next = (await owner?.text()) ?? "";
    await storePage("/r/old", pageOf("previous"), Infinity);
    const open = CacheStorage.prototype.open;
    let overtaken = () => {};
    const second = new Promise<void>((done) => (overtaken = done));
    let isFirst = true;
    CacheStorage.prototype.open = async function (name) {
      const waits = name === "hubbub-pages" && isFirst;
      isFirst &&= !waits;
      if (waits) await Promise.race([second, new Promise((done) => setTimeout(done, 1_000))]);
      return open.call(this, name);
    };
    const pages = [storePage("/r/old", pageOf("previous"), Infinity), storePage("/r/new", pageOf(next), Infinity)];
    void pages[1].then(overtaken);
    await Promise.all(pages);
    CacheStorage.prototype.open = open;
  });
  expect(await ann.page.evaluate(async () => Boolean(await caches.match("/r/new")))).toBe(true);
  expect(await ann.page.evaluate(async () => Boolean(await caches.match("/r/old")))).toBe(false);
  await ann.page.close();
  await server.remove();
});

test("a notification that appears while others are withdrawn stays", async ({ newUser, room }) => {
  const ann = await newUser({ ...installed, permissions: ["notifications"] });
  await ann.joinRoom(room);
  await hasWorker(ann);
  const names = Array.from({ length: 12 }, (_, index) => `room-${index}`);
  for (const name of names) {
    await ann.page.evaluate((name) => {
      const worker = navigator.serviceWorker.controller;
      const withdraw = () => worker?.postMessage({ withdraw: { tag: "another", seq: 9, only: false } });
      for (let before = 0; before < 20; before++) withdraw();
      worker?.postMessage({ notify: { title: name, options: { tag: name, body: name, silent: true }, seq: 1, rings: false } });
      for (let after = 0; after < 20; after++) withdraw();
    }, name);
  }
  await expect.poll(async () => (await notifications(ann)).sort()).toEqual(names.sort());
});

test("Ann is notified of a mention while her tab is hidden, and of nothing else", async ({ newUser, bob, room }) => {
  const ann = await newUser({ ...installed, permissions: ["notifications"] });
  await ann.joinRoom(room);
  await hasWorker(ann);
  await ann.rename(uniqueName("Ann", room));
  const about = await ann.openDialog("about");
  await expect(about.getByLabel("Notifications")).toHaveValue("off");
  await expect(about.getByLabel("Play a sound")).not.toBeChecked();
  await about.getByLabel("Notifications").selectOption("mentions");
  // The browser grants the permission first.
  await expect.poll(() => ann.page.evaluate((room) => localStorage.getItem(`hubbub/choice/notify/${room}`), room)).toBe("mentions");
  await ann.page.keyboard.press("Escape");
  await bob.joinRoom(room);
  await setTabHidden(ann, true);
  await bob.send("nothing for her");
  await bob.send(`are you there, @${uniqueName("Ann", room)}?`);
  await expect.poll(() => notifications(ann)).toEqual([`are you there, @${uniqueName("Ann", room)}?`]);
  await ann.page.reload();
  await ann.waitUntilLive();
  await expect((await ann.openDialog("about")).getByLabel("Notifications")).toHaveValue("mentions");
});

test("Ann is notified of a reply to her message, if she has chosen mentions", async ({ newUser, bob, room }) => {
  const ann = await newUser({ ...installed, permissions: ["notifications"] });
  await ann.joinRoom(room);
  await hasWorker(ann);
  await (await ann.openDialog("about")).getByLabel("Notifications").selectOption("mentions");
  await expect.poll(() => ann.page.evaluate((room) => localStorage.getItem(`hubbub/choice/notify/${room}`), room)).toBe("mentions");
  await ann.page.keyboard.press("Escape");
  await ann.send("a question");
  await ann.seesMessage("a question");
  await bob.joinRoom(room);
  await setTabHidden(ann, true);
  await bob.send("something else");
  await bob.act("a question", "Reply");
  await bob.send("an **answer**");
  await expect.poll(() => notifications(ann)).toEqual(["an answer"]);
});

test("a user who selects all messages is notified of every message", async ({ newUser, bob, room }) => {
  const ann = await newUser({ ...installed, permissions: ["notifications"] });
  await ann.joinRoom(room);
  await hasWorker(ann);
  await (await ann.openDialog("about")).getByLabel("Notifications").selectOption("all");
  await bob.joinRoom(room);
  await setTabHidden(ann, true);
  await bob.send("good morning");
  await expect.poll(() => notifications(ann)).toEqual(["good morning"]);
});

test("a message plays the selected sound, unless the user looks at another tab", async ({ newUser, bob, room }) => {
  const ann = await newUser({ ...installed, permissions: ["notifications"] });
  await ann.page.addInitScript(() => {
    const played: string[] = [];
    Object.assign(window, { played });
    HTMLMediaElement.prototype.play = async function () {
      played.push(new URL(this.src).pathname);
    };
  });
  const played = () => ann.page.evaluate(() => (window as unknown as { played: string[] }).played);
  await ann.joinRoom(room);
  await hasWorker(ann);
  const about = await ann.openDialog("about");
  await about.getByLabel("Notifications").selectOption("all");
  await about.getByLabel("Play a sound").check();
  await ann.page.keyboard.press("Escape");
  await bob.joinRoom(room);
  await setTabHidden(ann, true);
  await bob.send("sound");
  await expect.poll(played).toEqual(["/tone.wav"]);
  const other = await ann.page.context().newPage();
  await other.goto("/rooms");
  await bob.send("no sound");
  await ann.seesMessage("no sound");
  // The worker handles this request after the notification, while the other tab still has the focus.
  await ann.page.evaluate(() => navigator.serviceWorker.controller?.postMessage("refresh"));
  await hasCopy(ann, `/r/${room}`, "no sound");
  await other.close();
  await bob.send("sound again");
  await expect.poll(() => notifications(ann)).toContain("sound again");
  await expect.poll(played).toEqual(["/tone.wav", "/tone.wav"]);
});

test("a page shows that the browser blocks notifications", async ({ newUser, room }) => {
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

for (const [locale, text] of [["en-GB", "This browser stores no cookies"], ["zh-CN", "这个浏览器不为本站保存 Cookie"]] as const) {
  test(`a page shows the consequence of blocked cookies, in ${locale}`, async ({ newUser, room }) => {
    const ann = await newUser({ locale });
    await ann.page.addInitScript(() => Object.defineProperty(navigator, "cookieEnabled", { value: false }));
    await ann.page.goto(`/r/${room}`);
    await ann.waitUntilLive();
    await expect(ann.page.getByText(text)).toBeVisible();
  });
}

test("a page without storage shows that and works", async ({ ann, bob, room }) => {
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

test("a page without storage notifies while it is open", async ({ newUser, bob, room }) => {
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
  await expect.poll(() => notifications(ann)).toEqual(["good morning"]);
});
