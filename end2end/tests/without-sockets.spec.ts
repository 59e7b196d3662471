import { Gate, type Sockets } from "../gate";
import { OwnServer } from "../hubbub";
import { expect, test, type User } from "../people";

const blocked = /WebSocket connection to .* failed|ERR_CONNECTION|ERR_INCOMPLETE_CHUNKED|ERR_EMPTY_RESPONSE|40[03]|426/;

let server: OwnServer;
test.beforeEach(async () => {
  // Several pages and waits of their own in most of them.
  test.slow();
  server = await OwnServer.start("--post-rate", "0");
});
test.afterEach(async () => server.remove());

async function enters(person: User, url: string, room = "tea"): Promise<void> {
  person.allowConsoleError(blocked);
  await person.page.goto(`${url}/r/${room}`);
  await person.waitUntilLive();
}

const kinds: [string, Sockets][] = [
  ["refused with 426", { refuse: 426 }],
  ["refused with 403", { refuse: 403 }],
  ["never answered", "hang"],
  ["cut after two seconds", { cutAfterMs: 2_000 }],
];

for (const [name, sockets] of kinds) {
  test(`on a network where sockets are ${name} ann talks, edits, deletes and is renamed all the same`, async ({ ann, bob }) => {
    const gate = await Gate.before(server.port, sockets);
    await enters(bob, server.url);
    await enters(ann, gate.url);
    await expect.poll(() => gate.asked.some((asked) => asked.includes("/frames?")), { timeout: 20_000 }).toBe(true);
    await ann.waitUntilLive();
    await bob.send("from outside");
    await ann.seesMessage("from outside");
    const texts = ["one", "two", "three", "four"];
    for (const text of texts) await ann.send(text);
    for (const person of [ann, bob]) await person.seesMessages(["from outside", ...texts]);
    await ann.seesMessage("four");
    await ann.edit("two", "two, changed");
    await bob.seesMessage("two, changed");
    await ann.openMenu("three");
    await ann.page.locator(".menu[open]").getByRole("button", { name: "Delete" }).click();
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

test("what was written while both ways were down arrives once and in order, over HTTP", async ({ ann, bob }) => {
  const gate = await Gate.before(server.port, { refuse: 426 });
  await enters(bob, server.url);
  await enters(ann, gate.url);
  await server.stop();
  for (const text of ["first", "second", "third"]) await ann.send(text);
  await expect(ann.line("third")).toHaveAttribute("data-standing", "pending");
  await server.start();
  for (const person of [ann, bob]) await person.seesMessages(["first", "second", "third"]);
  await ann.seesMessage("third");
  expect(gate.asked.filter((asked) => asked.startsWith("POST /api/commands")).length).toBeGreaterThanOrEqual(3);
  await ann.page.close();
  gate.close();
});

test("an answer of a sign-in page is no acknowledgement: the message waits and is sent again", async ({ ann, bob }) => {
  const gate = await Gate.before(server.port, { refuse: 426 });
  await enters(bob, server.url);
  await enters(ann, gate.url);
  gate.answer = (asked) =>
    asked.method === "POST" ? { status: 200, type: "text/html", body: "<title>Sign in</title>" } : undefined;
  await ann.send("through the portal");
  await expect.poll(() => gate.asked.filter((asked) => asked.startsWith("POST /api/commands")).length).toBeGreaterThan(1);
  await expect(ann.line("through the portal")).toHaveAttribute("data-standing", "pending");
  gate.answer = () => undefined;
  await bob.seesMessage("through the portal");
  await ann.seesMessage("through the portal");
  await ann.page.close();
  gate.close();
});

test("when sockets get through again the page goes back to one", async ({ ann, bob }) => {
  const gate = await Gate.before(server.port, { refuse: 426 });
  await ann.page.clock.install();
  await enters(bob, server.url);
  await enters(ann, gate.url);
  gate.sockets = "pass";
  const before = gate.asked.length;
  const upgrades = () => gate.asked.slice(before).filter((asked) => asked.startsWith("UPGRADE")).length;
  for (let n = 0; n < 45 && upgrades() === 0; n++) await ann.page.clock.runFor(1_000);
  // One to try, one to stay.
  await expect.poll(upgrades).toBe(2);
  await ann.waitUntilLive();
  const posts = gate.asked.length;
  await ann.send("over a socket");
  await bob.seesMessage("over a socket");
  expect(gate.asked.slice(posts).filter((asked) => asked.startsWith("POST"))).toEqual([]);
  await ann.page.close();
  gate.close();
});

test("a page of an origin that the server refuses says so", async ({ ann }) => {
  const gate = await Gate.before(server.port, { refuse: 403 });
  // As a proxy does that passes its own name on as Host.
  gate.answer = (asked) => {
    if (asked.method === "POST") asked.headers.origin = "https://elsewhere.example";
    return undefined;
  };
  await enters(ann, gate.url);
  await ann.send("hello");
  await expect(ann.page.getByText("The server rejects messages from this address")).toBeVisible();
  await expect(ann.line("hello")).toHaveAttribute("data-standing", "pending");
  gate.answer = () => undefined;
  await ann.seesMessage("hello");
  await expect(ann.page.getByText("The server rejects messages from this address")).toHaveCount(0);
  await ann.page.close();
  gate.close();
});

test("without WebAssembly the page says that later messages need a reload, and its forms work", async ({ ann, request }) => {
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

test("a browser without WebSockets talks over HTTP", async ({ ann, bob }) => {
  await ann.page.addInitScript("delete window.WebSocket");
  await enters(bob, server.url);
  await enters(ann, server.url);
  await ann.send("no sockets here");
  await bob.seesMessage("no sockets here");
  await ann.seesMessage("no sockets here");
});
