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

test("Ctrl K goes to a room by a part of its title, and finds messages below", async ({ ann, bob, room }) => {
  const [kitchen, cafe] = [`kitchen-${room}`, `cafe-${room}`];
  await ann.joinRoom(kitchen);
  await ann.send(`needle of ${room}`);
  await ann.joinRoom(cafe);
  await ann.send("coffee");
  await findOnPage(ann, `in:${kitchen} needle`, 1);
  await ann.joinRoom(room);
  await bob.joinRoom(cafe);
  await bob.send("are you there?");
  await expect(ann.page.locator("#rooms a.unread")).toHaveCount(1);
  await ann.composer.fill("a draft");
  await ann.page.keyboard.press("Control+k");
  const dialog = ann.page.getByRole("dialog", { name: "Search" });
  const field = dialog.getByRole("searchbox");
  const found = dialog.locator(".found-rooms a");
  await expect(field).toBeFocused();
  await expect(found.first(), "the room with unread messages comes first").toHaveAttribute("href", new RegExp(`/r/${cafe}`));
  await isAccessible(ann);
  await field.fill(`NÉEDLE of ${room}`);
  await expect(found).toHaveCount(0);
  await expect(dialog.locator(".result mark").first()).toHaveText("needle");
  await field.fill("kítchen");
  await expect(found).toHaveCount(1);
  await field.press("ArrowDown");
  await expect(found).toBeFocused();
  await found.press("ArrowUp");
  await field.press("Enter");
  await expect(ann.page).toHaveURL(new RegExp(`/r/${kitchen}$`));
  await ann.waitUntilLive();
  await expect(ann.line(`needle of ${room}`)).toBeVisible();
});

test("two quick presses of Ctrl K open one dialog", async ({ ann, room }) => {
  await ann.joinRoom(room);
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  await ann.page.route(/\/search$/, async (route) => {
    await released;
    await route.continue();
  });
  await ann.page.keyboard.press("Control+k");
  await ann.page.keyboard.press("Control+k");
  release();
  await expect(ann.page.getByRole("dialog", { name: "Search" }).getByRole("searchbox")).toBeFocused();
  await ann.page.waitForTimeout(500);
  await expect(ann.page.locator("#search")).toHaveCount(1);
});

test("keys of an input method neither move the focus nor close the search", async ({ ann, room }) => {
  await ann.joinRoom(room);
  await ann.send(`needle of ${room}`);
  await findOnPage(ann, `in:${room} needle`, 1);
  await ann.joinRoom(room);
  await ann.page.keyboard.press("Control+f");
  const dialog = ann.page.getByRole("dialog", { name: "Search" });
  const field = dialog.getByRole("searchbox");
  await field.fill(`needle in:${room}`);
  await expect(dialog.locator(".result")).toHaveCount(1);
  const isTaken = (key: string, isComposing: boolean) =>
    field.evaluate(
      (element, init) => !element.dispatchEvent(new KeyboardEvent("keydown", { ...init, bubbles: true, cancelable: true })),
      { key, isComposing },
    );
  for (const key of ["ArrowDown", "Escape"]) expect(await isTaken(key, true), key).toBe(false);
  await expect(field).toBeFocused();
  expect(await isTaken("ArrowDown", false)).toBe(true);
  await expect(dialog.locator(".result")).toBeFocused();
});

for (const status of [429, 503, 0]) {
  test(`a search that fails with ${status || "no answer"} says so, and shows no results of another query`, async ({ ann, room }) => {
    await ann.joinRoom(room);
    await ann.send(`needle of ${room}`);
    await findOnPage(ann, `in:${room} needle`, 1);
    ann.allowConsoleError(/Failed to load resource|Failed to fetch|Load failed|NetworkError/);
    await ann.page.route(/\/search\?/, (route) =>
      status ? route.fulfill({ status, contentType: "text/plain", body: "later" }) : route.abort(),
    );
    const field = ann.page.getByRole("searchbox");
    await field.fill(`in:${room} needless`);
    await expect(ann.page.getByRole("status")).toHaveText("The search does not answer. Try again in a moment.");
    await expect(ann.page.locator(".result")).toHaveCount(0);
    await ann.page.unroute(/\/search\?/);
    await field.fill(`in:${room} needle`);
    await expect(ann.page.locator(".result")).toHaveCount(1);
    await expect(ann.page.getByRole("status")).toHaveText("1 message");
  });
}

for (const locale of ["en", "zh-CN"]) {
  for (const colorScheme of ["light", "dark"] as const) {
    test(`every state of the search is accessible and fits 320 px in ${locale} and ${colorScheme}`, { tag: locale === "en" && colorScheme === "light" ? [] : "@long" }, async ({ newUser, bob, room }) => {
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
