import { OwnServer } from "../hubbub";
import { expect, test } from "../people";

const refused = /WebSocket connection to .* failed/;

test.describe("with a server of their own", () => {
  let server: OwnServer;
  test.beforeEach(async () => {
    server = await OwnServer.start();
  });
  test.afterEach(async () => server.remove());

  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    test(`a server that goes with ${signal} is seen to be away; what ann writes waits, and arrives once`, async ({
      ann,
      bob,
    }) => {
      for (const person of [ann, bob]) {
        person.expects(refused);
        await person.page.goto(`${server.url}/r/tea`);
        await person.isLive();
      }
      await ann.says("before");
      await bob.sees("before");
      await server.stop(signal);
      await expect(ann.page.locator("[data-connection]")).toContainText("Offline");
      await ann.says("written while away");
      await ann.says("and another");
      await expect(ann.line("written while away")).toHaveAttribute("data-standing", "pending");
      await server.start();
      for (const person of [ann, bob]) {
        await person.isLive();
        await person.seesAll(["before", "written while away", "and another"]);
      }
      await expect(ann.line("and another")).toHaveAttribute("data-standing", "confirmed");
    });
  }

  test("a restart keeps the history, the names and who is who", async ({ ann }) => {
    ann.expects(refused);
    await ann.page.goto(`${server.url}/r/tea`);
    await ann.isLive();
    await ann.calls("Ann");
    await ann.says("keep this");
    await ann.sees("keep this");
    await server.stop();
    await server.start();
    await ann.page.reload();
    await ann.isLive();
    await ann.seesAll(["keep this"]);
    await expect(ann.name).toHaveText("Ann");
  });

  test("a server that comes back with another log is taken as it is, and goes on", async ({ ann }) => {
    ann.expects(refused);
    await ann.page.goto(`${server.url}/r/tea`);
    await ann.isLive();
    await ann.says("of the old log");
    await ann.sees("of the old log");
    await server.stop();
    server.forget();
    await ann.says("written meanwhile");
    await server.start();
    await ann.seesAll(["written meanwhile"]);
    await ann.sees("written meanwhile");
    await server.stop();
    await server.start();
    await ann.says("and on");
    await ann.sees("and on");
    await ann.seesAll(["written meanwhile", "and on"]);
  });
});
