import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { OwnServer } from "../hubbub";
import { test, tour } from "../moderation";
import { animationsEnd, expect, type User } from "../people";

// Takes screenshots of every page, light and dark, on a desktop and a phone. README.md shows two of them.
const folder = process.env.HUBBUB_SCREENS ?? resolve(import.meta.dirname, "../test-results/screens");
const room = "night-shift";
const sizes = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };

async function converse(ann: User, bob: User): Promise<void> {
  const messages: [User, string][] = [
    [bob, "Morning! Did the backup run?"],
    [ann, "It did, at four. 1.2 GB, and the restore test passed."],
    [ann, "I wrote down how long each step took:\nsnapshot 3 s\ncopy 41 s\nverify 12 s"],
    [bob, "Lovely. Carol asked for the link to the notes: https://example.org/notes"],
    [ann, "On it!"],
  ];
  for (const [n, [user, text]] of messages.entries()) {
    await user.send(text);
    await expect(ann.messages).toHaveCount(n + 1);
    await expect(bob.messages).toHaveCount(n + 1);
  }
  await ann.seesMessage("On it!");
}

for (const [device, viewport] of Object.entries(sizes)) {
  for (const colorScheme of ["light", "dark"] as const) {
    test(`a room on a ${device} in ${colorScheme}`, async ({ newUser }) => {
      test.slow();
      mkdirSync(folder, { recursive: true });
      const server = await OwnServer.start();
      const ann = await newUser({ viewport, colorScheme, baseURL: server.url });
      const bob = await newUser({ baseURL: server.url });
      const shoot = async (user: User, state: string) => {
        await animationsEnd(user.page);
        await user.page.screenshot({ path: `${folder}/${state}-${device}-${colorScheme}.png` });
      };
      for (const other of ["kitchen", "on-call"]) await bob.joinRoom(other);
      await bob.send("Who is on call tonight?");
      await ann.page.goto("/");
      await ann.waitUntilLive();
      await shoot(ann, "lobby");
      await ann.page.goto("/rooms");
      await ann.page.getByLabel("Room name").fill("Night shift");
      await ann.page.getByLabel("Topic (optional)").fill("Backups, alarms, and who brings the cake");
      await shoot(ann, "new-room");
      await ann.page.getByRole("button", { name: "Create room" }).click();
      await ann.waitUntilLive();
      await shoot(ann, "empty");
      await ann.rename("Ann");
      await bob.joinRoom(room);
      await bob.rename("Bob");
      await converse(ann, bob);
      await ann.composer.fill("See you at ten");
      await bob.composer.pressSequentially("Is it");
      await expect(ann.page.locator(".typing")).toHaveText("Bob is typing…");
      await shoot(ann, "room");
      if (device === "phone") {
        for (const id of ["rooms", "members"]) {
          await ann.page.locator(`[popovertarget=${id}]`).first().click();
          await shoot(ann, id);
          await ann.page.keyboard.press("Escape");
        }
      }
      await ann.openDialog("about");
      await shoot(ann, "about");
      await ann.page.keyboard.press("Escape");
      await bob.openMenu("Morning! Did the backup run?");
      await bob.page.getByRole("button", { name: "Delete" }).click();
      await ann.edit("On it!", "On it, in ten minutes.");
      await ann.seesMessage("On it, in ten minutes.");
      await ann.line("On it, in ten minutes.").locator(".menu summary").focus();
      await ann.page.keyboard.press("Enter");
      await shoot(ann, "edit");
      await ann.page.keyboard.press("Escape");
      await ann.profile.click();
      await shoot(ann, "name");
      await ann.page.locator(".me").getByRole("button", { name: "Settings" }).click();
      await shoot(ann, "settings");
      await ann.page.getByRole("button", { name: "Keyboard shortcuts" }).click();
      await shoot(ann, "shortcuts");
      await ann.page.goto("/");
      await ann.waitUntilLive();
      for (let n = 1; n <= 24; n++) await bob.send(n % 3 ? `and another thing, number ${n}` : `@Ann what do you think of number ${n}?`);
      await expect(bob.messages.last()).toContainText("24");
      await ann.page.goto(`/r/${room}`);
      await ann.waitUntilLive();
      await shoot(ann, "unread");
      await ann.page.goto(`/r/${room}?around=8#m8`);
      await ann.waitUntilLive();
      await shoot(ann, "marked");
      await ann.send("x".repeat(9_000));
      ann.allowServerLoss();
      bob.allowServerLoss();
      await server.stop();
      await ann.send("this one waits");
      await expect(ann.page.getByText("Offline.")).toBeVisible();
      await shoot(ann, "offline");
      await server.start();
      const ming = await newUser({ viewport, colorScheme, baseURL: server.url, locale: "zh-CN" });
      await ming.page.goto(`/r/${room}`);
      await ming.waitUntilLive();
      await shoot(ming, "chinese");
      await ming.openDialog("settings");
      await shoot(ming, "chinese-settings");
      await ming.page.getByRole("button", { name: "生成链接" }).click();
      await shoot(ming, "device");
      ann.allowConsoleError(/404/);
      const answer = await ann.page.goto("/r/No_Such_Room");
      expect(answer?.status()).toBe(404);
      await shoot(ann, "not-found");
      await bob.page.close();
      await ming.page.close();
      await server.remove();
    });
  }
}

for (const [device, viewport] of Object.entries(sizes)) {
  for (const colorScheme of ["light", "dark"] as const) {
    test(`the pages of access and moderation on a ${device} in ${colorScheme}`, async ({ startServer, newUser }) => {
      test.slow();
      mkdirSync(folder, { recursive: true });
      await tour(await startServer(), newUser, { viewport, colorScheme }, async (user, page) => {
        await user.page.screenshot({ path: `${folder}/${page}-${device}-${colorScheme}.png`, fullPage: true });
      });
    });
  }
}

for (const width of [320, 2560]) {
  test(`a room on a screen of ${width} px`, async ({ newUser, room }) => {
    mkdirSync(folder, { recursive: true });
    const ann = await newUser({ viewport: { width, height: width < 400 ? 600 : 1400 } });
    await ann.joinRoom(room);
    await ann.rename("名字很长的人".repeat(5) + "长长");
    await ann.send("A short one, then a word of 200 letters:");
    await ann.send("w".repeat(200));
    await ann.send("and a sentence that is long enough to show how wide a line of text may become before it wraps. ".repeat(3));
    await expect(ann.messages).toHaveCount(3);
    await ann.page.screenshot({ path: `${folder}/room-${width}.png` });
  });
}
