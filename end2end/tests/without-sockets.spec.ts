import { Gate, type Sockets } from "../gate";
import { OwnServer } from "../hubbub";
import { expect, test, type User } from "../people";

const blocked = /WebSocket connection to .* failed|ERR_CONNECTION|ERR_INCOMPLETE_CHUNKED|ERR_EMPTY_RESPONSE|40[03]|426/;

let server: OwnServer;
test.beforeEach(async () => {
  // Most of these tests load several pages.
  test.slow();
  server = await OwnServer.start("--post-rate", "0");
});
test.afterEach(async () => server.remove());

async function join(user: User, url: string): Promise<void> {
  user.allowConsoleError(blocked);
  await user.joinRoom("tea", url);
}

const kinds: [string, Sockets, "@long"?][] = [
  ["refused with 426", { refuse: 426 }, "@long"],
  ["refused with 403", { refuse: 403 }],
  ["never answered", "hang", "@long"],
  ["cut after two seconds", { cutAfterMs: 2_000 }, "@long"],
];

for (const [name, sockets, tag] of kinds) {
  test(`on a network where WebSockets are ${name} Ann posts, edits, deletes and changes her name`, { tag: tag ?? [] }, async ({ ann, bob }) => {
    const gate = await Gate.before(server.port, sockets);
    await join(bob, server.url);
    await join(ann, gate.url);
    await expect.poll(() => gate.requests.some((asked) => asked.includes("/frames?")), { timeout: 20_000 }).toBe(true);
    await ann.waitUntilLive();
    await bob.send("from outside");
    await ann.seesMessage("from outside");
    const texts = ["one", "two", "three", "four"];
    for (const text of texts) await ann.send(text);
    for (const user of [ann, bob]) await user.seesMessages(["from outside", ...texts]);
    await ann.seesMessage("four");
    await ann.edit("two", "two, changed");
    await bob.seesMessage("two, changed");
    await ann.openMenu("three");
    await ann.menu.getByRole("button", { name: "Delete" }).click();
    await expect(bob.line("Deleted")).toHaveCount(1);
    await ann.rename("Ann behind the wall");
    await expect(bob.page.locator("#members")).toContainText("Ann behind the wall");
    await ann.page.reload();
    await ann.waitUntilLive();
    await ann.seesMessages(["from outside", "one", "two, changed", "Deleted", "four"]);
    await expect(ann.page.locator(".status p")).toHaveCount(0);
    await ann.page.close();
    gate.close();
  });
}

test("messages that were written offline arrive over HTTP once and in order", async ({ ann, bob }) => {
  const gate = await Gate.before(server.port, { refuse: 426 });
  await join(bob, server.url);
  await join(ann, gate.url);
  await server.stop();
  for (const text of ["first", "second", "third"]) await ann.send(text);
  await expect(ann.line("third")).toHaveAttribute("data-standing", "pending");
  await server.start();
  for (const user of [ann, bob]) await user.seesMessages(["first", "second", "third"]);
  await ann.seesMessage("third");
  expect(gate.requests.filter((asked) => asked.startsWith("POST /api/commands")).length).toBeGreaterThanOrEqual(3);
  await ann.page.close();
  gate.close();
});

test("the page of a captive portal does not count as an acknowledgement", async ({ ann, bob }) => {
  const gate = await Gate.before(server.port, { refuse: 426 });
  await join(bob, server.url);
  await join(ann, gate.url);
  gate.answer = (asked) =>
    asked.method === "POST" ? { status: 200, type: "text/html", body: "<title>Sign in</title>" } : undefined;
  await ann.send("through the portal");
  await expect.poll(() => gate.requests.filter((asked) => asked.startsWith("POST /api/commands")).length).toBeGreaterThan(1);
  await expect(ann.line("through the portal")).toHaveAttribute("data-standing", "pending");
  gate.answer = () => undefined;
  await bob.seesMessage("through the portal");
  await ann.seesMessage("through the portal");
  await ann.page.close();
  gate.close();
});

test("a page returns to a WebSocket when the network lets it through", async ({ ann, bob }) => {
  const gate = await Gate.before(server.port, { refuse: 426 });
  await ann.page.clock.install();
  await join(bob, server.url);
  await join(ann, gate.url);
  gate.sockets = "pass";
  const before = gate.requests.length;
  const upgrades = () => gate.requests.slice(before).filter((asked) => asked.startsWith("UPGRADE")).length;
  for (let n = 0; n < 45 && upgrades() === 0; n++) await ann.page.clock.runFor(1_000);
  // The first is a probe, the second the connection.
  await expect.poll(upgrades).toBe(2);
  await ann.waitUntilLive();
  const posts = gate.requests.length;
  await ann.send("over a socket");
  await bob.seesMessage("over a socket");
  expect(gate.requests.slice(posts).filter((asked) => asked.startsWith("POST"))).toEqual([]);
  await ann.page.close();
  gate.close();
});

test("a page shows that the server rejects its origin", async ({ ann }) => {
  const gate = await Gate.before(server.port, { refuse: 403 });
  // A proxy that replaces the Host header has this effect.
  gate.answer = (asked) => {
    if (asked.method === "POST") asked.headers.origin = "https://elsewhere.example";
    return undefined;
  };
  await join(ann, gate.url);
  await ann.send("hello");
  await expect(ann.page.getByText("The server rejects messages from this address")).toBeVisible();
  await expect(ann.line("hello")).toHaveAttribute("data-standing", "pending");
  gate.answer = () => undefined;
  await ann.seesMessage("hello");
  await expect(ann.page.getByText("The server rejects messages from this address")).toHaveCount(0);
  await ann.page.close();
  gate.close();
});

test("without WebAssembly the page shows that new messages need a reload, and its forms work", async ({ ann, request }) => {
  await ann.page.addInitScript("delete window.WebAssembly");
  await ann.page.goto(`${server.url}/r/tea`);
  await expect(ann.page.getByText("Reload to see later messages")).toBeVisible();
  await ann.composer.fill("by the form");
  await ann.page.getByRole("button", { name: "Send" }).click();
  await ann.seesMessages(["by the form"]);
  await request.post(`${server.url}/api/rooms/tea/messages`, { data: { text: "from outside" } });
  await ann.page.getByRole("link", { name: "Reload" }).click();
  await ann.seesMessages(["by the form", "from outside"]);
});

test("a browser without WebSockets uses HTTP", async ({ ann, bob }) => {
  await ann.page.addInitScript("delete window.WebSocket");
  await join(bob, server.url);
  await join(ann, server.url);
  await ann.send("no sockets here");
  await bob.seesMessage("no sockets here");
  await ann.seesMessage("no sockets here");
});
