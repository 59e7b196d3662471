import { readFileSync } from "node:fs";
import { expect, isLive, test, type User } from "../people";

const CODE = Array.from({ length: 30 }, (_, n) => `line ${n + 1}`).join("\n");

/** The last message's text. */
const last = (user: User) => user.messages.last();

async function post(user: User, room: string, text: string): Promise<void> {
  const post = () => user.page.request.post(`/api/rooms/${room}/messages`, { data: { text } });
  // The rate limit rejects some of them.
  while ((await post()).status() !== 201) await new Promise((later) => setTimeout(later, 100));
}

test("styles, code, lists, quotes and links are shown, live and in the server's page", async ({ ann, bob, room }) => {
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await ann.composer.fill("**bold** *italic* ~~gone~~ `code` https://a.example/page and [a name](https://b.example)");
  await ann.submit();
  for (const user of [ann, bob]) {
    for (const reload of [false, true]) {
      if (reload) await user.page.reload();
      if (reload) await user.waitUntilLive();
      const text = last(user);
      await expect(text).toHaveText("bold italic gone code https://a.example/page and a name");
      await expect(text.locator(".bold")).toHaveCSS("font-weight", "600");
      await expect(text.locator(".italic")).toHaveCSS("font-style", "italic");
      await expect(text.locator(".struck")).toHaveCSS("text-decoration-line", "line-through");
      await expect(text.locator("code")).toHaveText("code");
      const link = text.getByRole("link", { name: "a name" });
      await expect(link).toHaveAttribute("href", "https://b.example");
      await expect(link).toHaveAttribute("rel", "noopener noreferrer nofollow ugc");
      await expect(link).toHaveAttribute("target", "_blank");
    }
  }
  await post(bob, room, "1. first\n2. second\n   - third\n\n> a quote\n> > within\n\nthe end");
  await expect(last(ann).locator("li")).toHaveText(["1. first", "2. second", "• third"]);
  await expect(last(ann).locator("blockquote")).toHaveText(["a quote", "within"]);
  await expect(last(ann).locator("p").last()).toHaveText("the end");
});

test("long code is folded, unfolds by keyboard and is copied whole", async ({ newUser, room }) => {
  const ann = await newUser({ permissions: ["clipboard-read", "clipboard-write"] });
  await ann.joinRoom(room);
  await post(ann, room, `\`\`\`rust\n${CODE}\n\`\`\``);
  const code = last(ann).locator("pre");
  await expect(code).toHaveText(CODE);
  const height = () => code.evaluate((pre) => pre.clientHeight);
  expect(await height()).toBeLessThanOrEqual(240);
  await last(ann).locator(".code-block").hover();
  await last(ann).getByRole("button", { name: "Copy" }).click();
  await expect(last(ann).getByRole("button", { name: "Copied" })).toBeVisible();
  expect(await ann.page.evaluate(() => navigator.clipboard.readText())).toBe(CODE);
  await last(ann).locator("summary").focus();
  await ann.page.keyboard.press("Enter");
  await expect(last(ann).getByText("Show less")).toBeVisible();
  expect(await height()).toBeGreaterThan(400);
});

test("long code unfolds without script", async ({ newUser, ann, room }) => {
  await ann.joinRoom(room);
  await post(ann, room, `\`\`\`\n${CODE}\n\`\`\``);
  const reader = await newUser({ javaScriptEnabled: false });
  await reader.page.goto(`/r/${room}`);
  await expect(last(reader).getByRole("button", { name: "Copy" })).toBeHidden();
  await last(reader).getByText("Show all 30 lines").click();
  await expect(last(reader).getByText("Show less")).toBeVisible();
});

test("one to six emoji alone are large", async ({ ann, room }) => {
  await ann.joinRoom(room);
  const size = () => last(ann).evaluate((text) => parseFloat(getComputedStyle(text).fontSize));
  await ann.send("👍🏽 👩‍🚀");
  await ann.seesMessage("👍🏽 👩‍🚀");
  expect(await size()).toBe(36);
  await ann.send("👍 fine");
  await ann.seesMessage("👍 fine");
  expect(await size()).toBeLessThan(20);
});

test("an edit changes the markup, and the field has the text as it was written", async ({ ann, bob, room }) => {
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await ann.send("**one**");
  await ann.seesMessage("one");
  await ann.openMenu("one");
  await expect(ann.editor).toHaveValue("**one**");
  await ann.editor.fill("- two\n- `three`");
  await ann.editor.press("Enter");
  for (const user of [ann, bob]) await expect(last(user).locator("li")).toHaveText(["• two", "• three"]);
});

type Hostile = string | { begin?: string; repeat: string; times: number; end: string };

const hostile: string[] = (JSON.parse(readFileSync(`${import.meta.dirname}/../../server/tests/it/hostile-texts.json`, "utf8")) as Hostile[]).map(
  (text) => (typeof text === "string" ? text : (text.begin ?? "") + text.repeat.repeat(text.times) + text.end),
);

test("hostile texts start nothing and stay in their rows, live and in the server's page", { tag: "@long" }, async ({ newUser, request, room }) => {
  test.slow();
  const ann = await newUser({ viewport: { width: 390, height: 844 } });
  const started: string[] = [];
  ann.page.on("dialog", (dialog) => {
    started.push(dialog.message());
    void dialog.dismiss();
  });
  await ann.joinRoom(room);
  const { origin } = new URL(ann.page.url());
  ann.page.on("request", (request) => {
    if (!request.url().startsWith(origin)) started.push(request.url());
  });
  for (let from = 0; from < hostile.length; from += 25) {
    for (const text of hostile.slice(from, from + 25)) {
      while ((await request.post(`/api/rooms/${room}/messages`, { data: { text } })).status() !== 201) {
        await new Promise((later) => setTimeout(later, 100));
      }
    }
    await post(ann, room, `neighbor ${from}`);
    for (const reload of [false, true]) {
      if (reload) await ann.page.reload();
      if (reload) await isLive(ann.page);
      await ann.seesMessage(`neighbor ${from}`);
      const misplaced = await ann.page.evaluate(() => {
        const rows = [...document.querySelectorAll<HTMLElement>(".line:not([hidden]) .message-body")];
        const width = document.documentElement.clientWidth;
        const boxes = rows.map((row) => row.getBoundingClientRect());
        const overlaps = boxes.filter((box, n) => n > 0 && box.top < boxes[n - 1].bottom - 1);
        return overlaps.length + boxes.filter((box) => box.left < 0 || box.right > width).length;
      });
      expect(misplaced, `rows after the ${from}th text`).toBe(0);
      expect(await ann.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
    }
  }
  expect(started).toEqual([]);
});
