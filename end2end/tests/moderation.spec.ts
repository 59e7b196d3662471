import type { OwnServer } from "../hubbub";
import { becomeAdmin, introduce, submit, test, tour } from "../moderation";
import { expect, isAccessible, isAccessibleInLightAndDark, type NewUser, type User } from "../people";

const scripts = [["with script", {}], ["without script", { javaScriptEnabled: false }]] as const;

/** axe is a script itself. */
async function check(user: User, options: { javaScriptEnabled?: boolean }): Promise<void> {
  if (options.javaScriptEnabled !== false) await isAccessible(user);
}

/** Creates an invitation with the form of a page, and returns its link. */
async function invite(user: User, path: string, people = "one person"): Promise<string> {
  await user.page.goto(path);
  await user.page.getByLabel("How many people").selectOption(people);
  await user.page.getByRole("button", { name: "Create an invitation" }).click();
  return user.page.getByLabel("Link", { exact: true }).inputValue();
}

/** Creates a room with the form, and returns its path. */
async function createRoom(user: User, title: string, membersOnly = false): Promise<string> {
  await user.page.goto("/rooms");
  await user.page.getByLabel("Room name").fill(title);
  if (membersOnly) await user.page.getByLabel("Members only").check();
  await user.page.getByRole("button", { name: "Create room" }).click();
  await user.page.waitForURL("**/r/*");
  return new URL(user.page.url()).pathname;
}

/** Lets a user create a room on a server, and others enter it. */
async function ownedRoom(server: OwnServer, newUser: NewUser, ...names: string[]): Promise<{ owner: User; others: User[]; paths: string[] }> {
  const owner = await newUser({ baseURL: server.url });
  await createRoom(owner, "Night shift");
  await owner.waitUntilLive();
  await introduce(owner, "night-shift", "Olga", "Welcome.");
  const [others, paths]: [User[], string[]] = [[], []];
  for (const name of names) {
    const other = await newUser({ baseURL: server.url });
    paths.push(await introduce(other, "night-shift", name, `I am ${name}.`));
    others.push(other);
  }
  return { owner, others, paths };
}

for (const [name, options] of scripts) {
  test(`the admin link makes its first user the administrator, ${name}`, async ({ startServer, newUser }) => {
    const server = await startServer();
    const [ann, bob] = [await newUser({ ...options, baseURL: server.url }), await newUser({ ...options, baseURL: server.url })];
    for (const user of [ann, bob]) user.allowConsoleError(/404|410/);
    expect((await bob.page.goto("/admin"))?.status(), "for others there is no such page").toBe(404);
    const link = server.adminLink();
    await ann.page.goto(link);
    await expect(ann.page.getByRole("heading", { level: 1 })).toHaveText("Administration");
    await check(ann, options);
    await bob.page.goto(link);
    await ann.page.getByRole("button", { name: "Become the administrator" }).click();
    await expect(ann.page).toHaveURL("/admin");
    await check(ann, options);
    await bob.page.getByRole("button", { name: "Become the administrator" }).click();
    await expect(bob.page.getByRole("alert")).toHaveText("It was used, has ended, or never existed.");
    await check(bob, options);
    expect((await bob.page.goto("/admin"))?.status()).toBe(404);
    await ann.page.goto("/rooms");
    await ann.page.getByRole("link", { name: "Administration" }).click();
    await expect(ann.page).toHaveURL("/admin");
    await bob.page.goto("/rooms");
    await expect(bob.page.getByRole("link", { name: "Administration" })).toHaveCount(0);
    });

  test(`a stranger enters a closed server by an invitation, which works once, ${name}`, async ({ startServer, newUser }) => {
    const server = await startServer("--access", "invite");
    const [ann, bob, carol] = [await newUser({ baseURL: server.url }), await newUser({ ...options, baseURL: server.url }), await newUser({ ...options, baseURL: server.url })];
    for (const user of [bob, carol]) user.allowConsoleError(/403|410/);
    await becomeAdmin(ann, server);
    const link = await invite(ann, "/admin");
    expect((await bob.page.goto("/"))?.status()).toBe(403);
    await expect(bob.page.getByRole("heading", { level: 1 })).toHaveText("This server is closed");
    await check(bob, options);
    await bob.page.goto(link);
    await expect(bob.page.getByText("invites you to this server.")).toBeVisible();
    await check(bob, options);
    await carol.page.goto(link);
    await bob.page.getByRole("button", { name: "Accept" }).click();
    await expect(bob.page.getByRole("heading", { level: 1 })).toHaveText("Lobby");
    await carol.page.getByRole("button", { name: "Accept" }).click();
    await expect(carol.page.getByRole("alert")).toHaveText("It was used, has ended, or never existed.");
    expect((await carol.page.goto("/"))?.status()).toBe(403);
    });

  test(`the password opens the door, and a wrong one says so, ${name}`, async ({ startServer, newUser }) => {
    const server = await startServer();
    const [ann, bob] = [await newUser({ ...options, baseURL: server.url }), await newUser({ ...options, baseURL: server.url })];
    for (const user of [ann, bob]) user.allowConsoleError(/403|400/);
    await becomeAdmin(ann, server);
    await ann.page.getByLabel("Who may enter").selectOption("With a password");
    await ann.page.getByLabel("New password").fill("open sesame");
    await ann.page.getByLabel("New password").press("Enter");
    await expect(ann.page.getByLabel("Who may enter")).toHaveValue("password");
    await bob.page.goto("/");
    await bob.page.getByLabel("Password").fill("open says me");
    await bob.page.getByRole("button", { name: "Enter" }).click();
    await expect(bob.page.getByRole("alert")).toHaveText("This is not the password.");
    await check(bob, options);
    await bob.page.getByLabel("Password").fill("open sesame");
    await bob.page.getByRole("button", { name: "Enter" }).click();
    await expect(bob.page.getByRole("heading", { level: 1 })).toHaveText("Lobby");
    await bob.page.goto("/");
    await expect(bob.page.getByRole("heading", { level: 1 })).toHaveText("Lobby");
    });
}

test("a members-only room is like one that does not exist, until an invitation opens it", async ({ startServer, newUser }) => {
  const server = await startServer();
  const [ann, bob] = [await newUser({ baseURL: server.url }), await newUser({ baseURL: server.url })];
  bob.allowConsoleError(/404/);
  const room = await createRoom(ann, "Board", true);
  await ann.waitUntilLive();
  await ann.send("a secret");
  await ann.seesMessage("a secret");
  const body = async (path: string) => {
    const answer = await bob.page.goto(path);
    expect(answer?.status(), path).toBe(404);
    return bob.page.locator("main").innerText();
  };
  expect(await body(room)).toBe(await body(`/r/m-${"0123456789abcdef".repeat(2)}`));
  await bob.page.goto("/rooms");
  await expect(bob.page.getByText("Board")).toHaveCount(0);
  const link = await invite(ann, `${room}/manage`);
  await bob.page.goto(link);
  await expect(bob.page.getByText("invites you to the room “Board”.")).toBeVisible();
  await isAccessible(bob);
  await bob.page.getByRole("button", { name: "Accept" }).click();
  await expect(bob.page).toHaveURL(room);
  await bob.waitUntilLive();
  await bob.seesMessages(["a secret"]);
  await ann.page.reload();
  await expect(ann.page.getByRole("heading", { name: "Members" })).toBeVisible();
});

test("Bob is removed while his page is open: he reads why at once and nothing more, until he is let back in", async ({ startServer, newUser }) => {
  const server = await startServer();
  const { owner, others: [bob, carol], paths: [path] } = await ownedRoom(server, newUser, "Bob", "Carol");
  bob!.allowConsoleError(/403/);
  await owner.page.goto(path!);
  await owner.page.getByRole("button", { name: "Remove", exact: true }).click();
  await expect(bob!.page.getByRole("alert")).toHaveText("A moderator has removed you from this room.");
  await isAccessible(bob!);
  await carol!.send("He is gone.");
  await carol!.seesMessage("He is gone.");
  await bob!.page.goto("/r/night-shift");
  await expect(bob!.page.getByRole("alert")).toHaveText("A moderator has removed you from this room.");
  expect(await bob!.page.content()).not.toContain("He is gone.");
  await bob!.page.getByRole("link", { name: "Go to the lobby" }).click();
  await bob!.waitUntilLive();
  await owner.page.getByRole("button", { name: "Let back in" }).click();
  await expect(owner.page.getByRole("button", { name: "Remove", exact: true })).toBeVisible();
  await bob!.joinRoom("night-shift");
  await bob!.seesMessage("He is gone.");
});

test("Bob is banned from the server while his page is open, and comes back", async ({ startServer, newUser }) => {
  const server = await startServer();
  const { owner, others: [bob], paths: [path] } = await ownedRoom(server, newUser, "Bob");
  bob!.allowConsoleError(/403|WebSocket/);
  await becomeAdmin(owner, server);
  await bob!.page.goto("/");
  await bob!.waitUntilLive();
  const onServer = path!.replace("/r/night-shift", "/admin");
  await owner.page.goto(onServer);
  await owner.page.getByLabel("Reason").last().fill("Advertising");
  await owner.page.getByRole("button", { name: "Remove", exact: true }).click();
  await expect(bob!.page.getByRole("alert")).toHaveText("A moderator has ended your access to this server.");
  await isAccessible(bob!);
  await owner.page.getByRole("button", { name: "Let back in" }).click();
  await expect(owner.page.getByRole("button", { name: "Remove", exact: true })).toBeVisible();
  await bob!.page.goto("/");
  await bob!.waitUntilLive();
});

test("Bob is muted while his page is open: he reads so at once, still reads others, and writes again later", async ({ startServer, newUser }) => {
  const server = await startServer();
  const { owner, others: [bob, carol], paths: [path] } = await ownedRoom(server, newUser, "Bob", "Carol");
  const notice = bob!.page.locator(".posting-notice");
  await expect(notice).toHaveCount(0);
  await owner.page.goto(path!);
  await owner.page.getByRole("button", { name: "Mute", exact: true }).click();
  await expect(notice).toHaveText("A moderator has muted you: you can read, but not write.");
  await isAccessible(bob!);
  await carol!.send("Can you read this?");
  await bob!.seesMessage("Can you read this?");
  await bob!.page.reload();
  await bob!.waitUntilLive();
  await expect(notice).toHaveText("A moderator has muted you: you can read, but not write.");
  await bob!.send("I cannot say this");
  await expect(bob!.line("I cannot say this")).toHaveAttribute("data-standing", "failed");
  await owner.page.getByRole("button", { name: "End the mute" }).click();
  await expect(notice).toHaveCount(0);
  await bob!.line("I cannot say this").getByRole("button", { name: "Try again" }).click();
  await carol!.seesMessage("I cannot say this");
});

test("a mute that ends by itself is over on the page too", async ({ startServer, newUser }) => {
  const server = await startServer();
  const { owner, others: [bob], paths: [path] } = await ownedRoom(server, newUser, "Bob");
  const notice = bob!.page.locator(".posting-notice");
  await bob!.page.clock.install();
  await bob!.page.reload();
  await bob!.waitUntilLive();
  await owner.page.goto(path!);
  await owner.page.getByLabel("For how long").first().selectOption("one hour");
  await owner.page.getByRole("button", { name: "Mute", exact: true }).click();
  await expect(notice).toHaveText("A moderator has muted you: you can read, but not write.");
  await bob!.page.clock.fastForward("59:00");
  await expect(notice).toHaveCount(1);
  await bob!.page.clock.fastForward("02:00");
  await expect(notice).toHaveCount(0);
});

test("a room in slow mode and one for announcements say so above the composer", async ({ startServer, newUser }) => {
  const server = await startServer();
  const { owner, others: [bob] } = await ownedRoom(server, newUser, "Bob");
  const notice = bob!.page.locator(".posting-notice");
  await owner.page.goto("/r/night-shift/manage");
  await owner.page.getByLabel("Slow mode: one message per person in").selectOption("a minute");
  await owner.page.getByRole("button", { name: "Apply" }).click();
  await expect(notice).toHaveText("Slow mode: one message per person in a minute.");
  await owner.page.getByLabel("Who posts").selectOption("Announcements: moderators post, everyone reacts");
  await owner.page.getByRole("button", { name: "Apply" }).click();
  await expect(notice).toHaveText("Only the owner and the moderators of this room can post here.");
  await isAccessible(bob!);
  await owner.joinRoom("night-shift");
  await expect(owner.page.locator(".posting-notice")).toHaveCount(0);
  await owner.send("An announcement");
  await bob!.seesMessage("An announcement");
  const mute = await newUser({ javaScriptEnabled: false, baseURL: server.url });
  await mute.page.goto("/r/night-shift");
  await expect(mute.page.locator(".posting-notice")).toHaveText("Only the owner and the moderators of this room can post here.");
  await owner.page.goto("/r/night-shift/manage");
  await owner.page.getByLabel("Who posts").selectOption("Read-only: no one posts");
  await owner.page.getByRole("button", { name: "Apply" }).click();
  await expect(notice).toHaveText("Posting is disabled at the moment.");
  await owner.page.getByLabel("Who posts").selectOption("Everyone posts");
  await owner.page.getByLabel("Slow mode: one message per person in").selectOption("off");
  await owner.page.getByRole("button", { name: "Apply" }).click();
  await expect(notice).toHaveCount(0);
});

test("Carol reports a message of Bob; the moderator reads it, deletes what he wrote and closes the report", async ({ startServer, newUser }) => {
  const server = await startServer();
  const { owner, others: [bob, carol], paths: [path] } = await ownedRoom(server, newUser, "Bob", "Carol");
  await bob!.send("Buy cheap watches");
  await carol!.seesMessage("Buy cheap watches");
  const seq = (await carol!.line("Buy cheap watches").getAttribute("id"))!.slice(1);
  await carol!.act("Buy cheap watches", "More");
  await carol!.actions.getByRole("menuitem", { name: "Report or block…" }).click();
  await expect(carol!.page).toHaveURL(`${path}?seq=${seq}`);
  await expect(carol!.page.locator("blockquote")).toHaveText("Buy cheap watches");
  await carol!.page.getByLabel("Reason").fill("Advertising");
  await carol!.page.getByRole("button", { name: "Send the report" }).click();
  await expect(carol!.page.getByRole("status")).toHaveText("Thank you. The moderators will look at it.");
  await isAccessible(carol!);

  await owner.page.goto("/r/night-shift/manage");
  const report = owner.page.locator("li", { hasText: "Reported by Carol" });
  await expect(report).toContainText("Buy cheap watches");
  await expect(report).toContainText("Advertising");
  await isAccessible(owner);
  await owner.page.goto(path!);
  await owner.page.getByRole("button", { name: "Delete their messages of the last hour" }).click();
  await expect(owner.page.getByRole("status")).toHaveText("2 messages were deleted.");
  await expect(bob!.page.getByText("Buy cheap watches")).toHaveCount(0);
  await owner.page.goto("/r/night-shift/manage");
  await report.getByRole("button", { name: "Close the report" }).click();
  await expect(owner.page.getByText("There are no open reports.")).toBeVisible();
});

test("Carol blocks Bob: his messages vanish for her alone, and come back", async ({ startServer, newUser }) => {
  const server = await startServer();
  const { owner, others: [bob, carol], paths: [path] } = await ownedRoom(server, newUser, "Bob", "Carol");
  await carol!.page.goto(path!);
  await carol!.page.getByRole("button", { name: "Block" }).click();
  await expect(carol!.page.getByText("You have blocked this person.")).toBeVisible();
  await isAccessible(carol!);
  await carol!.joinRoom("night-shift");
  await bob!.send("Hello, Carol!");
  await owner.joinRoom("night-shift");
  await owner.seesMessage("Hello, Carol!");
  await owner.send("He greets you.");
  await carol!.seesMessage("He greets you.");
  await expect(carol!.page.getByText("Hello, Carol!")).toBeHidden();
  await expect(carol!.page.getByText("I am Bob.")).toBeHidden();
  await carol!.page.goto(path!);
  await carol!.page.getByRole("button", { name: "Unblock" }).click();
  await carol!.joinRoom("night-shift");
  await expect(carol!.page.getByText("Hello, Carol!")).toBeVisible();
});

test("the owner appoints a moderator and hands the room over, and the log shows it all", async ({ startServer, newUser }) => {
  const server = await startServer();
  const { owner, others: [bob, carol], paths: [bobs, carols] } = await ownedRoom(server, newUser, "Bob", "Carol");
  await owner.page.goto(bobs!);
  await owner.page.getByRole("button", { name: "Make moderator" }).click();
  await expect(owner.page.getByRole("button", { name: "Dismiss" })).toBeVisible();
  await bob!.page.goto(carols!);
  await bob!.page.getByLabel("Reason").first().fill("Too loud");
  await bob!.page.getByRole("button", { name: "Mute", exact: true }).click();
  await expect(bob!.page.getByText("Muted until")).toBeVisible();
  await bob!.page.getByRole("button", { name: "End the mute" }).click();
  await expect(bob!.page.getByText("Muted until")).toHaveCount(0);
  await owner.page.getByRole("button", { name: "Hand the room over" }).click();
  await owner.page.goto("/r/night-shift/manage");
  await isAccessible(owner);
  await expect(owner.page.locator("#log li > p:first-child")).toHaveText([
    "Olga handed the room over to Bob",
    "Bob ended the mute of Carol",
    "Bob muted Carol",
    "Olga made Bob a moderator",
  ]);
  await expect(owner.page.locator("#log")).toContainText("Too loud");
  await bob!.page.goto("/r/night-shift");
  await bob!.openDialog("about");
  await expect(bob!.page.locator("#about").getByLabel("Room name")).toBeVisible();
  await carol!.page.goto("/r/night-shift/manage");
  await expect(carol!.page.locator("#log")).toHaveCount(0);
  await isAccessible(carol!);
});

for (const locale of ["en-GB", "zh-CN"]) {
  test(`every page of access and moderation is accessible and fits a small phone: ${locale}`, { tag: "@long" }, async ({ startServer, newUser }) => {
    test.slow();
    const viewport = { width: 320, height: 640 };
    const wide: string[] = [];
    await tour(await startServer(), newUser, { locale, viewport }, async (user, page) => {
      await isAccessibleInLightAndDark(user);
      if ((await user.page.evaluate(() => document.documentElement.scrollWidth)) > viewport.width) wide.push(page);
    });
    expect(wide).toEqual([]);
  });
}

for (const hue of [0, 60, 120, 200, 300]) {
  test(`the name and the color ${hue} of the server are on its pages, which stay accessible`, { tag: hue === 60 ? [] : "@long" }, async ({ startServer, newUser }) => {
    test.slow();
    const server = await startServer();
    const ann = await newUser({ baseURL: server.url });
    await becomeAdmin(ann, server);
    const accent = () => ann.page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue("--accent"));
    const usual = { light: "", dark: "" };
    for (const colorScheme of ["light", "dark"] as const) {
      await ann.page.emulateMedia({ colorScheme });
      usual[colorScheme] = await accent();
    }
    await submit(ann, "/admin", { action: "set-name", name: "The <b>Kettle</b> & Co", hue: `${hue}` });
    for (const path of ["/admin", "/rooms", "/"]) {
      await ann.page.goto(path);
      await expect(ann.page).toHaveTitle(/ · The <b>Kettle<\/b> & Co$/);
      for (const colorScheme of ["light", "dark"] as const) {
        await ann.page.emulateMedia({ colorScheme });
        expect(await accent(), colorScheme).not.toBe(usual[colorScheme]);
      }
      await isAccessibleInLightAndDark(ann);
    }
    await ann.waitUntilLive();
    await expect(ann.page.locator(".home")).toHaveText("The <b>Kettle</b> & Co");
    await ann.send("hello");
    await ann.seesMessage("hello");
    await expect(ann.page, "the script keeps the name").toHaveTitle(/ · The <b>Kettle<\/b> & Co$/);
    await isAccessible(ann);
  });
}
