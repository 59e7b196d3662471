import { languages } from "../languages";
import { expect, isAccessible, lightness, phone, postMessages, test, uniqueName } from "../people";

const devices = {
  desktop: { viewport: { width: 1280, height: 800 } },
  phone,
} as const;

for (const strings of languages)
  for (const [device, screen] of Object.entries(devices))
    for (const colorScheme of ["light", "dark"] as const)
      for (const javaScriptEnabled of [true, false]) {
        // Half of the sixteen combinations: any two of the four properties meet in each way.
        const parity = [strings === languages[0], device === "phone", colorScheme === "dark", javaScriptEnabled];
        if (parity.filter(Boolean).length % 2 === 1) continue;
        // Each setting is in one of the two that always run.
        const tag = parity[0] !== parity[1] && parity[1] === parity[2] ? [] : "@long";
        const how = `${strings.tag}, ${device}, ${colorScheme}, script ${javaScriptEnabled ? "on" : "off"}`;

        test(`Bob creates a room and reads older messages while Ann posts: ${how}`, { tag }, async ({ ann, newUser, room, request }) => {
          test.slow();
          const bob = await newUser({ locale: strings.locale, colorScheme, javaScriptEnabled, ...screen });
          await bob.page.goto("/");
          await expect(bob.page.locator("html")).toHaveAttribute("lang", strings.tag);
          await expect(bob.page.locator(".room-header .topic")).toContainText(strings.start);
          const background = await bob.page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
          expect((await lightness(bob.page, background)) > 0.5, background).toBe(colorScheme === "light");

          await bob.page.getByRole("link", { name: strings.newRoom }).click();
          await bob.page.getByLabel(strings.called).fill(`Café ${room}`);
          await bob.page.getByLabel(strings.about).fill("reading back");
          if (javaScriptEnabled) await isAccessible(bob);
          await bob.page.getByRole("button", { name: strings.make }).click();
          await expect(bob.page.getByRole("heading", { level: 1 })).toHaveText(`Café ${room}`);
          await postMessages(request, `cafe-${room}`, 60);
          if (!javaScriptEnabled) await bob.page.reload();
          await ann.joinRoom(`cafe-${room}`);
          await expect(bob.line("message 60")).toBeInViewport();

          if (javaScriptEnabled) {
            await bob.line("message 12").scrollIntoViewIfNeeded();
            await expect(bob.line("message 3")).toHaveCount(1);
            await bob.line("message 12").scrollIntoViewIfNeeded();
            const before = (await bob.line("message 12").boundingBox())?.y;
            await ann.send("are you there?");
            await expect(bob.page.getByRole("button", { name: strings.oneNew })).toBeVisible();
            expect((await bob.line("message 12").boundingBox())?.y, "position of the row that Bob reads").toBe(before);
            await bob.page.getByRole("button", { name: strings.oneNew }).click();
          } else {
            await bob.page.goto(`/r/cafe-${room}?before=51`);
            await expect(bob.line("message 3")).toHaveCount(1);
            await ann.send("are you there?");
            await ann.seesMessage("are you there?");
            await bob.page.getByRole("link", { name: strings.backToNow }).click();
          }
          await expect(bob.line("are you there?")).toBeInViewport();

          await bob.profile.click();
          await bob.page.getByLabel(strings.name).fill(uniqueName("Bob", room));
          await bob.page.locator(".me").getByRole("button", { name: strings.save }).click();
          await expect(bob.name).toHaveText(uniqueName("Bob", room));
          await bob.page.locator("#text").fill("I was reading back");
          await bob.page.getByRole("button", { name: strings.send }).click();
          await ann.seesMessage("I was reading back");
          await expect(ann.line("I was reading back").locator("b")).toHaveText(uniqueName("Bob", room));
          await bob.seesMessage("I was reading back");
          if (javaScriptEnabled) await isAccessible(bob);
        });
      }
