import { readFileSync } from "node:fs";
import { deflateSync } from "node:zlib";
import type { Locator, Page } from "@playwright/test";
import { expect, isAccessible, test, type User } from "../people";

/** Returns a PNG whose pixels differ, so that it has some size. */
function png(width: number, height: number): Buffer {
  const crcs = Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    return crc;
  });
  const chunk = (name: string, content: Buffer) => {
    const body = Buffer.concat([Buffer.from(name), content]);
    const crc = ~body.reduce((sum, byte) => (crcs[(sum ^ byte) & 255] as number) ^ (sum >>> 8), -1);
    const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(content.length);
    check.writeInt32BE(crc);
    return Buffer.concat([length, body, check]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const rows = Buffer.alloc(height * (1 + 3 * width));
  rows.forEach((_, at) => (rows[at] = at % (1 + 3 * width) ? (at * 2654435761) >>> 24 : 0));
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), chunk("IHDR", header), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))]);
}

const picture = { name: "tea cup.png", mimeType: "image/png", buffer: png(640, 480) };
const notes = { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("milk, sugar") };

const tray = (page: Page): Locator => page.locator("#file-tray li");

/** Chooses files with the `+` of the message box. */
async function attach({ page }: User, ...files: (typeof picture)[]): Promise<void> {
  const chosen = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Add files" }).click();
  await (await chosen).setFiles(files);
}

test.beforeEach(async ({ ann, bob, room }) => {
  await ann.joinRoom(room);
  await bob.joinRoom(room);
});

test("files are uploaded before the message is sent, and others see them", async ({ ann, bob }) => {
  await attach(ann, picture, notes);
  await expect(tray(ann.page)).toHaveCount(2);
  await expect(tray(ann.page).getByText("Uploaded")).toHaveCount(2);
  await tray(ann.page).first().getByRole("textbox").fill("A cup of tea");
  await ann.composer.fill("look");
  await ann.composer.press("Enter");
  await expect(ann.page.locator("#file-tray")).toBeHidden();
  const line = bob.line("look");
  const image = line.getByRole("img", { name: "A cup of tea" });
  await expect(image).toHaveJSProperty("complete", true);
  expect([await image.getAttribute("width"), await image.getAttribute("height")]).toEqual(["320", "240"]);
  const download = bob.page.waitForEvent("download");
  await line.getByRole("link", { name: "notes.txt" }).click();
  expect(readFileSync(await (await download).path(), "utf8")).toBe("milk, sugar");
  await bob.page.reload();
  await expect(line.getByRole("img", { name: "A cup of tea" })).toBeVisible();
});

test("a message that is sent too early waits for its files", async ({ ann, bob }) => {
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await ann.page.route(/\/api\/files\/[^/?]+$/, async (route) => {
    if (route.request().method() === "PATCH") await held;
    await route.continue();
  });
  await attach(ann, picture);
  await ann.composer.fill("soon");
  await ann.composer.press("Enter");
  await expect(ann.page.locator("#file-tray [role=status]")).toHaveText("The message is sent when its files are uploaded.");
  await expect(ann.line("soon")).toHaveCount(0);
  release();
  await expect(bob.line("soon").getByRole("img")).toBeVisible();
});

test("a cut connection is survived, a removed file is not sent, and a picture alone is a message", async ({ ann, bob }) => {
  ann.allowConsoleError(/ERR_FAILED|ERR_CONNECTION/);
  let cuts = 0;
  await ann.page.route(/\/api\/files\/[^/?]+$/, async (route) => {
    if (route.request().method() === "PATCH" && cuts++ < 2) await route.abort();
    else await route.continue();
  });
  await attach(ann, { ...picture, buffer: png(800, 700) }, notes);
  await tray(ann.page).filter({ hasText: "notes.txt" }).getByRole("button", { name: "Remove" }).click();
  await expect(tray(ann.page)).toHaveText(/Uploaded/);
  await ann.page.getByRole("button", { name: "Send" }).click();
  const line = bob.page.locator(".line").last();
  await expect(line.getByRole("img", { name: "tea cup.png" })).toBeVisible();
  await expect(line.locator(".text")).toHaveCount(0);
  expect(cuts).toBeGreaterThan(2);
});

test("Ann copies messages of files as Markdown", async ({ newUser, room, bob }) => {
  const ann = await newUser({ permissions: ["clipboard-read", "clipboard-write"] });
  const clipboard = () => ann.page.evaluate(() => navigator.clipboard.readText());
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await attach(bob, picture, notes);
  await expect(tray(bob.page).filter({ hasText: "Uploaded" })).toHaveCount(2);
  await bob.page.getByRole("button", { name: "Send" }).click();
  await bob.send("with *milk*");
  await ann.seesMessage("with milk");
  const files = "- !\\[tea cup\\.png\\]\\(<http[^>]*/f/[^>]+>\\)\n- \\[notes\\.txt\\]\\(<http[^>]*/f/[^>]+/notes\\.txt>\\)\n";
  const head = "\\*\\*.+\\*\\* \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d\n\n";
  await ann.page.locator("#m1").focus();
  await ann.page.keyboard.press("Shift+Y");
  await expect.poll(clipboard).toMatch(new RegExp(`^${head}${files}$`));
  await ann.page.evaluate(() => {
    const [row, text] = [document.querySelector("#m1"), document.querySelector("#m2 .text")] as [Element, Element];
    getSelection()?.setBaseAndExtent(row, 0, text, 1);
  });
  await ann.page.locator("#m2").hover();
  await ann.page.locator("#message-bar [data-action=more]").click();
  await ann.actions.getByRole("menuitem", { name: "Copy as Markdown" }).click();
  await expect.poll(clipboard).toMatch(new RegExp(`^${head}${files}\n${head}> with \\*milk\\*\n$`));
});

test("without script a form sends a text with files", async ({ newUser, bob, room }) => {
  const ann = await newUser({ javaScriptEnabled: false });
  await ann.page.goto(`/r/${room}`);
  await ann.page.locator("input[type=file]").setInputFiles([picture, notes]);
  await ann.page.getByRole("button", { name: "Post with files" }).click();
  await expect(ann.page).toHaveURL(`/r/${room}`);
  await expect(ann.page.locator(".files").getByRole("link", { name: "notes.txt" })).toBeVisible();
  await expect(bob.page.locator(".files").getByRole("img", { name: "tea cup.png" })).toBeVisible();
});

test("a damaged picture and a large file are refused with a reason", async ({ ann }) => {
  ann.allowConsoleError(/422/);
  await attach(ann, { ...picture, buffer: picture.buffer.subarray(0, 900) });
  await expect(tray(ann.page)).toContainText("This picture is damaged");
  await expect(tray(ann.page).getByRole("button", { name: "Try again" })).toBeVisible();
  await tray(ann.page).getByRole("button", { name: "Remove" }).click();
  await expect(ann.page.locator("#file-tray")).toBeHidden();
  await ann.page.evaluate(() => {
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array(26 * 1024 * 1024)], "film.mp4"));
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
  });
  await expect(tray(ann.page)).toContainText("Too large. A file may have at most 25 MB.");
});

test("dropped and pasted pictures are added, and a dropped file never replaces the page", async ({ ann, bob }) => {
  const put = (kind: "drop" | "paste") =>
    ann.page.evaluate(
      ([bytes, kind]) => {
        const data = new DataTransfer();
        data.items.add(new File([Uint8Array.from(atob(bytes as string), (c) => c.charCodeAt(0))], `${kind}.png`, { type: "image/png" }));
        const options = { bubbles: true, cancelable: true };
        const event = kind === "drop" ? new DragEvent("drop", { dataTransfer: data, ...options }) : new ClipboardEvent("paste", { clipboardData: data, ...options });
        document.body.dispatchEvent(event);
        return event.defaultPrevented;
      },
      [picture.buffer.toString("base64"), kind] as const,
    );
  expect(await put("drop")).toBe(true);
  expect(await put("paste")).toBe(true);
  await expect(tray(ann.page).getByText("Uploaded")).toHaveCount(2);
  await ann.composer.press("Enter");
  await expect(bob.page.locator(".files img")).toHaveCount(2);
});

test("a picture opens in a light box, which the keyboard steers", async ({ ann }) => {
  await attach(ann, picture, { ...picture, name: "pot.png" });
  await ann.composer.press("Enter");
  const pictures = ann.page.locator(".line[data-standing=confirmed] .files a");
  await expect(pictures).toHaveCount(2);
  await pictures.first().click();
  const box = ann.page.locator("#light-box");
  await expect(box.getByRole("img", { name: "tea cup.png" })).toBeVisible();
  await isAccessible(ann);
  await ann.page.keyboard.press("ArrowRight");
  await expect(box.getByRole("img", { name: "pot.png" })).toBeVisible();
  await expect(box.locator("[data-step='1']")).toBeHidden();
  await ann.page.keyboard.press("Escape");
  await expect(box).toBeHidden();
  await expect(pictures.nth(1)).toBeFocused();
});

test("on a small phone a file with a long name is not cut off", async ({ ann, newUser, room }) => {
  await attach(ann, { ...notes, name: `${"a long name ".repeat(6)}.txt` });
  await expect(tray(ann.page).getByText("Uploaded")).toHaveCount(1);
  await ann.send("notes");
  const cy = await newUser({ viewport: { width: 320, height: 600 } });
  await cy.joinRoom(room);
  const download = cy.line("notes").getByRole("link", { name: "a long name" });
  const [link, size, line] = await Promise.all([download, download.locator("small"), cy.line("notes")].map((part) => part.boundingBox()));
  expect(link!.x + link!.width).toBeLessThanOrEqual(line!.x + line!.width);
  expect(size!.x + size!.width).toBeLessThan(link!.x + link!.width);
});

for (const viewport of [{ width: 1280, height: 800 }, { width: 390, height: 844 }]) {
  test(`without script the form for files covers nothing at ${viewport.width} px`, async ({ newUser, room }) => {
    const cy = await newUser({ javaScriptEnabled: false, viewport });
    await cy.page.goto(`/r/${room}`);
    await expect(cy.page.getByRole("button", { name: "Post with files" })).toBeInViewport({ ratio: 1 });
    const form = (await cy.page.locator(".file-form").boundingBox())!;
    for (const part of ["#rooms", ".composer"]) {
      const box = await cy.page.locator(part).boundingBox();
      if (box) expect(box.y + box.height, part).toBeLessThanOrEqual(form.y + 0.5);
    }
  });
}
