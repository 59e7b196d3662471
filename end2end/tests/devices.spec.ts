import { expect, isAccessible, phone, test, type NewUser, type User } from "../people";

/** Signs another browser in as the same user, by a link. */
async function linked(user: User, newUser: NewUser, options = {}): Promise<User> {
  await user.page.goto("/devices");
  await user.page.getByRole("button", { name: "Create link" }).click();
  const link = await user.page.getByLabel("Link", { exact: true }).inputValue();
  const other = await newUser(options);
  await other.page.goto(link);
  await other.page.getByRole("button", { name: "Continue" }).click();
  await expect(other.page).toHaveURL("/");
  return other;
}

test("Ann signs her phone out from her laptop, and the phone says so and stays quiet", async ({ ann, newUser, room }) => {
  await ann.joinRoom(room);
  await ann.send("mine");
  await ann.seesMessage("mine");
  const mobile = await linked(ann, newUser, phone);
  await mobile.page.clock.install();
  await mobile.joinRoom(room);
  await mobile.composer.fill("half a sentence");
  const requests: string[] = [];
  await ann.page.goto("/devices");
  await expect(ann.page.locator(".devices .current")).toContainText("Chrome on Linux");
  await expect(ann.page.getByRole("button", { name: /^Sign out: / })).toHaveCount(1);
  mobile.allowConsoleError(/401/);
  mobile.page.on("request", (request) => requests.push(request.url()));
  mobile.page.on("websocket", (socket) => requests.push(socket.url()));
  await ann.page.getByRole("button", { name: /^Sign out: / }).click();
  await expect(ann.page.getByRole("status")).toHaveText("Signed out.");
  await expect(ann.page.getByText("You are signed in nowhere else.")).toBeVisible();

  const status = mobile.page.locator(".status[data-connection]");
  await expect(status).toHaveAttribute("data-connection", "signed-out");
  await expect(status).toHaveText("This device was signed out. Reload");
  await expect(mobile.composer).toHaveValue("half a sentence");
  expect(await mobile.composer.evaluate((box) => box.closest("[inert]") !== null), "nothing can be sent").toBe(true);
  await mobile.page.clock.runFor(60_000);
  expect(requests, "the page does not come back by itself").toEqual([]);

  await status.getByRole("link", { name: "Reload" }).click();
  await expect(mobile.page.getByRole("heading", { level: 1 })).toHaveText("You are signed out");
  await expect(mobile.page.getByRole("alert")).toHaveText("This device was signed out.");
  await isAccessible(mobile);
  await mobile.page.getByRole("link", { name: "Continue as a new guest" }).click();
  await mobile.waitUntilLive();
  await ann.page.goto(`/r/${room}`);
  await ann.seesMessages(["mine"]);
});

const withoutScript = { javaScriptEnabled: false };

for (const [name, options] of [["with script", {}], ["without script", withoutScript]] as const) {
  test(`Ann loses her browser and comes back by her recovery code ${name}`, async ({ newUser, room }) => {
    // axe is a script itself.
    const check = async (user: User) => options === withoutScript || (await isAccessible(user));
    const lost = await newUser(options);
    await lost.page.goto(`/r/${room}`);
    const own = `Ann ${room}`.slice(0, 30);
    await lost.rename(own);
    await lost.page.goto("/devices");
    await check(lost);
    await lost.page.getByRole("button", { name: "Create recovery code" }).click();
    await check(lost);
    const code = (await lost.page.getByLabel("Recovery code").inputValue()).trim();
    expect(code).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){6}[0-9A-HJKMNP-TV-Z]{4}$/);
    await lost.page.getByRole("link", { name: "Done" }).click();
    await expect(lost.page.getByText("You have a recovery code, created on")).toBeVisible();
    await expect(lost.page.getByText(code)).toHaveCount(0);

    const found = await newUser(options);
    found.allowConsoleError(/400/);
    await found.page.goto("/devices");
    await found.page.getByRole("link", { name: "Recover your identity" }).click();
    const field = found.page.getByLabel("Recovery code");
    await field.fill("not a code");
    await found.page.getByRole("button", { name: "Continue" }).click();
    await expect(found.page.getByRole("alert")).toHaveText("This code does not work.");
    await expect(field).toHaveValue("");
    await check(found);
    await field.fill(code.toLowerCase().replaceAll("-", " "));
    await found.page.getByRole("button", { name: "Continue" }).click();
    await expect(found.page.getByRole("status")).toContainText("Welcome back.");
    await expect(found.page.getByText(`You are ${own}`)).toBeVisible();
    await expect(found.page.getByRole("button", { name: "Create recovery code" })).toBeVisible();
    expect(found.page.url()).not.toContain(code);
  });
}

for (const [name, options] of [["with script", {}], ["without script", withoutScript]] as const) {
  test(`Ann signs out everywhere, ${name}`, async ({ newUser, room }) => {
    const ann = await newUser(options);
    await ann.page.goto(`/r/${room}`);
    const own = `Ann ${room}`.slice(0, 30);
    await ann.rename(own);
    const mobile = await linked(ann, newUser, options);
    mobile.allowConsoleError(/401/);
    await mobile.page.goto("/devices");
    await expect(mobile.page.getByText(`You are ${own}`)).toBeVisible();
    await ann.page.goto("/devices");
    await ann.page.getByRole("button", { name: "Sign out everywhere" }).click();
    await ann.page.goto("/");
    await expect(ann.name, "a new guest").not.toHaveText(own);
    await mobile.page.goto("/devices");
    await expect(mobile.page.getByRole("heading", { level: 1 })).toHaveText("You are signed out");
  });
}
