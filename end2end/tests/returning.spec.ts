import { expect, phone, postMessages, test } from "../people";
import { firstVisible, scrollBackTo } from "../scrolling";

for (const [name, options] of [["a desktop", {}], ["a phone", phone]] as const) {
  test(`on ${name} Back and Forward return to the message that Ann was reading`, { tag: "@long" }, async ({ newUser, room, request }) => {
    test.slow();
    await postMessages(request, room, 330);
    const ann = await newUser(options);
    await ann.joinRoom(room);
    await scrollBackTo(ann, "message 90");
    await ann.page.goto("/");
    await ann.waitUntilLive();
    await ann.page.goBack();
    await ann.waitUntilLive();
    await expect.poll(async () => (await firstVisible(ann)).text).toBe("message 90");
    await ann.page.goForward();
    await expect(ann.page.getByRole("heading", { level: 1 })).toHaveText("Lobby");
    await ann.page.goBack();
    await expect.poll(async () => (await firstVisible(ann)).text, "again").toBe("message 90");
    // The page is live and reaches the end.
    await request.post(`/api/rooms/${room}/messages`, { data: { text: "something new" } });
    await ann.page.getByRole("button", { name: "1 new message" }).click();
    await expect(ann.line("something new")).toBeInViewport();
  });
}

test("a reader who was at the end returns to the end", async ({ ann, room, request }) => {
  await postMessages(request, room, 60);
  await ann.joinRoom(room);
  await ann.page.goto("/");
  await postMessages(request, room, 61, 61);
  await ann.page.goBack();
  await ann.waitUntilLive();
  await expect(ann.line("message 61")).toBeInViewport();
});

test("a link to a message inside a group shows its author and time", async ({ ann, room, request }) => {
  await postMessages(request, room, 95);
  await ann.page.goto(`/r/${room}?around=36#m36`);
  const line = ann.line("message 36");
  await expect(line).toBeInViewport();
  await expect(line.locator(".head b")).toBeInViewport();
  await expect(line.locator(".head time")).toBeInViewport();
});

test("the author is repeated after ten messages, and loading older ones does not move it", async ({ ann, room, request }) => {
  await postMessages(request, room, 130);
  await ann.joinRoom(room);
  const heads = async () =>
    ann.page.locator(".line").evaluateAll((lines) => lines.filter((line) => line.matches(".opens")).map((line) => line.querySelector(".text")!.textContent));
  const before = await heads();
  const gaps = await ann.page.locator(".line").evaluateAll((lines) => {
    const heads = lines.flatMap((line, at) => (line.matches(".opens") ? [at] : []));
    return heads.map((at, n) => (heads[n + 1] ?? lines.length) - at);
  });
  expect(Math.max(...gaps)).toBeLessThanOrEqual(10);
  await scrollBackTo(ann, "message 20");
  expect(await heads()).toEqual(expect.arrayContaining(before));
});

for (const script of [true, false]) {
  test(`on a page of older messages Ann posts ${script ? "" : "without script "}and reaches the latest page`, async ({ newUser, bob, room, request }) => {
    await postMessages(request, room, 95);
    const ann = await newUser({ javaScriptEnabled: script });
    await ann.page.goto(`/r/${room}?around=30`);
    if (script) await ann.waitUntilHydrated();
    await bob.joinRoom(room);
    await ann.composer.fill("an answer to that");
    if (script) await ann.composer.press("Enter");
    else await ann.page.getByRole("button", { name: "Send" }).click();
    await expect(ann.page).toHaveURL(`/r/${room}`);
    await ann.seesMessage("an answer to that");
    await expect(ann.line("an answer to that")).toBeInViewport();
    await bob.seesMessage("an answer to that");
    await expect(ann.composer).toHaveValue("");
  });
}

test("on a page of older messages a text that is too long shows an error and stays in the field", async ({ ann, room, request }) => {
  await postMessages(request, room, 95);
  await ann.page.goto(`/r/${room}?around=30`);
  await ann.waitUntilHydrated();
  await ann.composer.fill("x".repeat(9_000));
  await ann.composer.press("Enter");
  await expect(ann.page.getByRole("alert").filter({ hasText: "too long" })).toBeVisible();
  await expect(ann.composer).toHaveValue("x".repeat(9_000));
});

for (const [name, options] of [["a desktop", {}], ["a phone", phone]] as const) {
  test(`on ${name} the two links of a page of older messages have a gap between them`, async ({ newUser, room, request }) => {
    await postMessages(request, room, 95);
    const ann = await newUser(options);
    await ann.page.goto(`/r/${room}?around=30`);
    const [newer, now] = await Promise.all(["Newer messages", "Back to latest"].map((label) => ann.page.getByRole("link", { name: label }).boundingBox()));
    for (const box of [newer!, now!]) expect(box.height).toBeGreaterThanOrEqual(44);
    const gap = now!.y > newer!.y + newer!.height ? now!.y - newer!.y - newer!.height : now!.x - newer!.x - newer!.width;
    expect(gap).toBeGreaterThanOrEqual(8);
    await ann.page.getByRole("link", { name: "Newer messages" }).click();
    await expect(ann.line("message 56")).toBeVisible();
  });
}
