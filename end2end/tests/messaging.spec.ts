import { expect, test } from "../people";

test("ann and bob talk in both directions", async ({ ann, bob, room }) => {
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await ann.send("hello bob");
  await bob.seesMessage("hello bob");
  await bob.send("hello ann");
  await ann.seesMessages(["hello bob", "hello ann"]);
  await bob.seesMessages(["hello bob", "hello ann"]);
});

test("carol arrives late and sees what was said, in order", async ({ ann, bob, newUser, room }) => {
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await ann.send("one");
  await bob.seesMessage("one");
  await bob.send("two");
  await ann.seesMessage("two");
  const carol = await newUser();
  await carol.joinRoom(room);
  await carol.seesMessages(["one", "two"]);
});

test("a room does not hear what is said in another", async ({ ann, bob, room }) => {
  await ann.joinRoom(room);
  await bob.joinRoom(`${room}-b`);
  await ann.send("here");
  await ann.seesMessage("here");
  await bob.send("there");
  await bob.seesMessages(["there"]);
});

test("the lobby is at the front door", async ({ ann, room }) => {
  await ann.page.goto("/");
  await ann.waitUntilLive();
  await expect(ann.page.getByRole("heading", { name: "Lobby" })).toBeVisible();
  await ann.send(`passing by ${room}`);
  await ann.seesMessage(`passing by ${room}`);
});

test("after a reload ann is still ann, and everything is there", async ({ ann, room }) => {
  await ann.joinRoom(room);
  const given = await ann.name.innerText();
  expect(given).toMatch(/^[A-Z][a-z]+ [A-Z][a-z]+$/);
  await ann.send("still here?");
  await ann.seesMessage("still here?");
  await ann.page.reload();
  await ann.waitUntilLive();
  await expect(ann.name).toHaveText(given);
  await ann.seesMessages(["still here?"]);
});

test("a message stays one message in both tabs of one person", async ({ ann, room }) => {
  await ann.joinRoom(room);
  const other = await ann.page.context().newPage();
  await other.goto(`/r/${room}`);
  await expect(other.locator("[data-connection=open]")).toBeAttached();
  await ann.send("said once");
  await ann.seesMessages(["said once"]);
  await expect(other.locator(".line .text")).toHaveText(["said once"]);
});

test("what is posted between the page and its socket is shown once", async ({ ann, room, request }) => {
  await request.post(`/api/rooms/${room}/messages`, { data: { text: "before the page" } });
  await ann.page.routeWebSocket(/\/ws$/, async (socket) => {
    await request.post(`/api/rooms/${room}/messages`, { data: { text: "before the socket" } });
    socket.connectToServer();
  });
  await ann.joinRoom(room);
  await ann.seesMessages(["before the page", "before the socket"]);
});
