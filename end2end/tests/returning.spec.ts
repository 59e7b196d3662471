import { expect, phone, postMessages, test, type User } from "../people";

/** The first message that is in view, and how far below the edge of the messages. */
async function reads(person: User): Promise<{ text: string; top: number }> {
  return person.page.locator(".scroller").evaluate((scroller) => {
    const edge = scroller.getBoundingClientRect().top;
    const line = [...scroller.querySelectorAll(".line")].find((line) => line.getBoundingClientRect().bottom > edge + 8)!;
    return { text: line.querySelector(".text")!.textContent!, top: line.getBoundingClientRect().top - edge };
  });
}

async function readsBackTo(person: User, text: string): Promise<void> {
  await expect(async () => {
    if ((await person.line(text).count()) === 0) {
      await person.page.locator(".scroller").evaluate((scroller) => scroller.scrollBy(0, -scroller.scrollHeight));
    }
    await expect(person.line(text)).toHaveCount(1, { timeout: 300 });
  }).toPass();
  await person.line(text).evaluate((line) => line.scrollIntoView({ block: "start" }));
  await expect.poll(async () => (await reads(person)).text).toBe(text);
}

for (const [name, options] of [["a desktop", {}], ["a phone", phone]] as const) {
  test(`on ${name} Back and Forward return to what ann was reading`, async ({ newUser, room, request }) => {
    test.slow();
    await postMessages(request, room, 330);
    const ann = await newUser(options);
    await ann.joinRoom(room);
    await readsBackTo(ann, "message 90");
    await ann.page.goto("/");
    await ann.waitUntilLive();
    await ann.page.goBack();
    await ann.waitUntilLive();
    await expect.poll(async () => (await reads(ann)).text).toBe("message 90");
    await ann.page.goForward();
    await expect(ann.page.getByRole("heading", { level: 1 })).toHaveText("Lobby");
    await ann.page.goBack();
    await expect.poll(async () => (await reads(ann)).text, "again").toBe("message 90");
    // It is the living page, to its end.
    await request.post(`/api/rooms/${room}/messages`, { data: { text: "something new" } });
    await ann.page.getByRole("button", { name: "1 new message" }).click();
    await expect(ann.line("something new")).toBeInViewport();
  });
}

test("ann who was at the end comes back to the end", async ({ ann, room, request }) => {
  await postMessages(request, room, 60);
  await ann.joinRoom(room);
  await ann.page.goto("/");
  await postMessages(request, room, 61, 61);
  await ann.page.goBack();
  await ann.waitUntilLive();
  await expect(ann.line("message 61")).toBeInViewport();
});

test("a link to an old message shows whose it is, in the middle of one person's lines", async ({ ann, room, request }) => {
  await postMessages(request, room, 95);
  await ann.page.goto(`/r/${room}?around=36#m36`);
  const line = ann.line("message 36");
  await expect(line).toBeInViewport();
  await expect(line.locator(".head b")).toBeInViewport();
  await expect(line.locator(".head time")).toBeInViewport();
});

test("the name stands again after ten lines, and stays there while ann reads back", async ({ ann, room, request }) => {
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
  await readsBackTo(ann, "message 20");
  expect(await heads()).toEqual(expect.arrayContaining(before));
});

for (const script of [true, false]) {
  test(`on an older page ann writes ${script ? "" : "without script "}and comes to now`, async ({ newUser, bob, room, request }) => {
    await postMessages(request, room, 95);
    const ann = await newUser({ javaScriptEnabled: script });
    await ann.page.goto(`/r/${room}?around=30`);
    if (script) await expect(ann.page.locator("html")).toHaveAttribute("data-alive", "");
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

test("what is too long is refused on an older page too, and stays in its field", async ({ ann, room, request }) => {
  await postMessages(request, room, 95);
  await ann.page.goto(`/r/${room}?around=30`);
  await expect(ann.page.locator("html")).toHaveAttribute("data-alive", "");
  await ann.composer.fill("x".repeat(9_000));
  await ann.composer.press("Enter");
  await expect(ann.page.getByRole("alert").filter({ hasText: "too long" })).toBeVisible();
  await expect(ann.composer).toHaveValue("x".repeat(9_000));
});

for (const [name, options] of [["a desktop", {}], ["a phone", phone]] as const) {
  test(`on ${name} the two ways on from an older page are buttons with a gap between them`, async ({ newUser, room, request }) => {
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
