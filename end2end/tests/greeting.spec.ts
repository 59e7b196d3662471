import { expect, isAccessible, postMessages, test, uniqueName } from "../people";

test("an empty room greets with its title and the invitation", async ({ newUser, room }) => {
  const ann = await newUser({ permissions: ["clipboard-read", "clipboard-write"] });
  await ann.createRoom(`Garden ${room}`, "Seeds and soil");
  const greeting = ann.page.locator(".empty-room");
  await expect(greeting).toContainText("Seeds and soil");
  await isAccessible(ann);
  await greeting.getByRole("button", { name: "Copy invite link" }).click();
  await expect(greeting.getByRole("button", { name: "Copied" })).toBeVisible();
  expect(await ann.page.evaluate(() => navigator.clipboard.readText())).toBe(ann.page.url());
  await ann.send("first");
  await ann.seesMessage("first");
  await expect(greeting).toBeHidden();
});

test("who joins is shown once, until the next message", async ({ ann, bob, newUser, room }) => {
  await ann.joinRoom(room);
  await bob.page.goto("/rooms");
  const arrivals = ann.page.locator(".arrivals");
  await bob.joinRoom(room);
  await expect(arrivals).toHaveText(/ joined$/);
  const carol = await newUser();
  await carol.joinRoom(room);
  await expect(arrivals).toHaveText(/ and .* joined$/);
  await isAccessible(ann);
  await bob.page.reload();
  await bob.waitUntilLive();
  await bob.send("hello");
  await ann.seesMessage("hello");
  await expect(arrivals).toHaveText("");
  const name = uniqueName("Bob", room);
  await bob.rename(name);
  await expect(ann.members.filter({ hasText: name })).toHaveCount(1);
  await expect(arrivals, "Bob has been here").toHaveText("");
});

test("the day of the messages in view is shown, and a calendar leads to another day", async ({ ann, room, request }) => {
  await postMessages(request, room, 80);
  await ann.joinRoom(room);
  const pill = ann.page.locator("#day-pill");
  await expect(pill).toContainText("Today");
  await isAccessible(ann);
  await ann.page.locator(".scroller").evaluate((scroller) => scroller.scrollTo(0, -scroller.scrollHeight));
  await expect(ann.line("message 31")).toBeInViewport();
  const input = pill.locator("input");
  await input.evaluate((input: HTMLInputElement) => {
    input.value = "2020-01-01";
    input.dispatchEvent(new Event("change"));
  });
  await expect(ann.page).toHaveURL(/\?at=15778[0-9]+$/);
  await expect(ann.line("message 1")).toHaveClass(/marked/);
});
