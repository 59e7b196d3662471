import { OwnServer } from "../hubbub";
import { expect, isAccessible, postMessages, test, type User } from "../people";

async function reply(user: User, to: string, text: string): Promise<void> {
  await user.act(to, "Reply");
  await expect(user.composer).toBeFocused();
  await user.send(text);
  await user.seesMessage(text);
}

test("a reply shows the message that it replies to, live and after a reload", async ({ ann, bob, room }) => {
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await ann.send("Who brings **cake**?");
  await bob.act("Who brings cake?", "Reply");
  await expect(bob.page.locator(".reply-notice")).toContainText("Who brings cake?");
  await isAccessible(bob);
  await bob.send("I do");
  await expect(bob.page.locator(".reply-notice")).toHaveCount(0);
  await ann.seesMessage("I do");
  await expect(ann.quote("I do")).toContainText("Who brings cake?");
  await expect(ann.line("I do"), "a reply is to its author").toHaveClass(/to-you/);
  await expect(bob.line("I do")).not.toHaveClass(/to-you/);
  await isAccessible(ann);
  await ann.page.reload();
  await ann.waitUntilLive();
  await expect(ann.quote("I do")).toContainText("Who brings cake?");
});

test("a quote follows edits and the deletion of its message", async ({ ann, bob, room }) => {
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await ann.send("at ten");
  await reply(bob, "at ten", "fine");
  await ann.edit("at ten", "at eleven");
  await expect(bob.quote("fine")).toContainText("at eleven");
  await ann.delete("at eleven");
  await expect(bob.quote("fine")).toContainText("Deleted");
  await bob.page.reload();
  await bob.waitUntilLive();
  await expect(bob.quote("fine")).toContainText("Deleted");
});

test("the reply is stored with the draft, for each room", async ({ ann, bob, room }) => {
  const chip = ann.page.locator(".reply-notice");
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await bob.send("tea or coffee?");
  await ann.act("tea or coffee?", "Reply");
  await ann.composer.fill("tea");
  await ann.page.reload();
  await ann.waitUntilLive();
  await expect(chip).toContainText("tea or coffee?");
  await ann.joinRoom(`${room}-b`);
  await expect(chip).toHaveCount(0);
  await ann.joinRoom(room);
  await expect(chip).toContainText("tea or coffee?");
  await expect(ann.composer).toHaveValue("tea");
  await bob.edit("tea or coffee?", "tea or cake?");
  await expect(chip, "the quote follows an edit").toContainText("tea or cake?");
  // The message is no longer on the page, so that it is fetched.
  await postMessages(ann.page.request, room, 60);
  await ann.page.reload();
  await ann.waitUntilLive();
  await expect(chip).toContainText("tea or cake?");
  await ann.submit();
  await ann.seesMessage("tea");
  await expect(ann.quote("tea")).toContainText("tea or cake?");
  await ann.page.reload();
  await ann.waitUntilLive();
  await expect(chip).toHaveCount(0);
  await expect(ann.composer).toHaveValue("");
});

test("a draft whose message was deleted shows that, and the reply can be cancelled for good", async ({ ann, bob, room }) => {
  const chip = ann.page.locator(".reply-notice");
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await bob.send("a mistake");
  await ann.act("a mistake", "Reply");
  await ann.composer.fill("what do you mean?");
  await ann.joinRoom(`${room}-b`);
  await bob.delete("a mistake");
  await expect(bob.page.getByText("Deleted", { exact: true })).toBeVisible();
  // The deletion is sent when it can no longer be undone.
  await bob.joinRoom(`${room}-b`);
  await ann.joinRoom(room);
  await expect(chip).toContainText("Deleted");
  await expect(ann.composer).toHaveValue("what do you mean?");
  await ann.composer.press("Escape");
  await ann.page.reload();
  await ann.waitUntilLive();
  await expect(chip).toHaveCount(0);
  await expect(ann.composer).toHaveValue("what do you mean?");
});

test("a draft of an earlier version is a text alone, and the next tab gets a reply with the draft of a closed one", async ({ ann, room }) => {
  await ann.joinRoom(room);
  await ann.send("one");
  await ann.seesMessage("one");
  await ann.page.evaluate((room) => localStorage.setItem(`hubbub/room/${room}/draft/${sessionStorage.getItem("hubbub/tab")}`, "from before"), room);
  await ann.page.reload();
  await ann.waitUntilLive();
  await expect(ann.composer).toHaveValue("from before");
  await ann.act("one", "Reply");
  const next = await ann.page.context().newPage();
  await ann.page.close({ runBeforeUnload: true });
  await next.goto(`/r/${room}`);
  await expect(next.locator("#text")).toHaveValue("from before");
  await expect(next.locator(".reply-notice")).toContainText("one");
});

test("Escape and the button cancel a reply", async ({ ann, room }) => {
  await ann.joinRoom(room);
  await ann.send("one");
  await ann.seesMessage("one");
  for (const cancel of [() => ann.composer.press("Escape"), () => ann.page.getByRole("link", { name: "Cancel reply" }).click()]) {
    await ann.act("one", "Reply");
    await ann.composer.fill("draft");
    await cancel();
    await expect(ann.page.locator(".reply-notice")).toHaveCount(0);
    await expect(ann.composer).toHaveValue("draft");
    await expect(ann.composer).toBeFocused();
  }
  await ann.submit();
  await ann.seesMessage("draft");
  await expect(ann.quote("draft")).toHaveCount(0);
});

test("a quote leads to its message, on the page and on an older one", async ({ ann, bob, room, request }) => {
  await ann.joinRoom(room);
  await ann.send("long ago");
  await ann.seesMessage("long ago");
  await postMessages(request, room, 40);
  await reply(ann, "long ago", "remember?");
  await expect(ann.line("long ago")).not.toBeInViewport();
  await ann.quote("remember?").click();
  await expect(ann.line("long ago")).toBeInViewport();
  await expect(ann.line("long ago")).toHaveClass(/found/);
  await postMessages(request, room, 60);
  await bob.joinRoom(room);
  await ann.page.reload();
  await ann.waitUntilLive();
  await ann.send("again");
  // Bob's page lacks the message, and fetches what the quote shows.
  await reply(ann, "message 60", "and this?");
  await ann.page.goto(`/r/${room}?reply=1#text`);
  await ann.waitUntilLive();
  await ann.send("to the first one");
  await expect(bob.quote("to the first one")).toContainText("long ago");
  await bob.quote("to the first one").click();
  await expect(bob.page).toHaveURL(/around=1#m1$/);
  await expect(bob.line("long ago")).toBeInViewport();
});

test("a reply that is written without the server is sent as one", async ({ newUser }) => {
  const server = await OwnServer.start();
  const ann = await newUser({ baseURL: server.url });
  ann.allowServerLoss();
  await ann.joinRoom("tea");
  await ann.send("first");
  await ann.seesMessage("first");
  await server.stop();
  await ann.act("first", "Reply");
  await ann.send("later");
  await expect(ann.quote("later")).toContainText("first");
  await server.start();
  await ann.seesMessage("later");
  await ann.page.reload();
  await ann.waitUntilLive();
  await expect(ann.quote("later")).toContainText("first");
  await ann.page.close();
  await server.remove();
});

test("without script the page of a message offers a reply", async ({ newUser, ann, room }) => {
  const bob = await newUser({ javaScriptEnabled: false });
  await ann.joinRoom(room);
  await ann.send("question");
  await ann.seesMessage("question");
  await bob.page.goto(`/r/${room}`);
  await bob.line("question").locator(".timestamp").click();
  await bob.page.getByRole("link", { name: "Reply", exact: true }).click();
  await expect(bob.page.locator(".reply-notice")).toContainText("question");
  await bob.composer.fill("answer");
  await bob.page.getByRole("button", { name: "Send" }).click();
  await expect(bob.quote("answer")).toContainText("question");
  await expect(ann.quote("answer")).toContainText("question");
});

test("a swipe to the right replies", async ({ newUser, room }) => {
  const ann = await newUser({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await ann.joinRoom(room);
  await ann.send("swipe me");
  await ann.seesMessage("swipe me");
  const finger = await ann.page.context().newCDPSession(ann.page);
  const box = (await ann.line("swipe me").locator(".text").boundingBox())!;
  const y = box.y + box.height / 2;
  const touch = (type: "touchStart" | "touchMove" | "touchEnd", x?: number) =>
    finger.send("Input.dispatchTouchEvent", { type, touchPoints: x === undefined ? [] : [{ x, y }] });
  await touch("touchStart", 80);
  for (const x of [100, 130, 170]) await touch("touchMove", x);
  await touch("touchEnd");
  await expect(ann.page.locator(".reply-notice")).toContainText("swipe me");
});
