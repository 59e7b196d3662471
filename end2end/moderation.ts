import type { BrowserContextOptions } from "@playwright/test";
import { OwnServer } from "./hubbub";
import { expect, isLive, test as base, type NewUser, type User } from "./people";

/** Starts a server, which ends after the pages of all users. */
type StartServer = (...flags: string[]) => Promise<OwnServer>;

/** Scenes name `startServer` before the users, so that it ends after them. */
export const test = base.extend<{ startServer: StartServer }>({
  startServer: async ({}, use) => {
    const servers: OwnServer[] = [];
    await use(async (...flags) => {
      const server = await OwnServer.start(...flags);
      servers.push(server);
      return server;
    });
    for (const server of servers) await server.remove();
  },
});

/** Submits a form of a page without opening it. */
export async function submit(user: User, path: string, fields: Record<string, string>): Promise<void> {
  const { origin } = new URL(user.page.url());
  const answer = await user.page.request.post(`${origin}${path}`, { form: fields, headers: { origin }, maxRedirects: 0 });
  expect(answer.status(), `${path} ${JSON.stringify(fields)}`).toBeLessThan(400);
}

/** Makes a user the administrator of a server. */
export async function becomeAdmin(user: User, server: OwnServer): Promise<void> {
  await user.page.goto(server.adminLink());
  await user.page.locator("main form button").click();
  await expect(user.page).toHaveURL(`${server.url}/admin`);
}

/** Gives a user a name, posts a text as them, and returns the path of their page in the room. */
export async function introduce(user: User, room: string, name: string, text: string): Promise<string> {
  await user.page.goto(`/r/${room}`);
  await isLive(user.page);
  await submit(user, "/name", { name, back: `/r/${room}` });
  await user.page.reload();
  await isLive(user.page);
  await user.page.locator("#text").fill(text);
  await user.page.locator(".composer button").click();
  await user.seesMessage(text);
  const seq = await user.line(text).getAttribute("id");
  const opened = await user.page.request.get(`/r/${room}/${seq?.slice(1)}/author`);
  return new URL(opened.url()).pathname;
}

/** Opens a page and lets a scene look at it. */
type Visit = (user: User, page: string) => Promise<void>;

/**
 * Opens every page of access, moderation, devices and the user's data in the language and with the browser of `options`. Each of
 * them has something to show.
 */
export async function tour(server: OwnServer, newUser: NewUser, options: BrowserContextOptions, visit: Visit): Promise<void> {
  const open = async (user: User, path: string, page: string, status = 200) => {
    const answer = await user.page.goto(path);
    expect(answer?.status(), path).toBe(status);
    await visit(user, page);
  };
  const of = { ...options, baseURL: server.url };
  // Some pages have the status of an error.
  const [ann, bob, carol] = [await newUser(of), await newUser({ baseURL: server.url }), await newUser(of)];
  ann.allowConsoleError(/410/);
  bob.allowConsoleError(/403/);

  const link = server.adminLink();
  await open(ann, link, "admin-link");
  await ann.page.locator("main form button").click();
  await expect(ann.page).toHaveURL(`${server.url}/admin`);
  await visit(ann, "admin-empty");
  await open(ann, link, "link-invalid", 410);

  await submit(ann, "/name", { name: "Ann", back: "/" });
  await ann.page.goto("/rooms");
  await ann.page.locator("#title").fill("Night shift");
  await ann.page.locator("#new-room button[type=submit]").click();
  await ann.page.waitForURL("**/r/night-shift");
  await open(ann, "/r/night-shift/manage", "manage-empty");
  const bobs = await introduce(bob, "night-shift", "Bob the night watchman", "Buy cheap watches at my shop, only today, all of you!");
  const carols = await introduce(carol, "night-shift", "Carol", "Please stop that, Bob.");
  await submit(carol, bobs, { action: "report", seq: "1", reason: "Advertising, for the third time today" });
  await submit(ann, carols, { action: "appoint" });
  await submit(ann, bobs, { action: "mute", hours: "24", reason: "Advertising" });
  await submit(ann, "/r/night-shift/manage", { action: "set-mode", mode: "0", slow: "60" });
  await submit(ann, "/r/night-shift/manage", { action: "invite", hours: "24", uses: "10" });
  await open(ann, "/r/night-shift/manage", "manage");
  await open(ann, `${bobs}?seq=1`, "person-reported");
  await open(ann, carols, "person-moderator");
  await open(carol, "/r/night-shift/manage", "manage-as-moderator");
  await open(ann, bobs.replace("/r/night-shift", "/admin"), "person-on-server");
  await submit(ann, bobs.replace("/r/night-shift", "/admin"), { action: "remove", hours: "24", reason: "Advertising" });
  await submit(ann, "/admin", { action: "invite", hours: "168", uses: "0" });
  await submit(ann, carols.replace("/r/night-shift", "/admin"), { action: "appoint" });
  await open(ann, "/admin", "admin");
  await ann.page.locator("form:has([name=action][value=invite]) button").click();
  await expect(ann.page.locator("#share")).toBeVisible();
  await visit(ann, "invitation-created");
  const invitation = await ann.page.locator("#share").inputValue();

  const stranger = await newUser(of);
  stranger.allowConsoleError(/400|403/);
  await open(stranger, invitation, "invitation");
  await submit(ann, "/admin", { action: "set-access", access: "invite" });
  await open(stranger, "/", "closed", 403);
  await submit(ann, "/admin", { action: "set-access", access: "password", password: "open sesame" });
  await open(stranger, "/", "password", 403);
  await stranger.page.locator("#password").fill("open says me");
  await stranger.page.locator("main button").click();
  await expect(stranger.page.getByRole("alert")).not.toBeEmpty();
  await visit(stranger, "password-wrong");
  await submit(ann, "/admin", { action: "set-access", access: "open" });

  await open(stranger, "/devices", "devices-guest");
  await open(stranger, "/recover", "recover");
  await stranger.page.locator("#code").fill("not a code");
  await stranger.page.locator("main form button").click();
  await expect(stranger.page.getByRole("alert")).not.toBeEmpty();
  await visit(stranger, "recover-wrong");
  await open(ann, "/devices", "devices");
  await ann.page.locator("form[action='/device'] button").click();
  await expect(ann.page.locator("#share")).toBeVisible();
  await visit(ann, "device-link");
  const device = await ann.page.locator("#share").inputValue();
  await open(stranger, device, "device-link-opened");
  await stranger.page.locator("main form button").click();
  await stranger.page.waitForURL(`${server.url}/`);
  await open(ann, "/devices", "devices-two");
  await ann.page.locator("button[value=create]").click();
  await expect(ann.page.locator("#code")).toBeVisible();
  await visit(ann, "recovery-code");
  await open(ann, "/devices", "devices-with-code");
  await open(ann, "/you/data", "data");
}
