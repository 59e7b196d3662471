import { OwnServer } from "../hubbub";
import { expect, isAccessible, phone, test, type User } from "../people";

/** Milliseconds for which a deletion can be undone, and for which longer while its button has the focus. */
const UNDO = [6_000, 1_000];

/** Stops the time of deletions on every page that comes, until `timePasses`: a busy machine takes seconds for a step. */
async function stopsTime(person: User): Promise<void> {
  await person.page.addInitScript((times) => {
    const begin = window.setTimeout.bind(window);
    const waiting: TimerHandler[] = [];
    const stopped = (does: TimerHandler, ms?: number) => (times.includes(ms ?? 0) ? waiting.push(does) : begin(does, ms));
    const passes = () => waiting.splice(0).forEach((does) => typeof does === "function" && does());
    Object.assign(window, { setTimeout: stopped, passes });
  }, UNDO);
}

/** The time of every deletion is over. */
async function timePasses(person: User): Promise<void> {
  await person.page.evaluate(() => (window as unknown as { passes: () => void }).passes());
}

const DEVICES = [{ name: "a desktop", options: {} }, { name: "a phone", options: phone }] as const;

for (const { name, options } of DEVICES) {
  test(`on ${name} a deleted message goes at once, and undo brings it back before the others see it gone`, async ({ newUser, bob, room }) => {
    const ann = await newUser(options);
    await stopsTime(ann);
    await ann.joinRoom(room);
    await bob.joinRoom(room);
    await ann.send("the first");
    await ann.send("the second");
    await bob.seesMessage("the second");
    if (name === "a phone") {
      const touch = { pointerType: "touch", bubbles: true };
      await ann.line("the first").dispatchEvent("pointerdown", touch);
      await expect(ann.editor).toBeFocused();
      await ann.line("the first").dispatchEvent("pointerup", touch);
      await expect(ann.page.locator(".long-press")).toHaveCount(0);
      await ann.page.locator(".menu[open]").getByRole("button", { name: "Delete" }).tap();
    } else {
      await ann.delete("the first");
    }
    await expect(ann.line("the first")).toBeHidden();
    // The line below has the head now.
    await expect(ann.line("the second").locator(".head b")).toBeVisible();
    await expect(ann.page.getByRole("status").filter({ hasText: "Deleted" })).toBeVisible();
    await isAccessible(ann);
    await ann.page.getByRole("button", { name: "Undo" }).click();
    await expect(ann.line("the first")).toBeVisible();
    await expect(ann.page.getByRole("button", { name: "Undo" })).toHaveCount(0);
    await timePasses(ann);
    await bob.send("I saw nothing");
    await ann.seesMessage("I saw nothing");
    await bob.seesMessages(["the first", "the second", "I saw nothing"]);
    // Nothing waits that would delete it later.
    await ann.page.reload();
    await ann.waitUntilLive();
    await ann.seesMessages(["the first", "the second", "I saw nothing"]);
  });
}

test("several deletions are counted, undone together, and sent when their time is over", async ({ ann, bob, room }) => {
  await stopsTime(ann);
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  for (const text of ["one", "two", "three"]) await ann.send(text);
  await bob.seesMessage("three");
  await ann.delete("one");
  await ann.delete("two");
  const toast = ann.page.getByRole("status").filter({ hasText: "deleted" });
  await expect(toast).toHaveText("2 messages deleted");
  await ann.page.getByRole("button", { name: "Undo" }).click();
  await expect(ann.messages.filter({ visible: true })).toHaveText(["one", "two", "three"]);
  await ann.delete("one");
  await ann.delete("three");
  await expect(toast).toHaveText("2 messages deleted");
  await bob.seesMessages(["one", "two", "three"]);
  await timePasses(ann);
  await bob.seesMessages(["Deleted", "two", "Deleted"]);
  await ann.seesMessages(["Deleted", "two", "Deleted"]);
  await expect(ann.page.getByRole("button", { name: "Undo" })).toHaveCount(0);
});

test("leaving the page sends every deletion that could still be undone", async ({ ann, bob, room }) => {
  await stopsTime(ann);
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  for (const text of ["one", "two", "three"]) await ann.send(text);
  await bob.seesMessage("three");
  for (const text of ["one", "two", "three"]) await ann.delete(text);
  await ann.page.goto("about:blank");
  await bob.seesMessages(["Deleted", "Deleted", "Deleted"]);
  // The next page knows that it is done.
  await ann.joinRoom(room);
  await ann.seesMessages(["Deleted", "Deleted", "Deleted"]);
  await expect(ann.page.locator(".failed-notice")).toHaveCount(0);
});

test("a browser that dies within the time deletes when it comes back", async ({ ann, bob, room }) => {
  await stopsTime(ann);
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await ann.send("not this");
  await bob.seesMessage("not this");
  // Neither the socket nor the page says anything any more.
  await ann.page.evaluate(() => {
    window.addEventListener("pagehide", (hide) => hide.stopImmediatePropagation(), { capture: true });
    navigator.sendBeacon = () => false;
  });
  await ann.delete("not this");
  await ann.page.context().setOffline(true);
  ann.allowConsoleError(/ERR_INTERNET_DISCONNECTED|WebSocket/);
  await ann.page.goto("about:blank").catch(() => {});
  await ann.page.context().setOffline(false);
  await ann.joinRoom(room);
  await bob.seesMessages(["Deleted"]);
});

test("with the keyboard alone a message is deleted, and Shift Tab leads to undo", async ({ ann, room }) => {
  await stopsTime(ann);
  await ann.joinRoom(room);
  await ann.send("keep me");
  await ann.seesMessage("keep me");
  await ann.composer.press("ArrowUp");
  await expect(ann.editor).toBeFocused();
  for (let n = 0; n < 3; n++) await ann.page.keyboard.press("Tab");
  await expect(ann.page.locator(".menu[open]").getByRole("button", { name: "Delete" })).toBeFocused();
  await ann.page.keyboard.press("Enter");
  await expect(ann.composer).toBeFocused();
  await expect(ann.line("keep me")).toBeHidden();
  await ann.page.keyboard.press("Shift+Tab");
  await expect(ann.page.getByRole("button", { name: "Undo" })).toBeFocused();
  // While it has the focus, its time does not run out.
  for (let n = 0; n < 3; n++) await timePasses(ann);
  await ann.page.keyboard.press("Enter");
  await expect(ann.line("keep me")).toBeVisible();
  await expect(ann.composer).toBeFocused();
});

test("a message that was deleted on another device as well is gone without a complaint", async ({ ann, room }) => {
  await stopsTime(ann);
  await ann.joinRoom(room);
  await ann.send("twice");
  await ann.seesMessage("twice");
  await ann.delete("twice");
  const deleted = await ann.page.request.post(`/r/${room}/1/delete`, { headers: { origin: new URL(ann.page.url()).origin } });
  expect(deleted.ok()).toBe(true);
  await timePasses(ann);
  await ann.seesMessages(["Deleted"]);
  await expect(ann.page.getByRole("button", { name: "Undo" })).toHaveCount(0);
  await expect(ann.page.locator(".failed-notice")).toHaveCount(0);
});

test("a deletion that was made without a network is sent with it", async ({ newUser, bob }) => {
  const server = await OwnServer.start();
  const ann = await newUser({ baseURL: server.url });
  ann.allowServerLoss();
  bob.allowServerLoss();
  await ann.joinRoom("tea");
  await ann.send("not this");
  await ann.seesMessage("not this");
  await server.stop();
  await ann.delete("not this");
  await expect(ann.page.locator(".line")).toHaveAttribute("data-standing", "pending");
  await server.start();
  await ann.seesMessages(["Deleted"]);
  await expect(ann.page.locator(".line")).toHaveAttribute("data-standing", "confirmed");
  await ann.page.close();
  await server.remove();
});
