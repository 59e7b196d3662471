import { expect, isAccessible, test, uniqueName } from "../people";

test("the owner chooses how long messages are kept, and everyone reads it", async ({ ann, bob, room }) => {
  await ann.page.goto("/rooms");
  await ann.page.getByLabel("Room name").fill(`Kept ${room}`);
  await ann.page.getByRole("button", { name: "Create room" }).click();
  await expect(ann.page.getByRole("heading", { level: 1 })).toHaveText(`Kept ${room}`);
  const path = new URL(ann.page.url()).pathname;
  await bob.page.goto(path);
  await expect(bob.page.locator(".kept")).toHaveCount(0);
  await ann.page.getByRole("button", { name: "Room details" }).click();
  await expect(ann.page.getByText("Messages are kept without limit.")).toBeVisible();
  await ann.page.getByLabel("Keep messages for").selectOption({ label: "a week" });
  await isAccessible(ann);
  await ann.page.locator("#about").getByRole("button", { name: "Save" }).click();
  await expect(ann.page.locator(".kept")).toHaveText("Messages are kept for a week.");
  await expect(bob.page.locator(".kept")).toHaveText("Messages are kept for a week.");
});

for (const javaScriptEnabled of [true, false])
  test(`Ann downloads and erases everything: script ${javaScriptEnabled ? "on" : "off"}`, async ({ newUser, bob, room }) => {
    const ann = await newUser({ javaScriptEnabled });
    const name = uniqueName("Ann", room);
    await ann.page.goto(`/r/${room}`);
    await ann.rename(name);
    await ann.page.goto(`/r/${room}`);
    await ann.composer.fill("my secret");
    await ann.page.getByRole("button", { name: "Send" }).click();
    await expect(ann.messages).toHaveText(["my secret"]);
    await bob.joinRoom(room);
    await bob.seesMessage("my secret");

    await ann.page.goto("/you/data");
    if (javaScriptEnabled) await isAccessible(ann);
    const [download] = await Promise.all([
      ann.page.waitForEvent("download"),
      ann.page.getByRole("link", { name: "Download" }).click(),
    ]);
    const stream = await download.createReadStream();
    let text = "";
    for await (const piece of stream) text += String(piece);
    const lines = text.trim().split("\n").map((line) => JSON.parse(line) as { type: string; text?: string; name?: string });
    expect(lines.find((line) => line.type === "profile")?.name).toBe(name);
    expect(lines.find((line) => line.type === "message")?.text).toBe("my secret");
    expect(lines.at(-1)?.type).toBe("end");

    await ann.page.getByLabel("I want to erase everything of mine for good.").check();
    await ann.page.getByRole("button", { name: "Erase everything" }).click();
    await expect(ann.page.getByText("Everything is erased: 1 message or reaction.")).toBeVisible();
    await expect(bob.page.getByText("my secret")).toHaveCount(0);
    await expect(bob.page.getByText(name)).toHaveCount(0);
    await ann.page.goto(`/r/${room}`);
    await expect(ann.name).not.toHaveText(name);
    await expect(ann.page.getByText("my secret")).toHaveCount(0);
  });

test("erasing removes the drafts of this browser, and the files that were not sent", async ({ ann, room }) => {
  await ann.joinRoom(room);
  await ann.page.locator("#composer input[type=file]").setInputFiles({ name: "secret.txt", mimeType: "text/plain", buffer: Buffer.from("secret") });
  await expect(ann.page.locator("#file-tray li")).toHaveText(/Uploaded/);
  await ann.composer.fill("an unsent thought");
  const drafts = () => ann.page.evaluate(() => Object.values({ ...localStorage, ...sessionStorage }).join());
  await expect.poll(drafts).toContain("an unsent thought");
  await ann.page.goto("/you/data");
  await ann.page.getByLabel("I want to erase everything of mine for good.").check();
  await ann.page.getByRole("button", { name: "Erase everything" }).click();
  await expect(ann.page.getByText("Everything is erased")).toBeVisible();
  expect(await drafts()).not.toContain("an unsent thought");
  await expect.poll(() => ann.page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name))).toEqual([]);
});
