import { Gate, type Sockets } from "../gate";
import { OwnServer } from "../hubbub";
import { expect, test, type Person } from "../people";

const blocked = /WebSocket connection to .* failed|ERR_CONNECTION|ERR_INCOMPLETE_CHUNKED|ERR_EMPTY_RESPONSE|40[03]|426/;

let server: OwnServer;
test.beforeEach(async () => {
  // Several pages and waits of their own in most of them.
  test.slow();
  server = await OwnServer.start("--post-rate", "0");
});
test.afterEach(async () => server.remove());

async function enters(person: Person, url: string, room = "tea"): Promise<void> {
  person.expects(blocked);
  await person.page.goto(`${url}/r/${room}`);
  await person.isLive();
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
    await ann.isLive();
    await bob.says("from outside");
    await ann.sees("from outside");
    const texts = ["one", "two", "three", "four"];
    for (const text of texts) await ann.says(text);
    for (const person of [ann, bob]) await person.seesAll(["from outside", ...texts]);
    await ann.sees("four");
    await ann.changes("two", "two, changed");
    await bob.sees("two, changed");
    await ann.menu("three");
    await ann.page.locator(".menu[open]").getByRole("button", { name: "Delete" }).click();
    await expect(bob.line("Deleted")).toHaveCount(1);
    await ann.calls("Ann behind the wall");
    await expect(bob.page.locator("#people")).toContainText("Ann behind the wall");
    await ann.page.reload();
    await ann.isLive();
    await ann.seesAll(["from outside", "one", "two, changed", "Deleted", "four"]);
    await expect(ann.page.locator(".state p")).toHaveCount(0);
    await ann.page.close();
    gate.close();
  });
}

test("what was written while both ways were down arrives once and in order, over HTTP", async ({ ann, bob }) => {
  const gate = await Gate.before(server.port, { refuse: 426 });
  await enters(bob, server.url);
  await enters(ann, gate.url);
  await server.stop();
  for (const text of ["first", "second", "third"]) await ann.says(text);
  await expect(ann.line("third")).toHaveAttribute("data-standing", "pending");
  await server.start();
  for (const person of [ann, bob]) await person.seesAll(["first", "second", "third"]);
  await ann.sees("third");
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
  await ann.says("through the portal");
  await expect.poll(() => gate.asked.filter((asked) => asked.startsWith("POST /api/commands")).length).toBeGreaterThan(1);
  await expect(ann.line("through the portal")).toHaveAttribute("data-standing", "pending");
  gate.answer = () => undefined;
  await bob.sees("through the portal");
  await ann.sees("through the portal");
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
  await ann.isLive();
  const posts = gate.asked.length;
  await ann.says("over a socket");
  await bob.sees("over a socket");
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
  await ann.says("hello");
  await expect(ann.page.getByText("The server rejects messages from this address")).toBeVisible();
  await expect(ann.line("hello")).toHaveAttribute("data-standing", "pending");
  gate.answer = () => undefined;
  await ann.sees("hello");
  await expect(ann.page.getByText("The server rejects messages from this address")).toHaveCount(0);
  await ann.page.close();
  gate.close();
});

test("without WebAssembly the page says that later messages need a reload, and its forms work", async ({ ann, request }) => {
  await ann.page.addInitScript("delete window.WebAssembly");
  await ann.page.goto(`${server.url}/r/tea`);
  await expect(ann.page.getByText("Reload to see new messages")).toBeVisible();
  await ann.composer.fill("by the form");
  await ann.page.getByRole("button", { name: "Send" }).click();
  await ann.seesAll(["by the form"]);
  await request.post(`${server.url}/api/rooms/tea/messages`, { data: { text: "from outside" } });
  await ann.page.getByRole("link", { name: "Reload" }).click();
  await ann.seesAll(["by the form", "from outside"]);
});

test("a browser without WebSockets talks over HTTP", async ({ ann, bob }) => {
  await ann.page.addInitScript("delete window.WebSocket");
  await enters(bob, server.url);
  await enters(ann, server.url);
  await ann.says("no sockets here");
  await bob.sees("no sockets here");
  await ann.sees("no sockets here");
});
