import { OwnServer } from "../hubbub";
import { expect, hasWorker, isLive, notifications, setWindowFocused, test, type User } from "../people";

// Most of these tests load several pages.
test.beforeEach(() => test.slow());

/** Posts a message through the HTTP API, and returns its `seq`. */
async function post(user: User, room: string, text: string): Promise<number> {
  return (await (await user.page.request.post(`/api/rooms/${room}/messages`, { data: { text } })).json()).seq;
}

/** Joins a room and puts it into the user's list with a message; what the user has read may be stored later. */
async function follow(user: User, room: string): Promise<void> {
  await user.joinRoom(room);
  await user.send("thanks");
  await user.seesMessage("thanks");
}

async function deleteMessage(user: User, room: string, seq: number): Promise<void> {
  const headers = { origin: new URL(user.page.url()).origin };
  expect((await user.page.request.post(`/r/${room}/${seq}/delete`, { headers, maxRedirects: 0 })).status()).toBe(303);
}

test("a message that is deleted before Ann has read it is not counted, also if her page already had it", async ({ ann, bob, room }) => {
  await bob.joinRoom(`a-${room}`);
  await post(bob, `a-${room}`, "hello");
  await follow(ann, `a-${room}`);
  await ann.joinRoom(`b-${room}`);
  const early = await post(bob, `a-${room}`, "early");
  await expect(ann.page).toHaveTitle(/^\(1\)/);
  await ann.page.reload();
  await ann.waitUntilLive();
  const late = await post(bob, `a-${room}`, "late");
  await expect(ann.page).toHaveTitle(/^\(2\)/);
  await deleteMessage(bob, `a-${room}`, early);
  await expect(ann.page).toHaveTitle(/^\(1\)/);
  await expect(ann.page.locator("link[rel=icon]")).toHaveAttribute("href", "/favicon-unread.svg");
  await deleteMessage(bob, `a-${room}`, late);
  await expect(ann.page).not.toHaveTitle(/^\(/);
  await expect(ann.page.locator("link[rel=icon]")).toHaveAttribute("href", "/favicon.svg");
});

test("messages that Ann reads on another device are not counted", async ({ ann, bob, room }) => {
  await bob.joinRoom(`a-${room}`);
  await post(bob, `a-${room}`, "hello");
  await follow(ann, `a-${room}`);
  await ann.joinRoom(`b-${room}`);
  for (const text of ["one", "two", "three"]) await post(bob, `a-${room}`, text);
  await expect(ann.page).toHaveTitle(/^\(3\)/);
  await ann.page.reload();
  await ann.waitUntilLive();
  const device = await ann.page.context().newPage();
  const markRead = (seq: number) => device.request.post("/api/commands", { data: { type: "read", room: `a-${room}`, seq } });
  await markRead(4);
  await expect(ann.page).toHaveTitle(/^\(1\)/);
  await markRead(5);
  await expect(ann.page).not.toHaveTitle(/^\(/);
});

test("messages that arrive in a window without the focus stay unread", async ({ ann, bob, room }) => {
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await setWindowFocused(ann, false);
  await bob.send("while away");
  await ann.seesMessage("while away");
  await expect(ann.page).toHaveTitle(/^\(1\)/);
  await setWindowFocused(ann, true);
  await expect(ann.page).not.toHaveTitle(/^\(/);
});

test("after a minute without activity messages stay unread until Ann moves the mouse", async ({ ann, bob, room }) => {
  await ann.page.clock.install();
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await bob.send("at once");
  await ann.seesMessage("at once");
  await expect(ann.page).not.toHaveTitle(/^\(/);
  await ann.passSeconds(70);
  await bob.send("a minute later");
  await ann.seesMessage("a minute later");
  await expect(ann.page).toHaveTitle(/^\(1\)/);
  await ann.page.mouse.move(300, 300);
  await ann.page.mouse.move(320, 300);
  await expect(ann.page).not.toHaveTitle(/^\(/);
});

test.describe("with notifications", () => {
  test.use({ serviceWorkers: "allow", permissions: ["notifications"] });

  async function enableNotifications(ann: User, room: string): Promise<void> {
    await ann.joinRoom(room);
    await hasWorker(ann);
    await (await ann.openDialog("about")).getByLabel("Notifications").selectOption("all");
    await ann.page.keyboard.press("Escape");
  }

  test("a window without the focus shows a notification until the message is read", async ({ ann, bob, room }) => {
    await enableNotifications(ann, room);
    await bob.joinRoom(room);
    await setWindowFocused(ann, false);
    await bob.send("are you there?");
    await expect.poll(() => notifications(ann)).toEqual(["are you there?"]);
    await setWindowFocused(ann, true);
    await expect.poll(() => notifications(ann)).toEqual([]);
  });

  test("a notification closes when its message is deleted", async ({ ann, bob, room }) => {
    await enableNotifications(ann, room);
    await bob.joinRoom(room);
    await setWindowFocused(ann, false);
    const mistake = await post(bob, room, "a mistake");
    await expect.poll(() => notifications(ann)).toEqual(["a mistake"]);
    await deleteMessage(bob, room, mistake);
    await expect.poll(() => notifications(ann)).toEqual([]);
  });

  test("a notification closes when its message is read on another device", async ({ ann, bob, room }) => {
    await enableNotifications(ann, room);
    await bob.joinRoom(room);
    await setWindowFocused(ann, false);
    const seq = await post(bob, room, "for you");
    await expect.poll(() => notifications(ann)).toEqual(["for you"]);
    await ann.page.request.post("/api/commands", { data: { type: "read", room, seq } });
    await expect.poll(() => notifications(ann)).toEqual([]);
  });
});

test("a page over plain HTTP shows that notifications need HTTPS", async ({ browser, room }) => {
  const server = await OwnServer.start();
  const page = await browser.newPage();
  await page.addInitScript(() => Object.defineProperty(window, "isSecureContext", { value: false }));
  await page.goto(`${server.url}/r/${room}`);
  await isLive(page);
  await page.locator("[popovertarget=about]:visible").first().click();
  await page.locator("#notify").selectOption("all");
  await expect(page.locator("#notify-problem")).toContainText("HTTPS");
  await page.close();
  await server.remove();
});
