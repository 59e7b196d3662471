import { OwnServer } from "../hubbub";
import { expect, hasCopy, hasWorker, test } from "../people";
import { SubPath } from "../sub-path";

test("a server below a path works, and no request leaves the path", async ({ newUser }) => {
  // This test loads five pages.
  test.slow();
  const server = await OwnServer.start();
  const proxy = await SubPath.before(server.port);
  const ann = await newUser({ serviceWorkers: "allow", baseURL: proxy.url });
  await ann.page.goto(`${proxy.url}r/tea`);
  await ann.waitUntilLive();
  await ann.send("the kettle is on");
  await expect(ann.line("the kettle is on")).not.toHaveAttribute("data-standing", "pending");
  const bob = await newUser({ baseURL: proxy.url });
  await bob.page.goto(`${proxy.url}r/tea`);
  await bob.waitUntilLive();
  await bob.send("so is mine");
  await ann.seesMessage("so is mine");
  await ann.page.reload();
  await ann.waitUntilLive();
  await ann.seesMessages(["the kettle is on", "so is mine"]);
  for (const user of [ann, bob]) {
    for (const link of await user.page.locator("a[href^='/']").all()) {
      expect(await link.getAttribute("href")).toMatch(/^\/chat\//);
    }
  }
  const settings = await ann.openDialog("settings");
  await settings.getByRole("button", { name: "Dark" }).click();
  await ann.page.reload();
  await expect(ann.page.locator("html")).toHaveAttribute("data-theme", "dark");
  await ann.room("Lobby").click();
  await expect(ann.page).toHaveURL(proxy.url);
  await ann.waitUntilLive();
  expect(proxy.escaped).toEqual([]);
  await ann.page.close();
  await bob.page.close();
  proxy.close();
  await server.remove();
});

test("recent rooms of a server below a path can be read without it", async ({ newUser }) => {
  const server = await OwnServer.start();
  const proxy = await SubPath.before(server.port);
  const ann = await newUser({ serviceWorkers: "allow", baseURL: proxy.url });
  ann.allowServerLoss();
  await ann.page.goto(`${proxy.url}r/tea`);
  await ann.waitUntilLive();
  await hasWorker(ann);
  const home = proxy.url;
  expect(await ann.page.evaluate(async () => (await navigator.serviceWorker.ready).scope)).toBe(home);
  await ann.send("before the server went");
  await ann.seesMessage("before the server went");
  await ann.page.reload();
  await ann.waitUntilLive();
  await hasCopy(ann, "/chat/r/tea", "before the server went");
  proxy.close();
  await ann.page.reload();
  await ann.seesMessages(["before the server went"]);
  await ann.page.goto(new URL("r/never-seen", home).href);
  await expect(ann.page.getByRole("heading")).toHaveText("You are offline");
  expect(proxy.escaped).toEqual([]);
  await ann.page.close();
  await server.remove();
});
