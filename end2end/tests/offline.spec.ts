import { OwnServer, BlackholeProxy } from "../hubbub";
import { expect, test, type User } from "../people";

const away = /WebSocket connection to .* failed|ERR_INTERNET_DISCONNECTED|ERR_CONNECTION|ERR_EMPTY_RESPONSE/;

test.describe("with a server of their own", () => {
  let server: OwnServer;
  test.beforeEach(async () => {
    server = await OwnServer.start();
  });
  test.afterEach(async () => server.remove());

  async function enters(person: User, url = server.url): Promise<void> {
    person.allowConsoleError(away);
    await person.page.goto(`${url}/r/tea`);
    await person.waitUntilLive();
  }

  test("what waits survives a reload, and arrives once and in order", async ({ ann, bob }) => {
    const proxy = await BlackholeProxy.start(server.port);
    await enters(ann, proxy.url);
    await enters(bob);
    proxy.drop();
    await ann.send("first");
    await ann.send("second");
    await expect(ann.line("second")).toHaveAttribute("data-standing", "pending");
    proxy.restore();
    await ann.page.reload();
    await ann.waitUntilLive();
    for (const person of [ann, bob]) await person.seesMessages(["first", "second"]);
    await ann.seesMessage("second");
    proxy.close();
  });

  test("what waits in a tab that is gone is taken up by another", async ({ ann, bob }) => {
    await enters(ann);
    await enters(bob);
    await server.stop();
    await ann.send("left behind");
    await expect(ann.line("left behind")).toHaveAttribute("data-standing", "pending");
    const other = await ann.page.context().newPage();
    await ann.page.close();
    await server.start();
    await other.clock.install();
    await other.goto(`${server.url}/r/tea`);
    await expect(other.locator("[data-connection=open]")).toBeAttached();
    await other.clock.fastForward(30_000);
    await expect(other.locator(".line .text")).toHaveText(["left behind"]);
    await bob.seesMessages(["left behind"]);
  });

  test("what ann wrote before she became somebody else here is still hers to send, and so is her draft", async ({ ann, bob }) => {
    await enters(ann);
    await enters(bob);
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

  test("two tabs of ann's send what waits once", async ({ ann, bob }) => {
    await enters(ann);
    await enters(bob);
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

  test("a draft is there again after a reload, in its room only, and goes when it is sent", async ({ ann }) => {
    await enters(ann);
    await ann.composer.fill("half a thou");
    await ann.page.reload();
    await ann.waitUntilLive();
    await expect(ann.composer).toHaveValue("half a thou");
    await ann.page.goto(`${server.url}/r/jam`);
    await ann.waitUntilLive();
    await expect(ann.composer).toHaveValue("");
    await enters(ann);
    await ann.composer.press("Enter");
    await ann.seesMessage("half a thou");
    await ann.page.reload();
    await ann.waitUntilLive();
    await expect(ann.composer).toHaveValue("");
  });

  test("what the server refuses stays with its reason, also over a reload, until ann decides", async ({ ann }) => {
    const proxy = await BlackholeProxy.start(server.port);
    await enters(ann, proxy.url);
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

  test("offline and online again: ann is told calmly, and everything arrives once", async ({ ann, bob }) => {
    await enters(ann);
    await enters(bob);
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

  test("a network that falls silent without hanging up is noticed when ann comes back to the tab", async ({ ann, bob }) => {
    const proxy = await BlackholeProxy.start(server.port);
    await enters(ann, proxy.url);
    await enters(bob);
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

  test("a short restart is not even shown", async ({ ann }) => {
    await enters(ann);
    await ann.page.evaluate(() => {
      const said = (window as unknown as { said: string[] }).said = [] as string[];
      const state = document.querySelector(".status")!;
      new MutationObserver(() => said.push(state.textContent ?? "")).observe(state, { childList: true, subtree: true });
    });
    await server.stop();
    await server.start();
    await ann.waitUntilLive();
    await ann.send("still here");
    await ann.seesMessage("still here");
    const said = await ann.page.evaluate(() => (window as unknown as { said: string[] }).said);
    expect(said.filter((words) => words.includes("Offline"))).toEqual([]);
  });
});
