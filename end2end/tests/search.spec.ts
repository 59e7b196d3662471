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

test("in Chinese the search fits 320 px and says what is wrong", async ({ newUser }) => {
  const ming = await newUser({ viewport: { width: 320, height: 640 }, locale: "zh-CN" });
  await ming.page.goto("/search?q=before:gestern");
  await expect(ming.page.getByRole("alert")).toContainText("2026-11");
  expect(await ming.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
  await isAccessible(ming);
});

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
