// What the page weighs and how soon it is alive: `make weigh`. The release server, a fresh browser for each
// visit, nothing cached; the middle of some visits.
import { chromium } from "@playwright/test";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";

const VISITS = 7;
const address = "127.0.0.1:18081";
const binary = resolve(import.meta.dirname, "../target/release/hubbub");
const server = spawn(binary, ["--ephemeral", "--addr", address], { stdio: "ignore" });
const answers = () => fetch(`http://${address}/readyz`).then((answer) => answer.ok, () => false);
while (!(await answers())) await new Promise((later) => setTimeout(later, 20));

const executablePath = [process.env.CHROMIUM, "/usr/bin/chromium"].find((path) => path && existsSync(path));
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });

/** Milliseconds from the navigation to the first paint and to the hydrated page, and the files that came. */
async function visit(slower) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const client = await context.newCDPSession(page);
  await client.send("Emulation.setCPUThrottlingRate", { rate: slower });
  await page.goto(`http://${address}/r/weigh`);
  const seen = await page.evaluate(async () => {
    const entry = async (name) => {
      while (!performance.getEntriesByName(name)[0]) await new Promise((later) => setTimeout(later, 10));
      return performance.getEntriesByName(name)[0].startTime;
    };
    const [paint, hydrated] = [await entry("first-contentful-paint"), await entry("hydrated")];
    const files = performance.getEntriesByType("resource").map(({ name, encodedBodySize }) => [name, encodedBodySize]);
    const document = performance.getEntriesByType("navigation")[0].encodedBodySize;
    return { paint, hydrated, files, document };
  });
  await context.close();
  return seen;
}

const middle = (numbers) => Math.round(numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)]);

let visits = [];
for (const slower of [1, 4]) {
  visits = [];
  for (let n = 0; n < VISITS; n++) visits.push(await visit(slower));
  const paint = middle(visits.map(({ paint }) => paint));
  const hydrated = middle(visits.map(({ hydrated }) => hydrated));
  console.log(`processor slowed ${slower} times: first paint after ${paint} ms, alive after ${hydrated} ms`);
}
const ours = visits[0].files.filter(([name]) => name.includes("/pkg/"));
for (const [name, bytes] of ours) console.log(`${name.split(".").pop().padEnd(5)} ${bytes} bytes, brotli`);
console.log(`in all ${ours.reduce((sum, [, bytes]) => sum + bytes, 0)} bytes, and ${visits[0].document} of an empty room's page`);

await browser.close();
server.kill();
