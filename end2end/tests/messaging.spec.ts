import { expect, isLive, test } from "../people";

test("Ann and Bob see each other's messages", async ({ ann, bob, room }) => {
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await ann.send("hello bob");
  await bob.seesMessage("hello bob");
  await bob.send("hello ann");
  await ann.seesMessages(["hello bob", "hello ann"]);
  await bob.seesMessages(["hello bob", "hello ann"]);
});

test("a user who joins late sees the earlier messages in order", async ({ ann, bob, newUser, room }) => {
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

test("a room does not receive the messages of another", async ({ ann, bob, room }) => {
  await ann.joinRoom(room);
  await bob.joinRoom(`${room}-b`);
  await ann.send("here");
  await ann.seesMessage("here");
  await bob.send("there");
  await bob.seesMessages(["there"]);
});

test("the root address opens the lobby", async ({ ann, room }) => {
  await ann.page.goto("/");
  await ann.waitUntilLive();
  await expect(ann.page.getByRole("heading", { name: "Lobby" })).toBeVisible();
  await ann.send(`passing by ${room}`);
  await ann.seesMessage(`passing by ${room}`);
});

test("a reload keeps the user and the messages", async ({ ann, room }) => {
  await ann.joinRoom(room);
  const generated = await ann.name.innerText();
  expect(generated).toMatch(/^[A-Z][a-z]+ [A-Z][a-z]+$/);
  await ann.send("still here?");
  await ann.seesMessage("still here?");
  await ann.page.reload();
  await ann.waitUntilLive();
  await expect(ann.name).toHaveText(generated);
  await ann.seesMessages(["still here?"]);
});

test("two tabs of one user show a message once", async ({ ann, room }) => {
  await ann.joinRoom(room);
  const other = await ann.page.context().newPage();
  await other.goto(`/r/${room}`);
  await isLive(other);
  await ann.send("said once");
  await ann.seesMessages(["said once"]);
  await expect(other.locator(".line .text")).toHaveText(["said once"]);
});

test("a message that is posted between the page and its socket is shown once", async ({ ann, room, request }) => {
  await request.post(`/api/rooms/${room}/messages`, { data: { text: "before the page" } });
  await ann.page.routeWebSocket(/\/ws$/, async (socket) => {
    await request.post(`/api/rooms/${room}/messages`, { data: { text: "before the socket" } });
    socket.connectToServer();
  });
  await ann.joinRoom(room);
  await ann.seesMessages(["before the page", "before the socket"]);
});
