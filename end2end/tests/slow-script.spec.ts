import { languages } from "../languages";
import { expect, holdWasm, postMessages, test, uniqueName } from "../people";

for (const language of languages) {
  test(`before hydration a phone reads, posts and changes the name, in ${language.locale}`, async ({ newUser, room, request }) => {
    await postMessages(request, room, 60);
    const ann = await newUser({ locale: language.locale, viewport: { width: 390, height: 844 }, colorScheme: "dark" });
    const release = await holdWasm(ann);
    const committed = { waitUntil: "commit" } as const;
    await ann.page.goto(`/r/${room}`, committed);
    await expect(ann.line("message 60")).toBeInViewport();
    await ann.page.locator("#text").fill("in haste");
    await ann.page.getByRole("button", { name: language.send }).click();
    await expect(ann.line("in haste")).toBeInViewport();
    await ann.profile.click();
    const name = uniqueName("Ann", room);
    await ann.page.getByLabel(language.name).fill(name);
    await ann.page.locator(".me").getByRole("button", { name: language.save }).click();
    await expect(ann.name).toHaveText(name);
    await expect(ann.line("in haste").locator("b")).toHaveText(name);
    await ann.page.getByRole("button", { name: language.rooms, exact: true }).click();
    await expect(ann.rooms.locator("[aria-current=page]")).toBeVisible();
    await ann.page.keyboard.press("Escape");
    await ann.page.getByRole("link", { name: language.older }).click();
    await expect(ann.line("message 11")).toHaveCount(1);
    await ann.page.goto(`/r/${room}`, committed);
    release();
    await ann.waitUntilLive();
    await ann.seesMessage("in haste");
  });
}

test("hydration keeps a text that was typed before and the stored draft", async ({ ann, room }) => {
  await ann.joinRoom(room);
  await ann.composer.fill("an older draft");
  const release = await holdWasm(ann);
  await ann.page.goto(`/r/${room}`, { waitUntil: "commit" });
  await ann.page.locator("#text").fill("begun early");
  release();
  await ann.waitUntilLive();
  await expect(ann.composer).toHaveValue("an older draft\nbegun early");
  await ann.page.reload();
  await ann.waitUntilLive();
  await expect(ann.composer).toHaveValue("an older draft\nbegun early");
});

test("hydration keeps a name and an edit that were typed before", async ({ ann, room }) => {
  await ann.joinRoom(room);
  await ann.send("frist");
  await ann.seesMessage("frist");
  const release = await holdWasm(ann);
  await ann.page.goto(`/r/${room}`, { waitUntil: "commit" });
  await ann.profile.click();
  await ann.page.getByLabel("Your name").fill("Ann of the early hour");
  await ann.openMenu("frist");
  await ann.editor.fill("first");
  release();
  await ann.waitUntilLive();
  await expect(ann.page.getByLabel("Your name")).toHaveValue("Ann of the early hour");
  await expect(ann.editor).toHaveValue("first");
  await ann.editor.press("Enter");
  await ann.seesMessages(["first"]);
});
