import { randomBytes } from "node:crypto";
import type { Locator, Page } from "@playwright/test";
import { expect, isAccessible, test, User } from "../people";

const dot = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";
// One pixel, black and then white.
const twoFrames = "R0lGODlhAQABAIAAAAAAAP///yH/C05FVFNDQVBFMi4wAwEAAAAh+QQACgAAACwAAAAAAQABAAACAkQBACH5BAAKAAAALAAAAAABAAEAAAICTAEAOw==";
const picture = { name: "tea cup.gif", mimeType: "image/gif", buffer: Buffer.from(dot, "base64") };
const notes = { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("milk, sugar") };

const tray = (page: Page): Locator => page.locator("#file-tray li");

/** Chooses files, as the `+` of the message box does. */
async function attach({ page }: User, ...files: (typeof picture)[]): Promise<void> {
  await page.locator("#composer input[type=file]").setInputFiles(files);
}

test.beforeEach(async ({ ann, bob, room }) => {
  await ann.joinRoom(room);
  await bob.joinRoom(room);
});

/** Opens the room in another tab of the user. */
async function inAnotherTab({ page }: User, room: string): Promise<User> {
  const other = new User(await page.context().newPage());
  await other.joinRoom(room);
  return other;
}

/** Lets the tab write no more heartbeats, as one that sleeps. */
async function fallsAsleep({ page }: User): Promise<void> {
  await page.evaluate(() => {
    const tab = `hubbub/tab/${sessionStorage.getItem("hubbub/tab")}`;
    const { setItem } = Storage.prototype;
    Storage.prototype.setItem = function (key, value) {
      if (key !== tab) setItem.call(this, key, value);
    };
    localStorage.removeItem(tab);
  });
}

test("files and what was written of them survive a reload and a closed tab", async ({ ann, bob, room }) => {
  await attach(ann, picture, notes);
  await ann.composer.fill("look");
  await tray(ann.page).first().getByRole("textbox").fill("A cup of tea");
  await expect(tray(ann.page).getByText("Uploaded")).toHaveCount(2);
  await ann.page.reload();
  await ann.waitUntilLive();
  await expect(tray(ann.page).getByText("Uploaded")).toHaveCount(2);
  await expect(tray(ann.page)).toHaveText([/tea cup\.gif/, /notes\.txt/]);
  await expect(tray(ann.page).first().getByRole("textbox")).toHaveValue("A cup of tea");
  await expect(tray(ann.page).first().locator("img")).toHaveJSProperty("complete", true);
  await isAccessible(ann);
  const again = new User(await ann.page.context().newPage());
  await ann.page.close();
  await again.joinRoom(room);
  await expect(tray(again.page).getByText("Uploaded")).toHaveCount(2);
  await tray(again.page).filter({ hasText: "notes.txt" }).getByRole("button", { name: "Remove" }).click();
  await again.page.reload();
  await again.waitUntilLive();
  await expect(tray(again.page)).toHaveText([/tea cup\.gif/]);
  await expect(tray(again.page).getByText("Uploaded")).toHaveCount(1);
  await again.composer.press("Enter");
  await expect(bob.line("look").getByRole("img", { name: "A cup of tea" })).toBeVisible();
  await again.page.reload();
  await again.waitUntilLive();
  await expect(again.page.locator(".attach")).toBeVisible();
  await expect(again.page.locator("#file-tray")).toBeHidden();
});

test("an upload that a reload cuts continues where it was", async ({ ann, bob }) => {
  const begun: string[] = [];
  ann.page.on("request", (request) => {
    if (request.method() === "POST" && request.url().includes("/api/files")) begun.push(request.url());
  });
  let isHeld = true;
  const offsets: number[] = [];
  await ann.page.route(/\/api\/files\/[^/?]+$/, async (route) => {
    const offset = route.request().headers()["upload-offset"];
    // The second part never arrives.
    if (isHeld && Number(offset) > 0) return;
    if (offset !== undefined && !isHeld) offsets.push(Number(offset));
    await route.continue();
  });
  await attach(ann, { name: "noise.bin", mimeType: "application/octet-stream", buffer: randomBytes(900 * 1024) });
  await expect(tray(ann.page).locator("progress")).not.toHaveJSProperty("value", 0);
  await ann.page.reload();
  isHeld = false;
  await ann.waitUntilLive();
  await expect(tray(ann.page)).toHaveText(/Uploaded/);
  expect(begun).toHaveLength(1);
  expect(offsets[0]).toBeGreaterThan(0);
  await ann.composer.press("Enter");
  await expect(bob.page.locator(".files").getByRole("link", { name: "noise.bin" })).toBeVisible();
});

test("a file that the server has forgotten is uploaded again, and one that nobody has must be chosen again", async ({ ann }) => {
  ann.allowConsoleError(/404/);
  await attach(ann, picture, notes);
  await expect(tray(ann.page).getByText("Uploaded")).toHaveCount(2);
  await ann.page.evaluate(async (uploads) => {
    const opened = indexedDB.open("hubbub-tray");
    await new Promise((done) => (opened.onsuccess = done));
    const transaction = opened.result.transaction(["files", "bytes"], "readwrite");
    const records = transaction.objectStore("files").getAll();
    records.onsuccess = () => {
      for (const { key, name } of records.result) if (name === "notes.txt") transaction.objectStore("bytes").delete(key);
    };
    await new Promise((done) => (transaction.oncomplete = done));
    for (const { id } of records.result) await fetch(`${uploads}/${id}`, { method: "DELETE" });
    opened.result.close();
  }, "/api/files");
  await ann.page.reload();
  await ann.waitUntilLive();
  await expect(tray(ann.page).filter({ hasText: "tea cup.gif" })).toHaveText(/Uploaded/);
  const lost = tray(ann.page).filter({ hasText: "notes.txt" });
  await expect(lost).toHaveText(/The browser has not kept this file\. Remove it and choose it again\./);
  await expect(lost.getByRole("button", { name: "Try again" })).toBeHidden();
  await isAccessible(ann);
  await lost.getByRole("button", { name: "Remove" }).click();
  await ann.composer.press("Enter");
  await expect(ann.page.locator(".line[data-standing=confirmed] .files img")).toHaveCount(1);
});

test("a tab shows its own files, and takes over those of a tab that sleeps, which leaves them alone", async ({ ann, bob, room }) => {
  await attach(ann, notes);
  await expect(tray(ann.page)).toHaveText(/Uploaded/);
  const awake = await inAnotherTab(ann, room);
  await expect(awake.page.locator(".attach")).toBeVisible();
  await expect(awake.page.locator("#file-tray")).toBeHidden();
  await awake.page.close();
  await fallsAsleep(ann);
  const other = await inAnotherTab(ann, room);
  await expect(tray(other.page)).toHaveText(/Uploaded/);
  await expect(tray(ann.page)).toHaveCount(0);
  await expect(ann.page.locator("#file-tray [role=status]")).toHaveText("The files were sent or are shown in another window.");
  await other.composer.press("Enter");
  await expect(bob.page.locator(".files").getByRole("link", { name: "notes.txt" })).toHaveCount(1);
});

test("two tabs that have the same file cannot send it twice", async ({ newUser, bob, room }) => {
  const ann = await newUser();
  await ann.page.addInitScript("delete window.BroadcastChannel");
  await ann.joinRoom(room);
  await attach(ann, notes);
  await expect(tray(ann.page)).toHaveText(/Uploaded/);
  await fallsAsleep(ann);
  const other = await inAnotherTab(ann, room);
  await expect(tray(other.page)).toHaveText(/Uploaded/);
  await other.send("once");
  await expect(bob.line("once").getByRole("link", { name: "notes.txt" })).toBeVisible();
  await expect(tray(ann.page)).toHaveCount(1);
  await ann.send("twice");
  await expect(ann.line("twice")).toContainText("A file of this message is no longer there, or was sent already.");
  await expect(bob.page.locator(".files").getByRole("link", { name: "notes.txt" })).toHaveCount(1);
});

test("a file that a message has already is not in the tray after a reload", async ({ ann, room }) => {
  await attach(ann, notes);
  await expect(tray(ann.page)).toHaveText(/Uploaded/);
  const files = await ann.page.evaluate(() => JSON.parse(document.getElementById("text")?.dataset.files ?? "[]").map(({ id }: { id: string }) => id));
  await ann.page.request.post(`/api/rooms/${room}/messages`, { data: { text: "a list", files } });
  await ann.seesMessage("a list");
  await ann.page.reload();
  await ann.waitUntilLive();
  await expect(ann.page.locator(".attach")).toBeVisible();
  await expect(ann.page.locator("#file-tray")).toBeHidden();
});

test("with reduced motion a preview is a picture of the first frame", async ({ newUser, room }) => {
  const ann = await newUser({ reducedMotion: "reduce" });
  await ann.joinRoom(room);
  const types = await ann.page.evaluateHandle(() => {
    const { createObjectURL } = URL;
    const types: string[] = [];
    URL.createObjectURL = (source) => {
      types.push((source as Blob).type);
      return createObjectURL(source);
    };
    return types;
  });
  await attach(ann, { ...picture, buffer: Buffer.from(twoFrames, "base64") });
  await expect(tray(ann.page).locator(".preview img")).toHaveJSProperty("naturalWidth", 1);
  await expect.poll(() => types.jsonValue()).toEqual(["image/png"]);
});
