import { expect, isAccessible, test, uniqueName } from "../people";

test("screen readers find the author of every message of a group", async ({ ann, bob, room }) => {
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await bob.rename(uniqueName("Bob", room));
  const name = uniqueName("Bob", room);
  for (const text of ["one", "two", "three"]) await bob.send(text);
  await ann.seesMessage("three");
  for (const text of ["one", "two", "three"]) {
    await expect(ann.page.getByRole("listitem", { name, exact: true }).filter({ hasText: text }), text).toHaveCount(1);
  }
  await expect(ann.line("one").locator(".head b")).toBeVisible();
  // The author is visible once.
  const shown = await ann.page.locator(".line .author").evaluateAll((names) => names.filter((name) => !name.matches(".visually-hidden")).length);
  expect(shown).toBe(1);
  // The live region announces the text content of the row.
  expect(await ann.line("three").evaluate((line) => line.textContent)).toContain(name);
  await isAccessible(ann);
});

test("a new name appears in every row, also without script", async ({ bob, newUser, room }) => {
  await bob.joinRoom(room);
  for (const text of ["one", "two"]) await bob.send(text);
  await bob.seesMessage("two");
  const name = uniqueName("Robert", room);
  await bob.rename(name);
  await expect(bob.page.getByRole("listitem", { name, exact: true })).toHaveCount(2);
  const ann = await newUser({ javaScriptEnabled: false });
  await ann.page.goto(`/r/${room}`);
  await expect(ann.page.getByRole("listitem", { name, exact: true })).toHaveCount(2);
});
