import { expect, test } from "../people";

const texts = ["</textarea><h1>elsewhere</h1>", "</textarea><!--", "a &lt;b&gt; &amp;amp;", "<!--<script>"];

test("text that ends a form field leaves the page alive for its author, and edits keep it as it is", async ({ somebody, room }) => {
  const ann = await somebody();
  await ann.enters(room);
  for (const text of texts) await ann.says(text);
  await ann.sees(texts[3]);
  await ann.page.reload();
  await ann.isLive();
  await expect(ann.page.locator(".line .text")).toHaveText(texts);
  await expect(ann.page.locator("h1")).toHaveCount(1);
  for (const text of texts) {
    await ann.menu(text);
    await expect(ann.editor).toHaveValue(text);
    await ann.editor.fill(`${text}!`);
    await ann.editor.press("Enter");
    await ann.sees(`${text}!`);
  }
  await ann.says("and it goes on");
  await ann.sees("and it goes on");
});

test("a stranger's text that ends a form field leaves the page alive for the room's owner", async ({ somebody, room }) => {
  const [owner, stranger] = [await somebody(), await somebody()];
  await owner.page.goto("/rooms");
  await owner.page.getByLabel("Room name").fill(`Owned ${room}`);
  await owner.page.getByRole("button", { name: "Create room" }).click();
  await owner.isLive();
  const owned = new URL(owner.page.url()).pathname.replace("/r/", "");
  await stranger.enters(owned);
  for (const text of texts) await stranger.says(text);
  await stranger.sees(texts[3]);
  await owner.page.reload();
  await owner.isLive();
  await expect(owner.page.locator(".line .text")).toHaveText(texts);
  expect(await owner.page.locator(".menu textarea").evaluateAll((all) => all.map((field) => (field as HTMLTextAreaElement).value))).toEqual(texts);
});
