import { expect, test } from "../people";

const texts = ["</textarea><h1>elsewhere</h1>", "</textarea><!--", "a &lt;b&gt; &amp;amp;", "<!--<script>"];

test("text that closes a form field does not break the author's page, and edits keep it unchanged", async ({ newUser, room }) => {
  const ann = await newUser();
  await ann.joinRoom(room);
  for (const text of texts) await ann.send(text);
  await ann.seesMessage(texts[3]);
  await ann.page.reload();
  await ann.waitUntilLive();
  await expect(ann.page.locator(".line .text")).toHaveText(texts);
  await expect(ann.page.locator("h1")).toHaveCount(1);
  for (const text of texts) {
    await ann.openMenu(text);
    await expect(ann.editor).toHaveValue(text);
    await ann.editor.fill(`${text}!`);
    await ann.editor.press("Enter");
    await ann.seesMessage(`${text}!`);
  }
  await ann.send("and it goes on");
  await ann.seesMessage("and it goes on");
});

test("another user's text that closes a form field does not break the owner's page", async ({ newUser, room }) => {
  const [owner, stranger] = [await newUser(), await newUser()];
  await owner.createRoom(`Owned ${room}`);
  const owned = new URL(owner.page.url()).pathname.replace("/r/", "");
  await stranger.joinRoom(owned);
  for (const text of texts) await stranger.send(text);
  await stranger.seesMessage(texts[3]);
  await owner.page.reload();
  await owner.waitUntilLive();
  await expect(owner.page.locator(".line .text")).toHaveText(texts);
  expect(await owner.page.locator(".menu textarea").evaluateAll((all) => all.map((field) => (field as HTMLTextAreaElement).value))).toEqual(texts);
});
