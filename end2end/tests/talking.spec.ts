import { expect, test } from "../people";

test("ann and bob talk in both directions", async ({ ann, bob, room }) => {
  await ann.enters(room);
  await bob.enters(room);
  await ann.says("hello bob");
  await bob.sees("hello bob");
  await bob.says("hello ann");
  await ann.seesAll(["hello bob", "hello ann"]);
  await bob.seesAll(["hello bob", "hello ann"]);
});

test("carol arrives late and sees what was said, in order", async ({ ann, bob, somebody, room }) => {
  await ann.enters(room);
  await bob.enters(room);
  await ann.says("one");
  await bob.sees("one");
  await bob.says("two");
  await ann.sees("two");
  const carol = await somebody();
  await carol.enters(room);
  await carol.seesAll(["one", "two"]);
});

test("a room does not hear what is said in another", async ({ ann, bob, room }) => {
  await ann.enters(room);
  await bob.enters(`${room}-b`);
  await ann.says("here");
  await ann.sees("here");
  await bob.says("there");
  await bob.seesAll(["there"]);
});

test("the lobby is at the front door", async ({ ann, room }) => {
  await ann.page.goto("/");
  await ann.isLive();
  await expect(ann.page.getByRole("heading", { name: "Lobby" })).toBeVisible();
  await ann.says(`passing by ${room}`);
  await ann.sees(`passing by ${room}`);
});

test("after a reload ann is still ann, and everything is there", async ({ ann, room }) => {
  await ann.enters(room);
  const given = await ann.name.innerText();
  expect(given).toMatch(/^[A-Z][a-z]+ [A-Z][a-z]+$/);
  await ann.says("still here?");
  await ann.sees("still here?");
  await ann.page.reload();
  await ann.isLive();
  await expect(ann.name).toHaveText(given);
  await ann.seesAll(["still here?"]);
});

test("a message stays one message in both tabs of one person", async ({ ann, room }) => {
  await ann.enters(room);
  const other = await ann.page.context().newPage();
  await other.goto(`/r/${room}`);
  await expect(other.locator("[data-connection=open]")).toBeAttached();
  await ann.says("said once");
  await ann.seesAll(["said once"]);
  await expect(other.locator(".line .text")).toHaveText(["said once"]);
});

test("what is posted between the page and its socket is shown once", async ({ ann, room, request }) => {
  await request.post(`/api/rooms/${room}/messages`, { data: { text: "before the page" } });
  await ann.page.routeWebSocket(/\/ws$/, async (socket) => {
    await request.post(`/api/rooms/${room}/messages`, { data: { text: "before the socket" } });
    socket.connectToServer();
  });
  await ann.enters(room);
  await ann.seesAll(["before the page", "before the socket"]);
});
