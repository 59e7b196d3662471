// Makes the lists of emoji that the page completes names from: node emoji-names.mjs FOLDER, the unpacked package
// emojibase-data 17 of npm (MIT). A line has the emoji, its short name and other words, with tabs between; a blank line
// separates two groups.
import { readFileSync, writeFileSync } from "node:fs";

const [folder] = process.argv.slice(2);
const read = (file) => JSON.parse(readFileSync(`${folder}/${file}.json`, "utf8"));
const MAX_WORDS = 5;
// Skin tones and hair are no emoji by themselves.
const COMPONENTS = 2;

const shortNames = { ...read("en/shortcodes/emojibase"), ...read("en/shortcodes/github") };
const all = read("en/data").filter((entry) => entry.group !== undefined && entry.group !== COMPONENTS);
all.sort((one, other) => one.order - other.order);
for (const language of ["en", "zh"]) {
  const words = new Map(read(`${language}/compact`).map((entry) => [entry.hexcode, entry]));
  const lines = all.flatMap(({ hexcode, group }, at) => {
    const { unicode, label, tags = [] } = words.get(hexcode);
    const name = [shortNames[hexcode] ?? label.replaceAll(" ", "_")].flat()[0];
    const others = [...new Set([label, ...tags].map((word) => word.toLowerCase()))].filter((word) => word !== name.replaceAll("_", " "));
    const line = [unicode, name, others.slice(0, MAX_WORDS).join(" ")].join("\t");
    return at > 0 && all[at - 1].group !== group ? ["", line] : [line];
  });
  writeFileSync(new URL(`../style/static/scripts/emoji-${language}.txt`, import.meta.url), `${lines.join("\n")}\n`);
}
