import { expect, isLive, postMessages, setTabHidden, setWindowFocused, test, uniqueName, type User } from "../people";
import { scrollBy } from "../scrolling";

/** Waits until the server knows that the user has read everything. The page reports that with a delay. */
async function hasRead(user: User, room: string): Promise<void> {
  const position = async () => {
    const page = await user.page.request.get(`/r/${room}`);
    return /"read":(\d+)/.exec((await page.text()).replaceAll("\\", ""))?.[1];
  };
  const head = (await (await user.page.request.get(`/api/rooms/${room}/messages?limit=1`)).json()).head;
  await expect.poll(position).toBe(String(head));
}

test("a returning user finds a separator above the first unread message, and the page opens there", async ({ ann, room, request }) => {
  await postMessages(request, room, 5);
  await ann.joinRoom(room);
  await expect(ann.page.locator("#new")).toHaveCount(0);
  await hasRead(ann, room);
  await ann.page.goto("/rooms");
  await postMessages(request, room, 40, 6);
  await ann.joinRoom(room);
  await expect(ann.line("message 6").locator("#new")).toBeInViewport();
  await expect(ann.page.getByRole("button", { name: /new messages/ })).toBeVisible();
  await ann.page.getByRole("button", { name: /new messages/ }).click();
  await expect(ann.line("message 40")).toBeInViewport();
  await hasRead(ann, room);
  await ann.page.reload();
  await ann.waitUntilLive();
  await expect(ann.page.locator("#new")).toHaveCount(0);
});

test("opening a room with unread messages does not mark all of them as read", async ({ ann, room, request }) => {
  await postMessages(request, room, 5);
  await ann.joinRoom(room);
  await hasRead(ann, room);
  await ann.joinRoom(`${room}-b`);
  await postMessages(request, room, 45, 6);
  const title = room.charAt(0).toUpperCase() + room.slice(1).replaceAll("-", " ");
  await expect(ann.room(title)).toContainText("40 unread");
  await ann.room(title).click();
  await ann.waitUntilLive();
  await expect(ann.line("message 6").locator("#new")).toBeInViewport();
  const jump = ann.page.getByRole("button", { name: /new messages$/ });
  await expect(jump).toHaveText(/^[12]\d new/);
  const unread = async () => parseInt(await jump.innerText());
  const before = await unread();
  await scrollBy(ann, 120);
  await expect.poll(unread, "unread messages after the visible ones").toBeLessThan(before);
  const page = await (await ann.page.request.get(`/r/${room}-b`)).text();
  expect(page, "unread messages on other devices").toMatch(/\d+ unread/);
});

test("with more unread messages than a page has, the room opens at the first of them", async ({ ann, room, request }) => {
  await postMessages(request, room, 5);
  await ann.joinRoom(room);
  await hasRead(ann, room);
  await ann.page.goto("/rooms");
  await postMessages(request, room, 95, 6);
  await ann.joinRoom(room);
  await expect(ann.line("message 6").locator("#new")).toBeInViewport();
  await expect(ann.page.locator("#new")).toHaveCount(1);
});

test("messages that are read on one device are read on the other", async ({ ann, newUser, room, request }) => {
  await postMessages(request, room, 3);
  await ann.joinRoom(room);
  await hasRead(ann, room);
  const phone = await newUser({ storageState: await ann.page.context().storageState() });
  await phone.page.goto("/r/elsewhere-" + room);
  await phone.waitUntilLive();
  const title = room.charAt(0).toUpperCase() + room.slice(1).replaceAll("-", " ");
  await ann.page.goto("/rooms");
  await postMessages(request, room, 5, 4);
  await expect(phone.room(title)).toContainText("2 unread");
  await ann.joinRoom(room);
  await expect(phone.room(title)).not.toContainText("unread");
});

/** Marks a message and what follows as unread, by its menu. */
async function markUnread(user: User, text: string): Promise<void> {
  await user.act(text, "More");
  await user.actions.getByRole("menuitem", { name: "Mark unread" }).click();
}

test("messages that Ann marks as unread stay unread in every tab until she jumps to the end", async ({ ann, bob, room, request }) => {
  await postMessages(request, room, 5);
  await ann.joinRoom(room);
  await hasRead(ann, room);
  const [same, other] = [await ann.page.context().newPage(), await ann.page.context().newPage()];
  await same.goto(`/r/${room}`);
  await isLive(same);
  await other.goto(`/r/elsewhere-${room}`);
  await isLive(other);
  const title = room.charAt(0).toUpperCase() + room.slice(1).replaceAll("-", " ");
  const listed = other.getByRole("navigation", { name: "Rooms" }).getByRole("link").filter({ hasText: title }).first();
  await markUnread(ann, "message 3");
  await expect(ann.page.locator("#action-status")).toHaveText("Marked as unread");
  await expect(ann.line("message 3").locator("#new")).toBeVisible();
  await expect(same.locator("#m3 #new")).toBeVisible();
  for (const page of [ann.page, same]) await expect(page).toHaveTitle(/^\(3\)/);
  await expect(listed).toContainText("3 unread");
  // A later message is not read either, although the page shows it.
  await bob.joinRoom(room);
  await bob.send("one more");
  await ann.seesMessage("one more");
  await expect(ann.page).toHaveTitle(/^\(4\)/);
  await ann.page.reload();
  await ann.waitUntilLive();
  await expect(ann.line("message 3").locator("#new")).toBeVisible();
  await expect(ann.page).toHaveTitle(/^\(4\)/);
  await expect(listed).toContainText("4 unread");
  await ann.page.keyboard.press("Alt+End");
  for (const page of [ann.page, same]) await expect(page).not.toHaveTitle(/^\(/);
  await expect(listed).not.toContainText("unread");
  await hasRead(ann, room);
});

test("what Ann marks as unread is read when she comes back to the window or the room, or writes", async ({ ann, room, request }) => {
  await postMessages(request, room, 3);
  await ann.joinRoom(room);
  await hasRead(ann, room);
  await ann.page.keyboard.press("Shift+Tab");
  await ann.page.keyboard.press("u");
  await expect(ann.line("message 3").locator("#new")).toBeVisible();
  await expect(ann.page).toHaveTitle(/^\(1\)/);
  await setWindowFocused(ann, false);
  await setWindowFocused(ann, true);
  await expect(ann.page).not.toHaveTitle(/^\(/);
  await hasRead(ann, room);
  await markUnread(ann, "message 2");
  await expect(ann.page).toHaveTitle(/^\(2\)/);
  await ann.send("mine");
  await expect(ann.page).not.toHaveTitle(/^\(/);
  await hasRead(ann, room);
  // One's own message has no such action.
  await ann.page.keyboard.press("Shift+Tab");
  await ann.page.keyboard.press("u");
  await ann.act("mine", "More");
  await expect(ann.actions.getByRole("menuitem", { name: "Mark unread" })).toBeHidden();
  await ann.page.keyboard.press("Escape");
  await expect(ann.page).not.toHaveTitle(/^\(/);
  await markUnread(ann, "message 3");
  await expect(ann.page).toHaveTitle(/^\(1\)/);
  await ann.joinRoom(`${room}-b`);
  await ann.joinRoom(room);
  await expect(ann.line("message 3").locator("#new")).toBeVisible();
  await expect(ann.page).not.toHaveTitle(/^\(/);
});

test("on a page of older messages Ann marks one as unread", async ({ ann, room, request }) => {
  await postMessages(request, room, 95);
  await ann.joinRoom(room);
  await hasRead(ann, room);
  await ann.page.goto(`/r/${room}?around=40#m40`);
  await ann.waitUntilHydrated();
  await markUnread(ann, "message 40");
  await expect(ann.line("message 40").locator("#new")).toBeVisible();
  const read = async () => /"read":(\d+)/.exec((await (await ann.page.request.get(`/r/${room}`)).text()).replaceAll("\\", ""))?.[1];
  await expect.poll(read).toBe("39");
});

test("on a phone a long press marks a message as unread", async ({ newUser, room, request }) => {
  const ann = await newUser({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await postMessages(request, room, 3);
  await ann.joinRoom(room);
  await ann.longPress("message 2", "Mark unread");
  await expect(ann.line("message 2").locator("#new")).toBeVisible();
  await expect(ann.page).toHaveTitle(/^\(2\)/);
});

test("while the tab is hidden the title counts messages, and a separator precedes them", async ({ ann, bob, room }) => {
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await bob.send("seen");
  await ann.seesMessage("seen");
  await setTabHidden(ann, true);
  await bob.send("not yet seen");
  await ann.seesMessage("not yet seen");
  await expect(ann.page).toHaveTitle(/^\(1\) /);
  await expect(ann.line("not yet seen").locator("#new")).toBeVisible();
  await setTabHidden(ann, false);
  await expect(ann.page).toHaveTitle(/^T/);
});

test("separators name the day of messages", async ({ ann, room, request }) => {
  await postMessages(request, room, 2);
  await ann.page.clock.install({ time: Date.now() });
  await ann.joinRoom(room);
  await expect(ann.page.getByRole("heading", { name: "Today" })).toHaveCount(1);
  await ann.page.clock.fastForward(24 * 60 * 60 * 1000);
  await expect(ann.page.getByRole("heading", { name: "Yesterday" })).toHaveCount(1);
  await ann.page.clock.setFixedTime(Date.now() + 5 * 24 * 60 * 60 * 1000);
  await ann.page.reload();
  await expect(ann.page.getByRole("heading", { name: /day.* 20\d\d$/ })).toHaveCount(1);
});

for (const javaScriptEnabled of [true, false]) {
  test(`a link to a message opens the messages around it and highlights it, script ${javaScriptEnabled ? "on" : "off"}`, async ({ newUser, room, request }) => {
    await postMessages(request, room, 95);
    const ann = await newUser({ javaScriptEnabled });
    await ann.page.goto(`/r/${room}?around=40`);
    await expect(ann.line("message 40")).toHaveClass(/marked/);
    if (javaScriptEnabled) await expect(ann.line("message 40")).toBeInViewport();
    const link = await ann.line("message 40").locator(".timestamp").getAttribute("href");
    expect(link).toBe(`/r/${room}?around=40#m40`);
    await ann.page.goto(`/r/${room}?around=30#m30`);
    await expect(ann.line("message 30")).toBeInViewport();
    await ann.page.getByRole("link", { name: "Back to latest" }).click();
    await expect(ann.line("message 95")).toBeInViewport();
    await ann.page.goto(`/r/${room}?around=30#m30`);
    await ann.page.getByRole("link", { name: "Newer messages" }).click();
    // The previous page ends with message 55.
    await expect(ann.line("message 56")).toBeInViewport();
    await expect(ann.page.locator(".marked")).toHaveCount(0);
  });
}

test("a link to a recent message opens the live room and highlights it", async ({ ann, bob, room, request }) => {
  await postMessages(request, room, 30);
  await ann.page.goto(`/r/${room}?around=25#m25`);
  await ann.waitUntilLive();
  await expect(ann.line("message 25")).toHaveClass(/marked/);
  await bob.joinRoom(room);
  await bob.send("still talking");
  await ann.seesMessage("still talking");
});

test("on a page of older messages Ann edits, deletes and changes her name", async ({ ann, bob, room, request }) => {
  await ann.joinRoom(room);
  await ann.send("frist");
  await ann.send("a mistake");
  await ann.seesMessage("a mistake");
  await postMessages(request, room, 95);
  await bob.page.goto(`/r/${room}?around=1`);
  await ann.page.goto(`/r/${room}?around=1`);
  await ann.waitUntilHydrated();
  await ann.edit("frist", "first");
  await expect(ann.line("first")).toBeInViewport();
  await ann.openMenu("a mistake");
  await ann.menu.getByRole("button", { name: "Delete" }).click();
  await expect(ann.page.getByText("Deleted", { exact: true })).toBeVisible();
  await ann.rename(uniqueName("Ann", room));
  await bob.page.reload();
  await expect(bob.line("first").locator("b")).toHaveText(uniqueName("Ann", room));
  await expect(bob.page.getByText("a mistake")).toHaveCount(0);
});

test("posting scrolls from older messages to the new one", async ({ ann, room, request }) => {
  await postMessages(request, room, 60);
  await ann.joinRoom(room);
  await ann.line("message 12").scrollIntoViewIfNeeded();
  await ann.send("here I am");
  await expect(ann.line("here I am")).toBeInViewport();
});

test("two tabs of a room have a draft each, and the next tab gets the draft of a closed one", async ({ ann, room }) => {
  await ann.joinRoom(room);
  const tab = await ann.page.context().newPage();
  await tab.goto(`/r/${room}`);
  await isLive(tab);
  await tab.locator("#text").fill("long in the making");
  await ann.send("short");
  await ann.seesMessage("short");
  await ann.composer.fill("mine");
  await tab.reload();
  await expect(tab.locator("#text")).toHaveValue("long in the making");
  await ann.page.reload();
  await ann.waitUntilLive();
  await expect(ann.composer).toHaveValue("mine");
  const closed = tab.waitForEvent("close");
  await tab.close({ runBeforeUnload: true });
  await closed;
  const next = await ann.page.context().newPage();
  await next.goto(`/r/${room}`);
  await expect(next.locator("#text")).toHaveValue("long in the making");
});

test("each room keeps its own draft", async ({ ann, room }) => {
  await ann.joinRoom(room);
  await ann.composer.fill("for here");
  await ann.joinRoom(`${room}-b`);
  await expect(ann.composer).toHaveValue("");
  await ann.composer.fill("for there");
  await ann.joinRoom(room);
  await expect(ann.composer).toHaveValue("for here");
});

test("a new message does not scroll a reader of older ones, and a button jumps to it", async ({ ann, bob, room, request }) => {
  await postMessages(request, room, 60);
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await ann.line("message 12").scrollIntoViewIfNeeded();
  await expect(ann.page.getByRole("button", { name: "Jump to latest" })).toBeVisible();
  await bob.send("one more");
  await bob.seesMessage("one more");
  await expect(ann.page.getByRole("button", { name: "1 new message" })).toBeVisible();
  await expect(ann.line("message 12")).toBeInViewport();
  await ann.page.keyboard.press("Alt+End");
  await expect(ann.line("one more")).toBeInViewport();
  await expect(ann.page.locator(".jump-button")).toHaveCount(0);
});
