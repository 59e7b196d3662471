import { languages } from "../languages";
import { expect, isAccessible, test } from "../people";

const devices = {
  desktop: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
} as const;

for (const words of languages)
  for (const [device, screen] of Object.entries(devices))
    for (const colorScheme of ["light", "dark"] as const)
      for (const javaScriptEnabled of [true, false]) {
        const how = `${words.tag}, ${device}, ${colorScheme}, script ${javaScriptEnabled ? "on" : "off"}`;

        test(`bob makes a room, and reads back there while ann writes: ${how}`, async ({ ann, newUser, room, request }) => {
          test.slow();
          const bob = await newUser({ locale: words.locale, colorScheme, javaScriptEnabled, ...screen });
          await bob.page.goto("/");
          await expect(bob.page.locator("html")).toHaveAttribute("lang", words.tag);
          await expect(bob.page.locator(".room-header .topic")).toContainText(words.start);
          const paper = await bob.page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
          expect(Number(/[\d.]+/.exec(paper)?.[0]) > 0.5, paper).toBe(colorScheme === "light");

          await bob.page.getByRole("link", { name: words.newRoom }).click();
          await bob.page.getByLabel(words.called).fill(`Café ${room}`);
          await bob.page.getByLabel(words.about).fill("reading back");
          if (javaScriptEnabled) await isAccessible(bob);
          await bob.page.getByRole("button", { name: words.make }).click();
          await expect(bob.page.getByRole("heading", { level: 1 })).toHaveText(`Café ${room}`);
          for (let n = 1; n <= 60; n++) {
            await request.post(`/api/rooms/cafe-${room}/messages`, { data: { text: `message ${n}` } });
          }
          if (!javaScriptEnabled) await bob.page.reload();
          await ann.joinRoom(`cafe-${room}`);
          await expect(bob.line("message 60")).toBeInViewport();

          if (javaScriptEnabled) {
            await bob.line("message 12").scrollIntoViewIfNeeded();
            await expect(bob.line("message 3")).toHaveCount(1);
            await bob.line("message 12").scrollIntoViewIfNeeded();
            const before = (await bob.line("message 12").boundingBox())?.y;
            await ann.send("are you there?");
            await expect(bob.page.getByRole("button", { name: words.oneNew })).toBeVisible();
            expect((await bob.line("message 12").boundingBox())?.y, "nothing moves under a reader").toBe(before);
            await bob.page.getByRole("button", { name: words.oneNew }).click();
          } else {
            await bob.page.goto(`/r/cafe-${room}?before=51`);
            await expect(bob.line("message 3")).toHaveCount(1);
            await ann.send("are you there?");
            await ann.seesMessage("are you there?");
            await bob.page.getByRole("link", { name: words.backToNow }).click();
          }
          await expect(bob.line("are you there?")).toBeInViewport();

          await bob.page.locator(".me summary").click();
          await bob.page.getByLabel(words.name).fill(`Bob ${room}`.slice(0, 30));
          await bob.page.locator(".me").getByRole("button", { name: words.save }).click();
          await expect(bob.name).toHaveText(`Bob ${room}`.slice(0, 30));
          await bob.page.locator("#text").fill("I was reading back");
          await bob.page.getByRole("button", { name: words.send }).click();
          await ann.seesMessage("I was reading back");
          await expect(ann.line("I was reading back").locator("b")).toHaveText(`Bob ${room}`.slice(0, 30));
          await bob.seesMessage("I was reading back");
          if (javaScriptEnabled) await isAccessible(bob);
        });
      }
