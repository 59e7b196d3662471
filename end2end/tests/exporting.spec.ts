import { readFile } from "node:fs/promises";
import { inflateRawSync } from "node:zlib";
import { expect, test } from "../people";

// Returns an entry of a ZIP archive, whose list of entries says where it is.
function entry(archive: Buffer, wanted: string): string {
  const end = archive.lastIndexOf(Buffer.from("PK\x05\x06", "latin1"));
  let at = archive.readUInt32LE(end + 16);
  while (archive.readUInt32LE(at) === 0x02014b50) {
    const [name, extra, comment] = [28, 30, 32].map((field) => archive.readUInt16LE(at + field)) as [number, number, number];
    if (archive.toString("utf8", at + 46, at + 46 + name) === wanted) {
      const local = archive.readUInt32LE(at + 42);
      const data = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
      return inflateRawSync(archive.subarray(data)).toString("utf8");
    }
    at += 46 + name + extra + comment;
  }
  throw new Error(`there is no ${wanted}`);
}

for (const javaScriptEnabled of [true, false]) {
  test(`Ann downloads a room: script ${javaScriptEnabled ? "on" : "off"}`, async ({ newUser, bob, room }) => {
    await bob.joinRoom(room);
    await bob.send("take **this**");
    await bob.send("<b>&lt;");
    const ann = await newUser({ javaScriptEnabled });
    await ann.page.goto(`/r/${room}`);
    if (javaScriptEnabled) await ann.waitUntilLive();
    const about = await ann.openDialog("about");
    const [download] = await Promise.all([
      ann.page.waitForEvent("download"),
      about.getByRole("link", { name: "Export this room" }).click(),
    ]);
    expect(download.suggestedFilename()).toBe(`${room}.zip`);
    const archive = await readFile(await download.path());
    expect(JSON.parse(entry(archive, "room.json"))).toMatchObject({ format: 1, room, head: 2 });
    const events = entry(archive, "events.jsonl").trimEnd().split("\n").map((line) => JSON.parse(line) as { text: string });
    expect(events.map((event) => event.text)).toEqual(["take **this**", "<b>&lt;"]);
    const transcript = entry(archive, "messages.md");
    expect(transcript).toContain("\n\n> take **this**\n");
    expect(transcript).toContain("\n\n> \\<b\\>\\&lt;\n");
  });
}
