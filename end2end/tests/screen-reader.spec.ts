import { expect, isAccessible, test } from "../people";

test("a screen reader finds the author of every message, also of those under one head", async ({ ann, bob, room }) => {
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await bob.rename(`Bob ${room}`.slice(0, 30));
  const name = `Bob ${room}`.slice(0, 30);
  for (const text of ["one", "two", "three"]) await bob.send(text);
  await ann.seesMessage("three");
  for (const text of ["one", "two", "three"]) {
    await expect(ann.page.getByRole("listitem", { name, exact: true }).filter({ hasText: text }), text).toHaveCount(1);
  }
  await expect(ann.line("one").locator(".head b")).toBeVisible();
  // To the eye the name stands there once.
  const shown = await ann.page.locator(".line .author").evaluateAll((names) => names.filter((name) => !name.matches(".visually-hidden")).length);
  expect(shown).toBe(1);
  // What the live region reads out is the line's own text.
  expect(await ann.line("three").evaluate((line) => line.textContent)).toContain(name);
  await isAccessible(ann);
});

test("who renames themselves is named so in every line, and without script too", async ({ bob, newUser, room }) => {
  await bob.joinRoom(room);
  for (const text of ["one", "two"]) await bob.send(text);
  await bob.seesMessage("two");
  const name = `Robert ${room}`.slice(0, 30);
  await bob.rename(name);
  await expect(bob.page.getByRole("listitem", { name, exact: true })).toHaveCount(2);
  const ann = await newUser({ javaScriptEnabled: false });
  await ann.page.goto(`/r/${room}`);
  await expect(ann.page.getByRole("listitem", { name, exact: true })).toHaveCount(2);
});
