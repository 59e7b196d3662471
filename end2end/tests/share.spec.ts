import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { OwnServer } from "../hubbub";
import { expect, hasWorker, isAccessible, phone, test, type User } from "../people";

const installed = { serviceWorkers: "allow" } as const;

type SharedFile = { name: string; type: string; text: string };
type Share = { title?: string; text?: string; url?: string; files?: SharedFile[] };

const notes = { name: "notes.txt", type: "text/plain", text: "milk, sugar" };
const dot = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";

/** Shares as the system does: by the form of the manifest, which the service worker takes. */
async function share({ page }: User, { files = [], ...texts }: Share): Promise<void> {
  await page.evaluate(
    ([texts, files, dot]) => {
      const form = Object.assign(document.createElement("form"), { method: "post", enctype: "multipart/form-data", action: "/share" });
      for (const [name, value] of Object.entries(texts)) form.append(Object.assign(document.createElement("textarea"), { name, value }));
      const data = new DataTransfer();
      const picture = Uint8Array.from(atob(dot), (char) => char.charCodeAt(0));
      for (const { name, type, text } of files) data.items.add(new File([type === "image/gif" ? picture : text], name, { type }));
      form.append(Object.assign(document.createElement("input"), { type: "file", name: "files", multiple: true, files: data.files }));
      document.body.append(form);
      form.submit();
    },
    [texts, files, dot] as const,
  );
  await page.waitForURL(/\/share(#failed)?$/);
}

const choices = (user: User) => user.page.locator("#shared");
const choose = (user: User, room: string) => user.page.locator(`.directory a[href^="/r/${room}"]`).click();
const isKept = (user: User) => user.page.evaluate(() => caches.has("hubbub-share"));
const tray = (user: User) => user.page.locator("#file-tray li");

async function join(user: User, room: string): Promise<User> {
  await user.joinRoom(room);
  await user.send(`hello from ${room}`);
  await user.seesMessage(`hello from ${room}`);
  await hasWorker(user);
  return user;
}

for (const device of ["desktop", "phone"]) {
  test(`a text, a link, a picture and a file are shared to a room, on a ${device}`, { tag: device === "phone" ? [] : "@long" }, async ({ newUser, bob, room }) => {
    const ann = await join(await newUser(device === "phone" ? { ...installed, ...phone, colorScheme: "dark" } : installed), room);
    await bob.joinRoom(room);
    await ann.composer.fill("a draft");
    await share(ann, { title: "Tea", text: "About <b>tea</b>", url: "https://tea.example/", files: [{ ...notes, name: "dot.gif", type: "image/gif" }, notes] });
    await expect(choices(ann).locator("blockquote")).toHaveText("Tea\nAbout <b>tea</b>\nhttps://tea.example/");
    await expect(choices(ann).locator("li")).toHaveText([/dot\.gif/, /notes\.txt/]);
    await expect(choices(ann).locator("img")).toHaveCount(1);
    await isAccessible(ann);
    await choose(ann, room);
    await ann.waitUntilLive();
    await expect(ann.composer).toHaveValue("a draft\nTea\nAbout <b>tea</b>\nhttps://tea.example/");
    await expect(tray(ann).getByText("Uploaded")).toHaveCount(2);
    await expect.poll(() => isKept(ann)).toBe(false);
    await expect(bob.messages).toHaveText([`hello from ${room}`]);
    // Nothing is lost from here on either.
    await ann.page.reload();
    await ann.waitUntilLive();
    await expect(tray(ann).getByText("Uploaded")).toHaveCount(2);
    await ann.submit();
    const line = bob.page.locator(".line").last();
    await expect(line.locator(".text")).toContainText("About <b>tea</b>");
    await expect(line.getByRole("img", { name: "dot.gif" })).toBeVisible();
    await expect(line.getByRole("link", { name: "notes.txt" })).toBeVisible();
    await ann.page.goto("/share");
    await expect(ann.page.getByText("Nothing waits to be shared.")).toBeVisible();
    await isAccessible(ann);
    await choose(ann, room);
    await ann.waitUntilLive();
    await expect(ann.composer).toHaveValue("");
    await expect(ann.page.locator("#file-tray")).toBeHidden();
  });
}

test("a hostile title and link are text, and a room opened in another way gets nothing", async ({ newUser, room }) => {
  const ann = await join(await newUser({ ...installed, viewport: { width: 320, height: 640 } }), room);
  const title = '<img src="/x" onerror="document.title=1"></textarea><script>document.title=2</script>';
  await share(ann, { title, url: "javascript:alert(1)", files: [{ ...notes, name: `<b>${"w".repeat(200)}</b>` }] });
  await expect(choices(ann).locator("blockquote")).toHaveText(`${title}\njavascript:alert(1)`);
  await expect(choices(ann).locator("blockquote *")).toHaveCount(0);
  await expect(choices(ann).locator("li .name")).toHaveText(`<b>${"w".repeat(200)}</b>`);
  expect(await ann.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(0);
  await ann.joinRoom(room);
  await expect(ann.page.locator(".attach")).toBeVisible();
  await expect(ann.composer).toHaveValue("");
  await ann.page.goto("/share");
  await choose(ann, room);
  await ann.waitUntilLive();
  await expect(ann.composer).toHaveValue(`${title}\njavascript:alert(1)`);
});

test("a share is bounded, replaced by the next one, and gone when it is cancelled", async ({ newUser, room }) => {
  const ann = await join(await newUser(installed), room);
  const files = Array.from({ length: 12 }, (_, n) => ({ ...notes, name: `${n}.txt` }));
  await share(ann, { text: "first", files });
  await expect(choices(ann).locator("li")).toHaveCount(10);
  await expect(choices(ann).getByRole("status")).toHaveText("Some files are left out: 10 files and 256 MB can be shared at once.");
  await share(ann, { text: "second" });
  await expect(choices(ann).locator("blockquote")).toHaveText("second");
  await expect(choices(ann).locator("li")).toHaveCount(0);
  expect(await ann.page.evaluate(async () => (await (await caches.open("hubbub-share")).keys()).length)).toBe(1);
  await choices(ann).getByRole("button", { name: "Cancel" }).click();
  await ann.page.waitForURL("/");
  expect(await isKept(ann)).toBe(false);
});

test("a browser without space says so, and nothing is kept", async ({ newUser, room }) => {
  const ann = await join(await newUser(installed), room);
  const worker = ann.page.context().serviceWorkers()[0];
  await worker?.evaluate(() => {
    Cache.prototype.put = () => Promise.reject(new DOMException("no", "QuotaExceededError"));
  });
  await share(ann, { text: "too much" });
  await expect(ann.page.getByText("This browser has no space for what you share.")).toBeVisible();
  expect(await isKept(ann)).toBe(false);
});

test("what is shared without a network waits for it", async ({ newUser }) => {
  const server = await OwnServer.start();
  const ann = await newUser({ ...installed, baseURL: server.url });
  ann.allowServerLoss();
  await join(ann, "tea");
  await server.stop();
  await share(ann, { text: "for later", files: [notes] });
  await expect(ann.page.getByRole("heading")).toHaveText("You are offline");
  await server.start();
  await ann.page.reload();
  await expect(choices(ann).locator("blockquote")).toHaveText("for later");
  await choose(ann, "tea");
  await expect(ann.composer).toHaveValue("for later");
  await expect(tray(ann).getByText("Uploaded")).toHaveCount(1);
  await ann.page.close();
  await server.remove();
});

test("without a worker the server explains what to do", async ({ ann, room }) => {
  ann.allowConsoleError(/409/);
  await ann.joinRoom(room);
  await share(ann, { text: "lost", files: [notes] });
  await expect(ann.page.getByRole("heading")).toHaveText("Please share it once more");
});

test("a page of another site does not share, or only as far as the choice", async ({ newUser, room, baseURL }) => {
  const ann = await join(await newUser(installed), room);
  ann.allowConsoleError(/403/);
  const body = (policy: string) =>
    `<meta name="referrer" content="${policy}"><form method="post" enctype="multipart/form-data" action="${baseURL}/share"><input name="text" value="from elsewhere"><button>Go</button></form>`;
  const site = createServer((request, answer) => void answer.setHeader("content-type", "text/html").end(body(request.url?.slice(1) ?? "")));
  await new Promise<void>((listens) => site.listen(0, "127.0.0.1", listens));
  // Another host name is another site.
  const url = `http://localhost:${(site.address() as AddressInfo).port}`;
  await ann.page.goto(`${url}/origin`);
  await ann.page.getByRole("button").click();
  await expect(ann.page.getByText("The form was sent from another site.")).toBeVisible();
  expect(await isKept(ann)).toBe(false);
  await ann.page.goto(`${url}/no-referrer`);
  await ann.page.getByRole("button").click();
  await expect(choices(ann).locator("blockquote")).toHaveText("from elsewhere");
  await ann.joinRoom(room);
  await expect(ann.composer).toHaveValue("");
  await ann.seesMessages([`hello from ${room}`]);
  site.close();
});
