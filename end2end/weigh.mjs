// Measures the bytes of the page and the time until it is interactive: `make page-weight`. It uses the release server and
// a new browser context without a cache for each load, and prints medians. The times come from the browser's trace, as
// DevTools record it, and start with the navigation:
//
// - first paint: `firstContentfulPaint`;
// - interactive: the mark `hydrated`, which the page sets after hydration, or the end of the last task of more than
//   50 ms on the main thread, whichever is later.
import { chromium } from "@playwright/test";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";

const VISITS = 7;
const LONG = 50;
/** The milliseconds after hydration in which a long task still counts. */
const AFTER = 1_000;
const address = "127.0.0.1:18081";
const binary = resolve(import.meta.dirname, "../target/release/hubbub");
const server = spawn(binary, ["--ephemeral", "--addr", address], { stdio: "ignore" });
const answers = () => fetch(`http://${address}/readyz`).then((answer) => answer.ok, () => false);
while (!(await answers())) await new Promise((later) => setTimeout(later, 20));
for (let n = 0; n < 60; n++) {
  const request = { method: "POST", body: `message ${n}`, headers: { "content-type": "text/plain" } };
  await fetch(`http://${address}/api/rooms/weigh/messages`, request);
}

const executablePath = [process.env.CHROMIUM, "/usr/bin/chromium"].find((path) => path && existsSync(path));
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });

/** Reads the milliseconds since the navigation from a trace. */
function moments(trace) {
  const events = JSON.parse(trace).traceEvents;
  const named = (name) => events.filter((event) => event.name === name);
  // The trace also contains the navigation of the blank page.
  const { ts: start, pid, tid } = named("navigationStart").findLast((event) => event.args.data?.documentLoaderURL?.includes(address));
  const since = (ts) => (ts - start) / 1_000;
  const paint = since(named("firstContentfulPaint").find((event) => event.pid === pid && event.ts > start).ts);
  const hydrated = since(named("hydrated").find((event) => event.pid === pid).ts);
  const tasks = events.filter((event) => event.name === "RunTask" && event.pid === pid && event.tid === tid && event.ts >= start);
  const long = tasks.filter((task) => task.dur > LONG * 1_000 && since(task.ts) < hydrated + AFTER);
  const quiet = Math.max(0, ...long.map((task) => since(task.ts + task.dur)));
  return { paint, hydrated, interactive: Math.max(hydrated, quiet) };
}

async function visit(slower) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const client = await context.newCDPSession(page);
  await client.send("Emulation.setCPUThrottlingRate", { rate: slower });
  const categories = ["-*", "loading", "blink.user_timing", "disabled-by-default-devtools.timeline", "devtools.timeline", "toplevel"];
  await browser.startTracing(page, { categories });
  await page.goto(`http://${address}/r/weigh`);
  await page.waitForFunction(() => performance.getEntriesByName("hydrated").length > 0);
  await page.waitForTimeout(AFTER);
  const seen = moments((await browser.stopTracing()).toString());
  const files = await page.evaluate(() => performance.getEntriesByType("resource").map(({ name, encodedBodySize }) => [name, encodedBodySize]));
  const document = await page.evaluate(() => performance.getEntriesByType("navigation")[0].encodedBodySize);
  await context.close();
  return { ...seen, files, document };
}

const middle = (numbers) => Math.round(numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)]);

let visits = [];
for (const slower of [1, 4]) {
  visits = [];
  for (let n = 0; n < VISITS; n++) visits.push(await visit(slower));
  const [paint, hydrated, interactive] = ["paint", "hydrated", "interactive"].map((moment) => middle(visits.map((visit) => visit[moment])));
  console.log(`processor slowed ${slower} times: first paint after ${paint} ms, hydrated after ${hydrated} ms, interactive after ${interactive} ms`);
}
const ours = visits[0].files.filter(([name]) => /\/(pkg|scripts)\//.test(name));
for (const [name, bytes] of ours) console.log(`${name.split(".").pop().padEnd(5)} ${bytes} bytes, brotli`);
console.log(`in all ${ours.reduce((sum, [, bytes]) => sum + bytes, 0)} bytes, and ${visits[0].document} of the page of a room with 50 messages`);

await browser.close();
server.kill();
