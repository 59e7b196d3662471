import { expect, isAccessible, test, uniqueName } from "../people";

test("a mention follows the user who renames, and a namesake takes nothing over", async ({ newUser, bob, room }) => {
  const [name, later] = [uniqueName("Ann Miller", room), uniqueName("Anna Miller", room)];
  const ann = await newUser();
  await ann.joinRoom(room);
  await ann.rename(name);
  await bob.joinRoom(room);
  // With two servers it takes a moment until the other one knows who is there.
  await expect(bob.page.locator("#members")).toContainText(name);
  await bob.send(`hello @${name}, see #lobby and #1`);
  const pill = (user: typeof ann) => user.page.locator(".text .mention");
  await expect(pill(ann)).toHaveText(`@${name}`);
  await expect(pill(ann)).toHaveClass("mention you");
  await expect(pill(bob)).toHaveClass("mention");
  await expect(ann.page.locator(".line.to-you")).toHaveCount(1);
  await expect(bob.page.locator(".line.to-you")).toHaveCount(0);
  await expect(bob.page.locator(".text a.room-link")).toHaveText(["#lobby"]);
  await isAccessible(ann);
  await ann.rename(later);
  await expect(pill(bob)).toHaveText(`@${later}`);
  const eve = await newUser();
  await eve.joinRoom(room);
  await eve.rename(name);
  await expect(eve.page.locator(".line.to-you")).toHaveCount(0);
  await expect(pill(eve)).toHaveText(`@${later}`);
  await ann.page.reload();
  await ann.waitUntilLive();
  await expect(pill(ann)).toHaveClass("mention you");
});

test("of two users of a name the completion chooses one", async ({ newUser, bob, room }) => {
  const name = uniqueName("Carol", room);
  const users = [await newUser(), await newUser()];
  for (const [index, user] of users.entries()) {
    await user.joinRoom(room);
    await user.rename(name);
    await user.send(`hello ${index}`);
    await user.seesMessage(`hello ${index}`);
  }
  await bob.joinRoom(room);
  await expect(bob.members.filter({ hasText: name })).toHaveCount(2);
  await bob.composer.pressSequentially("hi @car");
  const options = bob.page.getByRole("listbox", { name: "Suggestions" }).getByRole("option");
  await options.filter({ hasText: "#2" }).click();
  await bob.page.keyboard.press("Enter");
  await expect(users[1].page.locator(".mention.you")).toHaveCount(1);
  await expect(users[0].page.locator(".mention:not(.you)")).toHaveCount(1);
});

test("messages to the user in another room are counted apart, and first in the title", async ({ newUser, bob, room }) => {
  const ann = await newUser();
  await ann.joinRoom(room);
  await ann.rename(uniqueName("Ann", room));
  await ann.send("hello");
  await ann.seesMessage("hello");
  await ann.page.goto("/");
  await ann.waitUntilLive();
  await bob.joinRoom(room);
  await bob.send("something for all");
  await expect(ann.page).toHaveTitle(/^\(1\)/);
  await bob.send(`and @${uniqueName("Ann", room)}!`);
  await expect(ann.page).toHaveTitle(/^\(@1\)/);
  await bob.act("hello", "Reply");
  await bob.send("a reply");
  await expect(ann.page.locator("#rooms .badge.mentions")).toHaveText("@2");
  await ann.page.reload();
  await expect(ann.page.locator("#rooms .badge.mentions")).toHaveText("@2");
  await isAccessible(ann);
});
