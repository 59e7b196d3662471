import { OwnServer, BlackholeProxy } from "../hubbub";
import { endTimers, expect, isLive, stopTimers, test, type User } from "../people";

/** The milliseconds after which a page shows that it is offline. */
const OFFLINE_NOTICE_MS = 1_000;

const unreachable = /WebSocket connection to .* failed|ERR_INTERNET_DISCONNECTED|ERR_CONNECTION|ERR_EMPTY_RESPONSE/;

test.describe("with its own server", () => {
  let server: OwnServer;
  test.beforeEach(async () => {
    server = await OwnServer.start();
  });
  test.afterEach(async () => server.remove());

  async function join(user: User, url = server.url): Promise<void> {
    user.allowConsoleError(unreachable);
    await user.joinRoom("tea", url);
  }

  test("pending messages survive a reload and arrive once and in order", async ({ ann, bob }) => {
    const proxy = await BlackholeProxy.start(server.port);
    await join(ann, proxy.url);
    await join(bob);
    proxy.drop();
    await ann.send("first");
    await ann.send("second");
    await expect(ann.line("second")).toHaveAttribute("data-standing", "pending");
    proxy.restore();
    await ann.page.reload();
    await ann.waitUntilLive();
    for (const user of [ann, bob]) await user.seesMessages(["first", "second"]);
    await ann.seesMessage("second");
    proxy.close();
  });

  test("another tab sends the pending messages of a closed tab", async ({ ann, bob }) => {
    await join(ann);
    await join(bob);
    await server.stop();
    await ann.send("left behind");
    await expect(ann.line("left behind")).toHaveAttribute("data-standing", "pending");
    const other = await ann.page.context().newPage();
    await ann.page.close();
    await server.start();
    await other.clock.install();
    await other.goto(`${server.url}/r/tea`);
    await isLive(other);
    await other.clock.fastForward(30_000);
    await expect(other.locator(".line .text")).toHaveText(["left behind"]);
    await bob.seesMessages(["left behind"]);
  });

  test("a browser whose cookies were cleared still sends the pending message and keeps the draft", async ({ ann, bob }) => {
    await join(ann);
    await join(bob);
    await server.stop();
    await ann.send("as I was");
    await expect(ann.line("as I was")).toHaveAttribute("data-standing", "pending");
    await ann.composer.fill("half a thou");
    await ann.page.context().clearCookies();
    await server.start();
    await ann.page.reload();
    await ann.waitUntilLive();
    await ann.seesMessage("as I was");
    await bob.seesMessages(["as I was"]);
    await expect(ann.composer).toHaveValue("half a thou");
  });

  test("two tabs send a pending message once", async ({ ann, bob }) => {
    await join(ann);
    await join(bob);
    const tab = await ann.page.context().newPage();
    await tab.goto(`${server.url}/r/tea`);
    await server.stop();
    await ann.send("only once");
    await server.start();
    await bob.seesMessage("only once");
    await ann.seesMessage("only once");
    await expect(tab.locator(".line .text")).toHaveText(["only once"]);
    await bob.send("end");
    await ann.seesMessages(["only once", "end"]);
  });

  test("a reload keeps the draft of a room until it is sent", async ({ ann }) => {
    await join(ann);
    await ann.composer.fill("half a thou");
    await ann.page.reload();
    await ann.waitUntilLive();
    await expect(ann.composer).toHaveValue("half a thou");
    await ann.page.goto(`${server.url}/r/jam`);
    await ann.waitUntilLive();
    await expect(ann.composer).toHaveValue("");
    await join(ann);
    await ann.composer.press("Enter");
    await ann.seesMessage("half a thou");
    await ann.page.reload();
    await ann.waitUntilLive();
    await expect(ann.composer).toHaveValue("");
  });

  test("a rejected edit stays with its reason until the user discards it", async ({ ann }) => {
    const proxy = await BlackholeProxy.start(server.port);
    await join(ann, proxy.url);
    await ann.send("mine");
    await ann.seesMessage("mine");
    proxy.drop();
    await ann.edit("mine", "changed too late");
    await ann.page.request.post(`${server.url}/r/tea/1/delete`, { maxRedirects: 0 });
    proxy.restore();
    await ann.page.evaluate(() => window.dispatchEvent(new Event("focus")));
    const reason = ann.page.getByText("This message no longer exists.");
    await expect(reason).toBeVisible();
    await ann.page.reload();
    await expect(reason).toBeVisible();
    await ann.seesMessages(["changed too late"]);
    await ann.page.getByRole("button", { name: "Discard" }).click();
    await ann.seesMessages(["Deleted"]);
    await ann.page.reload();
    await ann.waitUntilLive();
    await ann.seesMessages(["Deleted"]);
    proxy.close();
  });

  test("a mark of unread messages reaches a device that was away, and comes from one that is away", { tag: "@long" }, async ({ ann, bob, newUser }) => {
    await join(bob);
    for (const text of ["one", "two", "three"]) await bob.send(text);
    await bob.seesMessage("three");
    await join(ann);
    const proxy = await BlackholeProxy.start(server.port);
    const phone = await newUser({ storageState: await ann.page.context().storageState() });
    // The page knows that the server has the position.
    await expect(async () => {
      await join(phone, proxy.url);
      await expect(phone.page).not.toHaveTitle(/^\(/);
      const page = await (await phone.page.request.get(`${server.url}/r/tea`)).text();
      expect(page.replaceAll("\\", "")).toContain('"read":3');
    }).toPass();
    await phone.page.reload();
    await phone.waitUntilLive();
    const comesBack = async () => {
      proxy.restore();
      await phone.page.evaluate(() => window.dispatchEvent(new Event("focus")));
    };
    const markUnread = async (user: User, text: string) => {
      await user.act(text, "More");
      await user.actions.getByRole("menuitem", { name: "Mark unread" }).click();
    };
    proxy.drop();
    await markUnread(ann, "two");
    await expect(ann.page).toHaveTitle(/^\(2\)/);
    await comesBack();
    await expect(phone.page).toHaveTitle(/^\(2\)/);
    await expect(phone.line("two").locator("#new")).toBeVisible();
    await ann.page.keyboard.press("Alt+End");
    for (const user of [ann, phone]) await expect(user.page).not.toHaveTitle(/^\(/);
    proxy.drop();
    await markUnread(phone, "three");
    await expect(phone.page).toHaveTitle(/^\(1\)/);
    await comesBack();
    await expect(ann.page).toHaveTitle(/^\(1\)/);
    await expect(ann.line("three").locator("#new")).toBeVisible();
    proxy.close();
  });

  test("a user who goes offline sees that, and everything arrives once after reconnecting", async ({ ann, bob }) => {
    await join(ann);
    await join(bob);
    await ann.page.context().setOffline(true);
    await server.stop();
    await expect(ann.page.locator("[data-connection]")).toContainText("Offline");
    await expect(ann.page.locator("[data-connection]")).toContainText(/Retrying in|Reconnecting/);
    await ann.send("written under a bridge");
    await server.start();
    await bob.waitUntilLive();
    await bob.send("where is ann?");
    await ann.page.context().setOffline(false);
    await ann.seesMessages(["where is ann?", "written under a bridge"]);
    await bob.seesMessages(["where is ann?", "written under a bridge"]);
    await expect(ann.page.locator("[data-connection]")).toHaveText("");
  });

  test("a connection that died silently is detected when the user returns to the tab", async ({ ann, bob }) => {
    const proxy = await BlackholeProxy.start(server.port);
    await join(ann, proxy.url);
    await join(bob);
    proxy.drop();
    await ann.send("into the void");
    await bob.send("are you asleep?");
    await bob.seesMessage("are you asleep?");
    proxy.restore();
    await ann.page.evaluate(() => window.dispatchEvent(new Event("focus")));
    await ann.seesMessages(["are you asleep?", "into the void"]);
    await bob.seesMessages(["are you asleep?", "into the void"]);
    proxy.close();
  });

  test("a restart within a second shows nothing", async ({ ann }) => {
    await stopTimers(ann, [OFFLINE_NOTICE_MS]);
    await join(ann);
    await ann.page.evaluate(() => {
      const shown: string[] = [];
      Object.assign(window, { shown });
      const status = document.querySelector(".status")!;
      new MutationObserver(() => shown.push(status.textContent ?? "")).observe(status, { childList: true, subtree: true });
    });
    await server.stop();
    await expect(ann.page.locator("[data-connection=offline]")).toBeAttached();
    await server.start();
    await ann.waitUntilLive();
    await endTimers(ann);
    await ann.send("still here");
    await ann.seesMessage("still here");
    const shown = await ann.page.evaluate(() => (window as unknown as { shown: string[] }).shown);
    expect(shown.filter((text) => text.includes("Offline"))).toEqual([]);
  });
});
