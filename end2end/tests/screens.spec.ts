import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test, type Person } from "../people";

// Every page, light and dark, desktop and phone: made for eyes. README.md shows one of them.
const folder = process.env.HUBBUB_SCREENS ?? resolve(import.meta.dirname, "../test-results/screens");
const sizes = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };

async function talk(ann: Person, bob: Person): Promise<void> {
  await bob.says("Morning! Did the backup run?");
  await ann.says("It did, at four. 1.2 GB, and the restore test passed.");
  await ann.sees("It did, at four. 1.2 GB, and the restore test passed.");
  await ann.says("I wrote down how long each step took:\nsnapshot 3 s\ncopy 41 s\nverify 12 s");
  await bob.says("Lovely. 小明 asked for the link to the notes: https://example.org/notes");
  await ann.says("On it 👍");
  await bob.sees("On it 👍");
}

for (const [device, viewport] of Object.entries(sizes)) {
  for (const colorScheme of ["light", "dark"] as const) {
    test(`a room on a ${device} in ${colorScheme}`, async ({ somebody, room }) => {
      mkdirSync(folder, { recursive: true });
      const ann = await somebody({ viewport, colorScheme });
      const bob = await somebody();
      await ann.enters(room);
      await ann.page.screenshot({ path: `${folder}/empty-${device}-${colorScheme}.png` });
      await ann.calls("Ann");
      await bob.enters(room);
      await bob.calls("Bob");
      await talk(ann, bob);
      await ann.seesAll(await bob.messages.allInnerTexts());
      await ann.composer.fill("See you at ten");
      await ann.page.screenshot({ path: `${folder}/room-${device}-${colorScheme}.png` });
      await ann.page.locator(".me summary").click();
      await ann.page.screenshot({ path: `${folder}/name-${device}-${colorScheme}.png` });
      ann.expects(/404/);
      const answer = await ann.page.goto("/r/No_Such_Room");
      expect(answer?.status()).toBe(404);
      await ann.page.screenshot({ path: `${folder}/nothing-${device}-${colorScheme}.png` });
    });
  }
}
