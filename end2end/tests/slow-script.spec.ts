import { languages } from "../languages";
import { expect, test, type User } from "../people";

/** Until it is released, the wasm is on its way. */
async function hold(person: User): Promise<() => void> {
  let release = () => {};
  const held = new Promise<void>((done) => (release = done));
  await person.page.route(/\.wasm$/, async (route) => {
    await held;
    // The page that asked may be gone.
    await route.continue().catch(() => {});
  });
  return release;
}

for (const language of languages) {
  test(`while the script is on its way a phone reads, posts and is renamed, in ${language.locale}`, async ({ newUser, room, request }) => {
    for (let n = 1; n <= 60; n++) await request.post(`/api/rooms/${room}/messages`, { data: { text: `message ${n}` } });
    const ann = await newUser({ locale: language.locale, viewport: { width: 390, height: 844 }, colorScheme: "dark" });
    const release = await hold(ann);
    const settled = { waitUntil: "commit" } as const;
    await ann.page.goto(`/r/${room}`, settled);
    await expect(ann.line("message 60")).toBeInViewport();
    await ann.page.locator("#text").fill("in haste");
    await ann.page.getByRole("button", { name: language.send }).click();
    await expect(ann.line("in haste")).toBeInViewport();
    await ann.page.locator(".me summary").click();
    // Nobody else's, so that there is nothing to be said about it.
    const name = `Ann ${room}`.slice(0, 30);
    await ann.page.getByLabel(language.name).fill(name);
    await ann.page.locator(".me").getByRole("button", { name: language.save }).click();
    await expect(ann.name).toHaveText(name);
    await expect(ann.line("in haste").locator("b")).toHaveText(name);
    await ann.page.getByRole("button", { name: language.rooms, exact: true }).click();
    await expect(ann.rooms.locator("[aria-current=page]")).toBeVisible();
    await ann.page.keyboard.press("Escape");
    await ann.page.getByRole("link", { name: language.older }).click();
    await expect(ann.line("message 11")).toHaveCount(1);
    await ann.page.goto(`/r/${room}`, settled);
    release();
    await ann.waitUntilLive();
    await ann.seesMessage("in haste");
  });
}

test("a message that was begun before the script came is not lost by it, nor one that was left here before", async ({ ann, room }) => {
  await ann.joinRoom(room);
  await ann.composer.fill("an older draft");
  const release = await hold(ann);
  await ann.page.goto(`/r/${room}`, { waitUntil: "commit" });
  await ann.page.locator("#text").fill("begun early");
  release();
  await ann.waitUntilLive();
  await expect(ann.composer).toHaveValue("an older draft\nbegun early");
  await ann.page.reload();
  await ann.waitUntilLive();
  await expect(ann.composer).toHaveValue("an older draft\nbegun early");
});

test("a name and an edit that were begun before the script came are not lost by it", async ({ ann, room }) => {
  await ann.joinRoom(room);
  await ann.send("frist");
  await ann.seesMessage("frist");
  const release = await hold(ann);
  await ann.page.goto(`/r/${room}`, { waitUntil: "commit" });
  await ann.page.locator(".me summary").click();
  await ann.page.getByLabel("Your name").fill("Ann of the early hour");
  await ann.openMenu("frist");
  await ann.page.locator(".menu[open] textarea").fill("first");
  release();
  await ann.waitUntilLive();
  await expect(ann.page.getByLabel("Your name")).toHaveValue("Ann of the early hour");
  await expect(ann.editor).toHaveValue("first");
  await ann.editor.press("Enter");
  await ann.seesMessages(["first"]);
});
