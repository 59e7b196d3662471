import { OwnServer } from "../hubbub";
import { expect, test, type User } from "../people";

// Several pages and waits of their own in most of them.
test.beforeEach(() => test.slow());

/** The window has the focus no longer, or again. */
async function focuses(person: User, focused: boolean): Promise<void> {
  await person.page.evaluate((focused) => {
    document.hasFocus = () => focused;
    window.dispatchEvent(new Event(focused ? "focus" : "blur"));
  }, focused);
}

const notified = (person: User) =>
  person.page.evaluate(async () => {
    const worker = await navigator.serviceWorker.ready;
    return (await worker.getNotifications()).map((notification) => notification.body);
  });

async function posts(person: User, room: string, text: string): Promise<number> {
  return (await (await person.page.request.post(`/api/rooms/${room}/messages`, { data: { text } })).json()).seq;
}

async function deletes(person: User, room: string, seq: number): Promise<void> {
  const headers = { origin: new URL(person.page.url()).origin };
  expect((await person.page.request.post(`/r/${room}/${seq}/delete`, { headers, maxRedirects: 0 })).status()).toBe(303);
}

test("what bob deletes before ann has read it is counted no longer, also if it was there when her page came", async ({ ann, bob, room }) => {
  await bob.joinRoom(`a-${room}`);
  await posts(bob, `a-${room}`, "hello");
  await ann.joinRoom(`a-${room}`);
  await ann.joinRoom(`b-${room}`);
  const early = await posts(bob, `a-${room}`, "early");
  await expect(ann.page).toHaveTitle(/^\(1\)/);
  await ann.page.reload();
  await ann.waitUntilLive();
  const late = await posts(bob, `a-${room}`, "late");
  await expect(ann.page).toHaveTitle(/^\(2\)/);
  await deletes(bob, `a-${room}`, early);
  await expect(ann.page).toHaveTitle(/^\(1\)/);
  await expect(ann.page.locator("link[rel=icon]")).toHaveAttribute("href", "/favicon-unread.svg");
  await deletes(bob, `a-${room}`, late);
  await expect(ann.page).not.toHaveTitle(/^\(/);
  await expect(ann.page.locator("link[rel=icon]")).toHaveAttribute("href", "/favicon.svg");
});

test("what ann reads on another device, all or a part, is counted no longer", async ({ ann, bob, room }) => {
  await bob.joinRoom(`a-${room}`);
  await posts(bob, `a-${room}`, "hello");
  await ann.joinRoom(`a-${room}`);
  await ann.joinRoom(`b-${room}`);
  for (const text of ["one", "two", "three"]) await posts(bob, `a-${room}`, text);
  await expect(ann.page).toHaveTitle(/^\(3\)/);
  await ann.page.reload();
  await ann.waitUntilLive();
  const device = await ann.page.context().newPage();
  const seen = (seq: number) => device.request.post("/api/commands", { data: { type: "read", room: `a-${room}`, seq } });
  await seen(3);
  await expect(ann.page).toHaveTitle(/^\(1\)/);
  await seen(4);
  await expect(ann.page).not.toHaveTitle(/^\(/);
});

test("what comes while ann's window is in sight without the focus is not read by that", async ({ ann, bob, room }) => {
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await focuses(ann, false);
  await bob.send("while away");
  await ann.seesMessage("while away");
  await expect(ann.page).toHaveTitle(/^\(1\)/);
  await focuses(ann, true);
  await expect(ann.page).not.toHaveTitle(/^\(/);
});

test("after a minute without activity messages stay unread until ann moves the mouse", async ({ ann, bob, room }) => {
  await ann.page.clock.install();
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await bob.send("at once");
  await ann.seesMessage("at once");
  await expect(ann.page).not.toHaveTitle(/^\(/);
  for (let n = 0; n < 7; n++) await ann.page.clock.runFor(10_000);
  await bob.send("a minute later");
  await ann.seesMessage("a minute later");
  await expect(ann.page).toHaveTitle(/^\(1\)/);
  await ann.page.mouse.move(300, 300);
  await ann.page.mouse.move(320, 300);
  await expect(ann.page).not.toHaveTitle(/^\(/);
});

test.describe("with notifications", () => {
  test.use({ serviceWorkers: "allow", permissions: ["notifications"] });

  async function asks(ann: User, room: string): Promise<void> {
    await ann.joinRoom(room);
    await ann.page.evaluate(async () => {
      await navigator.serviceWorker.ready;
      while (!navigator.serviceWorker.controller) await new Promise((done) => setTimeout(done, 20));
    });
    await (await ann.openDialog("about")).getByLabel("Notifications").selectOption("all");
    await ann.page.keyboard.press("Escape");
  }

  test("a notification comes to a window without the focus, and goes when its message is read", async ({ ann, bob, room }) => {
    await asks(ann, room);
    await bob.joinRoom(room);
    await focuses(ann, false);
    await bob.send("are you there?");
    await expect.poll(() => notified(ann)).toEqual(["are you there?"]);
    await focuses(ann, true);
    await expect.poll(() => notified(ann)).toEqual([]);
  });

  test("a notification goes when its message is deleted", async ({ ann, bob, room }) => {
    await asks(ann, room);
    await bob.joinRoom(room);
    await focuses(ann, false);
    const mistake = await posts(bob, room, "a mistake");
    await expect.poll(() => notified(ann)).toEqual(["a mistake"]);
    await deletes(bob, room, mistake);
    await expect.poll(() => notified(ann)).toEqual([]);
  });

  test("a notification goes when its message is read on another device", async ({ ann, bob, room }) => {
    await asks(ann, room);
    await bob.joinRoom(room);
    await focuses(ann, false);
    const seq = await posts(bob, room, "for you");
    await expect.poll(() => notified(ann)).toEqual(["for you"]);
    await ann.page.request.post("/api/commands", { data: { type: "read", room, seq } });
    await expect.poll(() => notified(ann)).toEqual([]);
  });
});

test("a page over plain HTTP says that notifications need HTTPS", async ({ browser, room }) => {
  const server = await OwnServer.start();
  const page = await browser.newPage();
  await page.addInitScript(() => Object.defineProperty(window, "isSecureContext", { value: false }));
  await page.goto(`${server.url}/r/${room}`);
  await page.locator("[data-connection=open]").waitFor({ state: "attached" });
  await page.locator("[popovertarget=about]:visible").first().click();
  await page.locator("#notify").selectOption("all");
  await expect(page.locator("#notify-problem")).toContainText("HTTPS");
  await page.close();
  await server.remove();
});
