import { expect, test } from "../people";

for (const script of [true, false]) {
  test(`a mistyped address suggests a similar room and is on no list ${script ? "" : "without script"}`, async ({ newUser, bob, room }) => {
    const title = `Garden ${room}`;
    await bob.createRoom(title);
    const path = new URL(bob.page.url()).pathname;
    const mistyped = path.replace("garden", "gadren");
    const ann = await newUser({ javaScriptEnabled: script });
    await ann.page.goto(mistyped);
    if (script) await ann.waitUntilLive();
    await expect(ann.page.getByText("This room does not exist yet.")).toBeVisible();
    await expect(ann.page.getByText("Did you mean")).toHaveText(`Did you mean ${title}?`);
    const listed = ann.rooms.locator(`li:visible a[href="${mistyped}"]`);
    await expect(listed).toHaveCount(0);
    await ann.page.getByRole("link", { name: title }).first().click();
    await expect(ann.page).toHaveURL(path);
    await ann.page.goto("/rooms");
    await expect(ann.page.locator(`a[href="${mistyped}"]`), "after another page").toHaveCount(0);
  });
}

test("a room at a new address is listed after its first message", async ({ ann, bob, room }) => {
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  const listed = ann.rooms.locator(`li:visible a[href="/r/${room}"]`);
  await expect(ann.page.getByText("This room does not exist yet.")).toBeVisible();
  await expect(listed).toHaveCount(0);
  await bob.send("hello");
  await ann.seesMessage("hello");
  await expect(listed).toHaveCount(1);
  await expect(ann.page.getByText("This room does not exist yet.")).toBeHidden();
  await ann.page.goto("/");
  await expect(listed).toHaveCount(1);
});

test("a button creates a room at an unused address", async ({ ann, room }) => {
  await ann.joinRoom(room);
  await ann.page.getByRole("button", { name: "Create room" }).click();
  await ann.waitUntilLive();
  await expect(ann.page).toHaveURL(`/r/${room}`);
  await expect(ann.page.getByText("No messages yet.")).toBeVisible();
  await expect(ann.rooms.locator(`li:visible a[href="/r/${room}"]`)).toHaveCount(1);
});

for (const script of [true, false]) {
  test(`Ann leaves a room ${script ? "" : "without script "}and it leaves her list until she posts there again`, async ({ newUser, room }) => {
    const ann = await newUser({ javaScriptEnabled: script });
    await ann.page.goto(`/r/${room}`);
    if (script) await ann.waitUntilLive();
    await ann.composer.fill("hello");
    if (script) await ann.composer.press("Enter");
    else await ann.page.getByRole("button", { name: "Send" }).click();
    await ann.seesMessage("hello");
    const listed = ann.rooms.locator(`li:visible a[href="/r/${room}"]`);
    await expect(listed).toHaveCount(1);
    await (await ann.openDialog("about")).getByRole("button", { name: "Leave room" }).click();
    await expect(ann.page).toHaveURL("/");
    if (script) await ann.waitUntilLive();
    await expect(ann.page.locator(`#rooms h2:text("Your rooms") + ul a[href="/r/${room}"]`)).toHaveCount(0);
    await ann.page.goto(`/r/${room}`);
    await expect(ann.line("hello")).toBeVisible();
    await ann.composer.fill("back again");
    if (script) await ann.composer.press("Enter");
    else await ann.page.getByRole("button", { name: "Send" }).click();
    await ann.seesMessage("back again");
    await ann.page.goto("/");
    await expect(listed).toHaveCount(1);
  });
}

test("the lobby cannot be left", async ({ ann }) => {
  await ann.page.goto("/");
  await ann.waitUntilLive();
  await expect((await ann.openDialog("about")).getByRole("button", { name: "Leave room" })).toHaveCount(0);
});
