import { OwnServer } from "../hubbub";
import { endTimers, expect, isAccessible, phone, stopTimers, test } from "../people";

/** The milliseconds in which a deletion can be undone, and the extension while its button has the focus. */
const UNDO = [6_000, 1_000];

const DEVICES = [{ name: "a desktop", options: {} }, { name: "a phone", options: phone }] as const;

for (const { name, options } of DEVICES) {
  test(`on ${name} a deleted message disappears at once, and undo restores it before others see the deletion`, async ({ newUser, bob, room }) => {
    const ann = await newUser(options);
    await stopTimers(ann, UNDO);
    await ann.joinRoom(room);
    await bob.joinRoom(room);
    await ann.send("the first");
    await ann.send("the second");
    await bob.seesMessage("the second");
    if (name === "a phone") {
      await ann.longPress("the first", "Delete");
    } else {
      await ann.delete("the first");
    }
    await expect(ann.line("the first")).toBeHidden();
    // The next row shows the author now.
    await expect(ann.line("the second").locator(".head b")).toBeVisible();
    await expect(ann.page.getByRole("status").filter({ hasText: "Deleted" })).toBeVisible();
    await isAccessible(ann);
    await ann.page.getByRole("button", { name: "Undo" }).click();
    await expect(ann.line("the first")).toBeVisible();
    await expect(ann.page.getByRole("button", { name: "Undo" })).toHaveCount(0);
    await endTimers(ann);
    await bob.send("I saw nothing");
    await ann.seesMessage("I saw nothing");
    await bob.seesMessages(["the first", "the second", "I saw nothing"]);
    // No pending command deletes it later.
    await ann.page.reload();
    await ann.waitUntilLive();
    await ann.seesMessages(["the first", "the second", "I saw nothing"]);
  });
}

test("several deletions are counted, undone together, and sent after their time", async ({ ann, bob, room }) => {
  await stopTimers(ann, UNDO);
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
  await endTimers(ann);
  await bob.seesMessages(["Deleted", "two", "Deleted"]);
  await ann.seesMessages(["Deleted", "two", "Deleted"]);
  await expect(ann.page.getByRole("button", { name: "Undo" })).toHaveCount(0);
});

test("leaving the page sends every deletion that can still be undone", async ({ ann, bob, room }) => {
  await stopTimers(ann, UNDO);
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  for (const text of ["one", "two", "three"]) await ann.send(text);
  await bob.seesMessage("three");
  for (const text of ["one", "two", "three"]) await ann.delete(text);
  await ann.page.goto("about:blank");
  await bob.seesMessages(["Deleted", "Deleted", "Deleted"]);
  // The next page has no pending deletion.
  await ann.joinRoom(room);
  await ann.seesMessages(["Deleted", "Deleted", "Deleted"]);
  await expect(ann.page.locator(".failed-notice")).toHaveCount(0);
});

test("a browser that is killed sends the deletion when the user returns", async ({ ann, bob, room }) => {
  await stopTimers(ann, UNDO);
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await ann.send("not this");
  await bob.seesMessage("not this");
  // Neither the socket nor the page sends anything more.
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

test("the keyboard deletes a message, and Shift Tab reaches the undo button", async ({ ann, room }) => {
  await stopTimers(ann, UNDO);
  await ann.joinRoom(room);
  await ann.send("keep me");
  await ann.seesMessage("keep me");
  await ann.composer.press("ArrowUp");
  await expect(ann.editor).toBeFocused();
  for (let n = 0; n < 3; n++) await ann.page.keyboard.press("Tab");
  await expect(ann.menu.getByRole("button", { name: "Delete" })).toBeFocused();
  await ann.page.keyboard.press("Enter");
  await expect(ann.composer).toBeFocused();
  await expect(ann.line("keep me")).toBeHidden();
  await ann.page.keyboard.press("Shift+Tab");
  await expect(ann.page.getByRole("button", { name: "Undo" })).toBeFocused();
  // The deletion is not sent while the button has the focus.
  for (let n = 0; n < 3; n++) await endTimers(ann);
  await ann.page.keyboard.press("Enter");
  await expect(ann.line("keep me")).toBeVisible();
  await expect(ann.composer).toBeFocused();
});

test("deleting a message that another device has deleted shows no error", async ({ ann, room }) => {
  await stopTimers(ann, UNDO);
  await ann.joinRoom(room);
  await ann.send("twice");
  await ann.seesMessage("twice");
  await ann.delete("twice");
  const deleted = await ann.page.request.post(`/r/${room}/1/delete`, { headers: { origin: new URL(ann.page.url()).origin } });
  expect(deleted.ok()).toBe(true);
  await endTimers(ann);
  await ann.seesMessages(["Deleted"]);
  await expect(ann.page.getByRole("button", { name: "Undo" })).toHaveCount(0);
  await expect(ann.page.locator(".failed-notice")).toHaveCount(0);
});

test("a deletion that was made offline is sent after reconnecting", async ({ newUser, bob }) => {
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
