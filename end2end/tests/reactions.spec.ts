import type { Locator } from "@playwright/test";
import { expect, isAccessible, postMessages, test, type User } from "../people";

const pills = (user: User, text: string): Locator => user.line(text).locator(".reaction:visible");
const pill = (user: User, text: string, emoji: string): Locator => user.line(text).locator(`.reaction[data-react="${emoji}"]:visible`);

async function quickly(user: User, text: string, emoji: string): Promise<void> {
  await user.line(text).hover();
  await user.page.locator("#message-bar [data-action=more]").click();
  await user.page.locator(`#message-menu [data-react="${emoji}"]`).click();
}

test("a reaction is shown to everyone, counted, and taken back by its pill", async ({ ann, bob, room }) => {
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await ann.send("Cake at four");
  await bob.seesMessage("Cake at four");
  await quickly(bob, "Cake at four", "🎉");
  await expect(pill(ann, "Cake at four", "🎉")).toHaveText(/1/);
  await expect(pill(ann, "Cake at four", "🎉")).toHaveAttribute("aria-pressed", "false");
  await expect(pill(bob, "Cake at four", "🎉")).toHaveAttribute("aria-pressed", "true");
  await pill(ann, "Cake at four", "🎉").click();
  for (const user of [ann, bob]) {
    await expect(pill(user, "Cake at four", "🎉")).toHaveText(/2/);
    await expect(pill(user, "Cake at four", "🎉")).toHaveAttribute("aria-pressed", "true");
  }
  await isAccessible(ann);
  await ann.page.reload();
  await ann.waitUntilLive();
  await expect(pill(ann, "Cake at four", "🎉")).toHaveText(/2/);
  await pill(ann, "Cake at four", "🎉").click();
  await pill(bob, "Cake at four", "🎉").click();
  for (const user of [ann, bob]) await expect(pills(user, "Cake at four")).toHaveCount(0);
  await ann.page.reload();
  await ann.waitUntilLive();
  await expect(pills(ann, "Cake at four")).toHaveCount(0);
});

test("a pill says who reacted, under their present names", async ({ ann, bob, room }) => {
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await ann.rename(`Ann ${room}`);
  await ann.send("who");
  await bob.seesMessage("who");
  await quickly(ann, "who", "👀");
  await expect(pill(bob, "who", "👀")).toHaveAttribute("title", `Ann ${room}`);
  await ann.rename(`Anna ${room}`);
  await expect(pill(bob, "who", "👀")).toHaveAttribute("title", `Anna ${room}`);
  await expect(pill(bob, "who", "👀")).toHaveAttribute("aria-label", `👀 1: Anna ${room}`);
});

test("the picker finds emoji by name and remembers them", async ({ ann, room }) => {
  await ann.joinRoom(room);
  await ann.send("launch");
  await ann.act("launch", "React");
  const picker = ann.page.locator("#emoji-picker");
  const search = picker.getByRole("searchbox");
  await expect(search).toBeFocused();
  await expect(picker.locator("section").first()).toBeVisible();
  await isAccessible(ann);
  await search.fill("rocket");
  await expect(picker.getByRole("button", { name: "rocket" })).toBeVisible();
  await search.press("Enter");
  await expect(picker).toBeHidden();
  await expect(pill(ann, "launch", "🚀")).toHaveAttribute("aria-pressed", "true");
  await ann.send("again");
  await ann.act("again", "React");
  await expect(picker.locator("section").first()).toContainText("🚀");
  await search.fill("no such thing");
  await expect(picker).toContainText("No emoji found.");
  await search.press("Escape");
  await expect(picker).toBeHidden();
});

test("the button beside the message box inserts an emoji where the caret is", async ({ ann, room }) => {
  await ann.joinRoom(room);
  await ann.composer.fill("ready steady");
  await ann.composer.press("Home");
  for (let step = 0; step < 5; step++) await ann.composer.press("ArrowRight");
  await ann.page.getByRole("button", { name: "Insert emoji" }).click();
  const search = ann.page.locator("#emoji-picker").getByRole("searchbox");
  await search.fill("party popper");
  await expect(ann.page.locator("#emoji-picker").getByRole("button", { name: "tada" })).toBeVisible();
  await search.press("Enter");
  await expect(ann.composer).toHaveValue("ready🎉 steady");
  await expect(ann.composer).toBeFocused();
  await ann.submit();
  await ann.seesMessage("ready🎉 steady");
});

test("the keyboard reacts, and stays on the pill", async ({ ann, room }) => {
  await ann.joinRoom(room);
  await ann.send("keys");
  await ann.seesMessage("keys");
  await ann.page.keyboard.press("Shift+Tab");
  await ann.line("keys").focus();
  await ann.page.keyboard.press("+");
  const picker = ann.page.locator("#emoji-picker");
  await expect(picker.getByRole("searchbox")).toBeFocused();
  await expect(picker.locator("section").first()).toBeVisible();
  await ann.page.keyboard.press("ArrowDown");
  await ann.page.keyboard.press("ArrowRight");
  await ann.page.keyboard.press("ArrowDown");
  const emoji = await ann.page.evaluate(() => document.activeElement?.textContent);
  await ann.page.keyboard.press("Enter");
  await expect(pills(ann, "keys")).toHaveCount(1);
  await expect(pills(ann, "keys")).toContainText(emoji ?? "?");
  await pills(ann, "keys").focus();
  await quickly(ann, "keys", "✅");
  await pill(ann, "keys", "✅").focus();
  await ann.page.keyboard.press("Enter");
  await expect(pill(ann, "keys", "✅")).toHaveCount(0);
  await expect(ann.line("keys")).toBeFocused();
});

test("a reaction that waits for the network is shown, and sent later", async ({ ann, bob, room }) => {
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await bob.send("slow");
  await ann.seesMessage("slow");
  await ann.page.context().setOffline(true);
  await quickly(ann, "slow", "👍");
  await expect(pill(ann, "slow", "👍")).toHaveAttribute("aria-pressed", "true");
  await ann.page.reload().catch(() => undefined);
  await ann.page.context().setOffline(false);
  await ann.joinRoom(room);
  await expect(pill(bob, "slow", "👍")).toHaveText(/1/);
  await expect(pill(ann, "slow", "👍")).toHaveText(/1/);
});

test("a deleted message loses its reactions", async ({ ann, bob, room }) => {
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await ann.send("gone soon");
  await bob.seesMessage("gone soon");
  await quickly(bob, "gone soon", "👍");
  await expect(pill(ann, "gone soon", "👍")).toBeVisible();
  await ann.delete("gone soon");
  await expect(bob.page.locator(".reaction:visible")).toHaveCount(0);
});

test("older messages take reactions on a page of the history", async ({ ann, room, request }) => {
  await postMessages(request, room, 120);
  await ann.page.goto(`/r/${room}?around=10`);
  await ann.waitUntilHydrated();
  await quickly(ann, "message 10", "😂");
  await expect(pill(ann, "message 10", "😂")).toHaveText(/1/);
  await ann.waitUntilHydrated();
  await pill(ann, "message 10", "😂").click();
  await ann.waitUntilHydrated();
  await expect(pills(ann, "message 10")).toHaveCount(0);
});

test("without script a message that is opened by its link offers reactions", async ({ newUser, room, request }) => {
  const ann = await newUser({ javaScriptEnabled: false });
  await postMessages(request, room, 2);
  await ann.page.goto(`/r/${room}?around=2`);
  await pill(ann, "message 2", "❤️").click();
  await expect(pill(ann, "message 2", "❤️")).toHaveText(/1/);
  await pill(ann, "message 2", "❤️").click();
  await ann.page.goto(`/r/${room}`);
  await expect(pills(ann, "message 2")).toHaveCount(0);
});
