import { expect, test, uniqueName } from "../people";

test("the member list shows each user once, however many tabs are open", async ({ ann, bob, room }) => {
  await ann.joinRoom(room);
  await expect(ann.members).toHaveCount(1);
  await bob.joinRoom(room);
  await bob.rename("Bob");
  await expect(ann.members).toHaveCount(2);
  const tab = await bob.page.context().newPage();
  await tab.goto(`/r/${room}`);
  await expect(tab.locator("#members li")).toHaveCount(2);
  await expect(ann.members).toHaveCount(2);
  await expect(ann.members.filter({ hasText: "Bob" })).toHaveCount(1);
  await expect(ann.members.filter({ hasText: "(you)" })).toHaveCount(1);
  await bob.page.reload();
  await expect(ann.members).toHaveCount(2);
});

test("Ann sees that Bob is typing until his message arrives", async ({ ann, bob, room }) => {
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await bob.rename("Bob");
  await bob.composer.pressSequentially("let me think");
  await expect(ann.page.locator(".typing")).toHaveText(/^Bob( #\d+)? is typing…$/);
  await expect(bob.page.locator(".typing")).toHaveText("");
  await bob.composer.press("Enter");
  await ann.seesMessage("let me think");
  await expect(ann.page.locator(".typing")).toHaveText("");
});

test("who renames while typing is shown with the new name", async ({ ann, bob, room }) => {
  await ann.page.clock.install();
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await expect(ann.page.locator("#members li")).toHaveCount(2);
  await bob.composer.pressSequentially("so");
  await expect(ann.page.locator(".typing")).toHaveText(/is typing…$/);
  await bob.rename("Bob");
  await expect(ann.page.locator(".typing")).toHaveText(/^Bob( #\d+)? is typing…$/);
});

test("the typing indicator times out", async ({ ann, bob, room }) => {
  await ann.page.clock.install();
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await expect(ann.page.locator("#members li")).toHaveCount(2);
  await bob.rename("Bob");
  await bob.composer.pressSequentially("never mi");
  await expect(ann.page.locator(".typing")).toHaveText(/^Bob( #\d+)? is typing…$/);
  await ann.page.clock.runFor(7_000);
  await expect(ann.page.locator(".typing")).toHaveText("");
});

test("the second user of a name has a tag and sees the reason", async ({ ann, bob, room }) => {
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await ann.rename(uniqueName("Sam", room));
  await ann.send("I am Sam");
  await bob.seesMessage("I am Sam");
  // The letter a in this name is Cyrillic.
  await bob.rename(`S\u0430m ${room}`.slice(0, 30));
  // The profile card opens and shows the reason, and Bob may go on writing.
  await expect(bob.page.getByText("The tag distinguishes you.")).toBeVisible();
  await expect(bob.composer).toBeFocused();
  await bob.send("No, I am Sam");
  await ann.seesMessage("No, I am Sam");
  const tags = ann.page.locator(".line .tag");
  await expect(tags).toHaveText(["#2"]);
  await expect(ann.line("No, I am Sam").locator(".tag")).toHaveText("#2");
  await bob.page.getByLabel("Your name").fill(uniqueName("Sue", room));
  await bob.page.getByRole("button", { name: "Save" }).click();
  await expect(tags).toHaveCount(0);
});

test("without script a user with another's name sees the reason at once", async ({ ann, newUser, room }) => {
  await ann.joinRoom(room);
  await ann.rename(uniqueName("Eve", room));
  const bob = await newUser({ javaScriptEnabled: false });
  await bob.page.goto(`/r/${room}`);
  await bob.rename(uniqueName("eve", room));
  await expect(bob.page.getByText("The tag distinguishes you.")).toBeVisible();
  await expect(bob.page.locator(".me .tag")).toBeVisible();
});

test("a button copies the link to another device", async ({ newUser, room, baseURL }) => {
  const ann = await newUser({ permissions: ["clipboard-read", "clipboard-write"] });
  await ann.joinRoom(room);
  await ann.openDialog("settings");
  await ann.page.getByRole("button", { name: "Create link" }).click();
  await ann.page.getByRole("button", { name: "Copy link" }).click();
  await expect(ann.page.getByRole("button", { name: "Copied" })).toBeVisible();
  expect(await ann.page.evaluate(() => navigator.clipboard.readText())).toContain(`${baseURL}/device/`);
});

for (const javaScriptEnabled of [true, false]) {
  test(`a device link signs Ann in on her phone, once, script ${javaScriptEnabled ? "on" : "off"}`, async ({ newUser, room }) => {
    const laptop = await newUser({ javaScriptEnabled });
    const phone = await newUser({ javaScriptEnabled, viewport: { width: 390, height: 844 } });
    const stranger = await newUser({ javaScriptEnabled });
    await laptop.page.goto(`/r/${room}`);
    await laptop.rename("Ann");
    await laptop.openDialog("settings");
    await laptop.page.getByRole("button", { name: "Create link" }).click();
    await expect(laptop.page.getByRole("img", { name: "QR code" })).toBeVisible();
    const link = await laptop.page.getByLabel("Link", { exact: true }).inputValue();
    await phone.page.goto(link);
    await expect(phone.page.getByText("Continue as Ann on this device.")).toBeVisible();
    await phone.page.getByRole("button", { name: "Continue" }).click();
    await expect(phone.name).toHaveText("Ann");
    stranger.allowConsoleError(/410/);
    await stranger.page.goto(link);
    await expect(stranger.page.getByRole("heading")).toHaveText("This link has been used");
    await stranger.page.goto("/device/AAAAAAAAAAAAAAAAAAAAAA");
    await expect(stranger.page.getByRole("heading")).toHaveText("This link has expired");
  });
}
