import { OwnServer } from "../hubbub";
import { expect, test } from "../people";

const connectionFailed = /WebSocket connection to .* failed/;
// A server that is killed may be sending a page, which the service worker stores.
const answerCut = /ERR_INCOMPLETE_CHUNKED_ENCODING/;

test.describe("with its own server", () => {
  let server: OwnServer;
  test.beforeEach(async () => {
    server = await OwnServer.start();
  });
  test.afterEach(async () => server.remove());

  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    test(`users see that a server was stopped with ${signal}, and pending messages arrive once`, async ({
      ann,
      bob,
    }) => {
      for (const user of [ann, bob]) {
        user.allowConsoleError(connectionFailed);
        user.allowConsoleError(answerCut);
        await user.joinRoom("tea", server.url);
      }
      await ann.send("before");
      await bob.seesMessage("before");
      await server.stop(signal);
      await expect(ann.page.locator("[data-connection]")).toContainText("Offline");
      await ann.send("written while away");
      await ann.send("and another");
      await expect(ann.line("written while away")).toHaveAttribute("data-standing", "pending");
      await server.start();
      for (const user of [ann, bob]) {
        await user.waitUntilLive();
        await user.seesMessages(["before", "written while away", "and another"]);
      }
      await expect(ann.line("and another")).toHaveAttribute("data-standing", "confirmed");
    });
  }

  test("a restart keeps messages, names and identities", async ({ ann }) => {
    ann.allowConsoleError(connectionFailed);
    await ann.joinRoom("tea", server.url);
    await ann.rename("Ann");
    await ann.send("keep this");
    await ann.seesMessage("keep this");
    await server.stop();
    await server.start();
    await ann.page.reload();
    await ann.waitUntilLive();
    await ann.seesMessages(["keep this"]);
    await expect(ann.name).toHaveText("Ann");
  });

  test("a server that returns with another log replaces the messages", async ({ ann }) => {
    ann.allowConsoleError(connectionFailed);
    await ann.joinRoom("tea", server.url);
    await ann.send("of the old log");
    await ann.seesMessage("of the old log");
    await server.stop();
    server.deleteData();
    await ann.send("written meanwhile");
    await server.start();
    await ann.seesMessages(["written meanwhile"]);
    await ann.seesMessage("written meanwhile");
    await server.stop();
    await server.start();
    await ann.send("and on");
    await ann.seesMessage("and on");
    await ann.seesMessages(["written meanwhile", "and on"]);
  });
});
