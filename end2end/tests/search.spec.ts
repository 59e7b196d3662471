import { expect, isAccessible, test, type User } from "../people";

/** Searches on the page of the search until a message is found: the index follows what is posted. */
async function findOnPage(user: User, query: string, count: number): Promise<void> {
  await expect(async () => {
    await user.page.goto(`/search?q=${encodeURIComponent(query)}`);
    await expect(user.page.locator(".result")).toHaveCount(count, { timeout: 500 });
  }).toPass();
}

test("a message is found while the user types, and opens in its room", async ({ ann, bob, room }) => {
  await ann.joinRoom(room);
  await ann.send(`The kettle of ${room} boils 北京`);
  await ann.send("Something else");
  await bob.page.goto("/search");
  const field = bob.page.getByRole("searchbox", { name: "Search messages" });
  await expect(field).toBeFocused();
  await expect(bob.page.locator(".search-help")).toBeVisible();
  await isAccessible(bob);
  await findOnPage(bob, `in:${room} 北京`, 1);
  await field.fill(`in:${room} kettle`);
  const result = bob.page.locator(".result");
  await expect(bob.page).toHaveURL(/kettle/);
  await expect(result.locator("mark")).toHaveText(["kettle"]);
  await expect(bob.page.getByRole("status")).toHaveText("1 message");
  await isAccessible(bob);
  await field.press("ArrowDown");
  await expect(result).toBeFocused();
  await result.press("Enter");
  await expect(bob.page).toHaveURL(new RegExp(`/r/${room}\\?around=1`));
  await expect(bob.line(`The kettle of ${room} boils 北京`)).toBeVisible();
});

test("Ctrl F opens the search over a room, and leaves the second press to the browser", async ({ ann, room }) => {
  await ann.joinRoom(room);
  await ann.send(`needle of ${room}`);
  await findOnPage(ann, `in:${room} needle`, 1);
  await ann.joinRoom(room);
  await ann.composer.fill("a draft");
  await ann.page.keyboard.press("Control+f");
  const dialog = ann.page.getByRole("dialog", { name: "Search" });
  const field = dialog.getByRole("searchbox");
  await expect(field).toBeFocused();
  await field.fill(`needle in:${room}`);
  await expect(dialog.locator(".result mark")).toHaveText(["needle"]);
  await field.press("Enter");
  await expect(dialog.locator(".result mark")).toHaveText(["needle"]);
  await expect(ann.page, "the room stays").toHaveURL(`/r/${room}`);
  await isAccessible(ann);
  await ann.page.keyboard.press("Control+f");
  await expect(dialog).toBeVisible();
  await ann.page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  await expect(ann.composer).toHaveValue("a draft");
  await ann.page.getByRole("link", { name: "Search messages" }).first().click();
  await expect(field).toBeFocused();
  await expect(field).toHaveValue(`needle in:${room}`);
});

for (const locale of ["en", "zh-CN"]) {
  for (const colorScheme of ["light", "dark"] as const) {
    test(`every state of the search is accessible and fits 320 px in ${locale} and ${colorScheme}`, async ({ newUser, bob, room }) => {
      await bob.joinRoom(room);
      await bob.send(`needle of ${room} ${"w".repeat(200)} ${"字".repeat(100)}`);
      const ann = await newUser({ viewport: { width: 320, height: 640 }, locale, colorScheme });
      await findOnPage(ann, `in:${room} needle`, 1);
      const states = [
        ["", ".search-help"],
        [`in:${room} needle`, ".result mark"],
        [`in:${room} nothing ${"w".repeat(200)}`, "[role=status]:not(:empty)"],
        ["before:gestern", "[role=alert]"],
      ] as const;
      for (const [query, part] of states) {
        await ann.page.goto(`/search?q=${encodeURIComponent(query)}`);
        await expect(ann.page.locator(part).first()).toBeVisible();
        expect(await ann.page.evaluate(() => document.documentElement.scrollWidth), query).toBeLessThanOrEqual(320);
        await isAccessible(ann);
      }
      await ann.joinRoom(room);
      await ann.page.keyboard.press("Control+f");
      await ann.page.getByRole("searchbox").fill(`needle in:${room}`);
      await expect(ann.page.locator("#search .result mark")).toHaveText(["needle"]);
      const box = await ann.page.locator("#search").boundingBox();
      expect(box && box.x >= 0 && box.x + box.width <= 320).toBeTruthy();
      await isAccessible(ann);
    });
  }
}

test("without script a form finds messages", async ({ newUser, bob, room }) => {
  await bob.joinRoom(room);
  await bob.send(`plain needle of ${room}`);
  const ann = await newUser({ javaScriptEnabled: false });
  await findOnPage(ann, `in:${room} needle`, 1);
  await ann.page.getByRole("searchbox").fill(`in:${room} nothing`);
  await ann.page.getByRole("button", { name: "Search" }).click();
  await expect(ann.page.getByRole("status")).toHaveText("No message matches.");
  await ann.page.getByRole("searchbox").fill(`in:${room} needle`);
  await ann.page.getByRole("button", { name: "Search" }).click();
  await ann.page.locator(".result").click();
  await expect(ann.messages).toHaveText([`plain needle of ${room}`]);
});
