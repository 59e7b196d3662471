import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { OwnServer } from "../hubbub";
import { expect, test, type Person } from "../people";

// Every page, light and dark, desktop and phone: made for eyes. README.md shows two of them.
const folder = process.env.HUBBUB_SCREENS ?? resolve(import.meta.dirname, "../test-results/screens");
const room = "night-shift";
const sizes = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };

async function talk(ann: Person, bob: Person): Promise<void> {
  const said: [Person, string][] = [
    [bob, "Morning! Did the backup run?"],
    [ann, "It did, at four. 1.2 GB, and the restore test passed."],
    [ann, "I wrote down how long each step took:\nsnapshot 3 s\ncopy 41 s\nverify 12 s"],
    [bob, "Lovely. Carol asked for the link to the notes: https://example.org/notes"],
    [ann, "On it!"],
  ];
  for (const [n, [person, text]] of said.entries()) {
    await person.says(text);
    await expect(ann.messages).toHaveCount(n + 1);
    await expect(bob.messages).toHaveCount(n + 1);
  }
  await ann.sees("On it!");
}

for (const [device, viewport] of Object.entries(sizes)) {
  for (const colorScheme of ["light", "dark"] as const) {
    test(`a room on a ${device} in ${colorScheme}`, async ({ somebody }) => {
      mkdirSync(folder, { recursive: true });
      const server = await OwnServer.start();
      const ann = await somebody({ viewport, colorScheme, baseURL: server.url });
      const bob = await somebody({ baseURL: server.url });
      await ann.enters(room);
      await ann.page.screenshot({ path: `${folder}/empty-${device}-${colorScheme}.png` });
      await ann.calls("Ann");
      await bob.enters(room);
      await bob.calls("Bob");
      await talk(ann, bob);
      await ann.composer.fill("See you at ten");
      await ann.page.screenshot({ path: `${folder}/room-${device}-${colorScheme}.png` });
      await bob.menu("Morning! Did the backup run?");
      await bob.page.getByRole("button", { name: "Delete" }).click();
      await ann.changes("On it!", "On it, in ten minutes.");
      await ann.sees("On it, in ten minutes.");
      await ann.line("On it, in ten minutes.").locator(".menu summary").focus();
      await ann.page.keyboard.press("Enter");
      await ann.page.screenshot({ path: `${folder}/edit-${device}-${colorScheme}.png` });
      await ann.page.keyboard.press("Escape");
      await ann.page.locator(".me summary").click();
      await ann.page.screenshot({ path: `${folder}/name-${device}-${colorScheme}.png` });
      ann.expects(/404/);
      const answer = await ann.page.goto("/r/No_Such_Room");
      expect(answer?.status()).toBe(404);
      await ann.page.screenshot({ path: `${folder}/nothing-${device}-${colorScheme}.png` });
      await bob.page.close();
      await server.remove();
    });
  }
}
