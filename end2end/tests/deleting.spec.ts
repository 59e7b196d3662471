import { OwnServer } from "../hubbub";
import { expect, isAccessible, phone, test, type Person } from "../people";

/** Milliseconds for which a deletion can be undone, and for which longer while its button has the focus. */
const UNDO = [6_000, 1_000];

/** Stops the time of deletions on every page that comes, until `timePasses`: a busy machine takes seconds for a step. */
async function stopsTime(person: Person): Promise<void> {
  await person.page.addInitScript((times) => {
    const begin = window.setTimeout.bind(window);
    const waiting: TimerHandler[] = [];
    const stopped = (does: TimerHandler, ms?: number) => (times.includes(ms ?? 0) ? waiting.push(does) : begin(does, ms));
    const passes = () => waiting.splice(0).forEach((does) => typeof does === "function" && does());
    Object.assign(window, { setTimeout: stopped, passes });
  }, UNDO);
}

/** The time of every deletion is over. */
async function timePasses(person: Person): Promise<void> {
  await person.page.evaluate(() => (window as unknown as { passes: () => void }).passes());
}

const DEVICES = [{ name: "a desktop", options: {} }, { name: "a phone", options: phone }] as const;

for (const { name, options } of DEVICES) {
  test(`on ${name} a deleted message goes at once, and undo brings it back before the others see it gone`, async ({ somebody, bob, room }) => {
    const ann = await somebody(options);
    await stopsTime(ann);
    await ann.enters(room);
    await bob.enters(room);
    await ann.says("the first");
    await ann.says("the second");
    await bob.sees("the second");
    if (name === "a phone") {
      const touch = { pointerType: "touch", bubbles: true };
      await ann.line("the first").dispatchEvent("pointerdown", touch);
      await expect(ann.editor).toBeFocused();
      await ann.line("the first").dispatchEvent("pointerup", touch);
      await expect(ann.page.locator(".long-press")).toHaveCount(0);
      await ann.page.locator(".menu[open]").getByRole("button", { name: "Delete" }).tap();
    } else {
      await ann.deletes("the first");
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
    await bob.says("I saw nothing");
    await ann.sees("I saw nothing");
    await bob.seesAll(["the first", "the second", "I saw nothing"]);
    // Nothing waits that would delete it later.
    await ann.page.reload();
    await ann.isLive();
    await ann.seesAll(["the first", "the second", "I saw nothing"]);
  });
}

test("several deletions are counted, undone together, and sent when their time is over", async ({ ann, bob, room }) => {
  await stopsTime(ann);
  await ann.enters(room);
  await bob.enters(room);
  for (const text of ["one", "two", "three"]) await ann.says(text);
  await bob.sees("three");
  await ann.deletes("one");
  await ann.deletes("two");
  const toast = ann.page.getByRole("status").filter({ hasText: "deleted" });
  await expect(toast).toHaveText("2 messages deleted");
  await ann.page.getByRole("button", { name: "Undo" }).click();
  await expect(ann.messages.filter({ visible: true })).toHaveText(["one", "two", "three"]);
  await ann.deletes("one");
  await ann.deletes("three");
  await expect(toast).toHaveText("2 messages deleted");
  await bob.seesAll(["one", "two", "three"]);
  await timePasses(ann);
  await bob.seesAll(["Deleted", "two", "Deleted"]);
  await ann.seesAll(["Deleted", "two", "Deleted"]);
  await expect(ann.page.getByRole("button", { name: "Undo" })).toHaveCount(0);
});

test("leaving the page sends every deletion that could still be undone", async ({ ann, bob, room }) => {
  await stopsTime(ann);
  await ann.enters(room);
  await bob.enters(room);
  for (const text of ["one", "two", "three"]) await ann.says(text);
  await bob.sees("three");
  for (const text of ["one", "two", "three"]) await ann.deletes(text);
  await ann.page.goto("about:blank");
  await bob.seesAll(["Deleted", "Deleted", "Deleted"]);
  // The next page knows that it is done.
  await ann.enters(room);
  await ann.seesAll(["Deleted", "Deleted", "Deleted"]);
  await expect(ann.page.locator(".failed")).toHaveCount(0);
});

test("a browser that dies within the time deletes when it comes back", async ({ ann, bob, room }) => {
  await stopsTime(ann);
  await ann.enters(room);
  await bob.enters(room);
  await ann.says("not this");
  await bob.sees("not this");
  // Neither the socket nor the page says anything any more.
  await ann.page.evaluate(() => {
    window.addEventListener("pagehide", (hide) => hide.stopImmediatePropagation(), { capture: true });
    navigator.sendBeacon = () => false;
  });
  await ann.deletes("not this");
  await ann.page.context().setOffline(true);
  ann.expects(/ERR_INTERNET_DISCONNECTED|WebSocket/);
  await ann.page.goto("about:blank").catch(() => {});
  await ann.page.context().setOffline(false);
  await ann.enters(room);
  await bob.seesAll(["Deleted"]);
});

test("with the keyboard alone a message is deleted, and Shift Tab leads to undo", async ({ ann, room }) => {
  await stopsTime(ann);
  await ann.enters(room);
  await ann.says("keep me");
  await ann.sees("keep me");
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
  await ann.enters(room);
  await ann.says("twice");
  await ann.sees("twice");
  await ann.deletes("twice");
  const deleted = await ann.page.request.post(`/r/${room}/1/delete`, { headers: { origin: new URL(ann.page.url()).origin } });
  expect(deleted.ok()).toBe(true);
  await timePasses(ann);
  await ann.seesAll(["Deleted"]);
  await expect(ann.page.getByRole("button", { name: "Undo" })).toHaveCount(0);
  await expect(ann.page.locator(".failed")).toHaveCount(0);
});

test("a deletion that was made without a network is sent with it", async ({ somebody, bob }) => {
  const server = await OwnServer.start();
  const ann = await somebody({ baseURL: server.url });
  ann.expects(/ERR_CONNECTION_REFUSED|WebSocket/);
  bob.expects(/ERR_CONNECTION_REFUSED|WebSocket/);
  await ann.enters("tea");
  await ann.says("not this");
  await ann.sees("not this");
  await server.stop();
  await ann.deletes("not this");
  await expect(ann.page.locator(".line")).toHaveAttribute("data-standing", "pending");
  await server.start();
  await ann.seesAll(["Deleted"]);
  await expect(ann.page.locator(".line")).toHaveAttribute("data-standing", "confirmed");
  await ann.page.close();
  await server.remove();
});
