// Measures pages with Lighthouse, as a phone and as a desktop: `make lighthouse`. It uses the release server, an
// installed Chromium, and a room with some messages.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const address = "127.0.0.1:18082";
const here = import.meta.dirname;
const server = spawn(resolve(here, "../target/release/hubbub"), ["--ephemeral", "--addr", address], { stdio: "ignore" });
const answers = () => fetch(`http://${address}/readyz`).then((answer) => answer.ok, () => false);
while (!(await answers())) await new Promise((later) => setTimeout(later, 20));
for (let n = 0; n < 60; n++) {
  await fetch(`http://${address}/api/rooms/lighthouse/messages`, { method: "POST", body: `message ${n}`, headers: { "content-type": "text/plain" } });
}

const chromium = [process.env.CHROMIUM, "/usr/bin/chromium"].find((path) => path && existsSync(path));
const categories = ["performance", "accessibility", "best-practices"];
let good = true;

function look(path, preset) {
  const report = join(mkdtempSync(join(tmpdir(), "lighthouse-")), "report.json");
  const flags = ["--output=json", `--output-path=${report}`, `--only-categories=${categories}`, "--quiet"];
  const chrome = "--chrome-flags=--headless=new --no-sandbox --disable-gpu";
  if (preset) flags.push(`--preset=${preset}`);
  return new Promise((done) => {
    const run = spawn(join(here, "lighthouse/node_modules/.bin/lighthouse"), [`http://${address}${path}`, ...flags, chrome], {
      env: { ...process.env, CHROME_PATH: chromium },
      stdio: ["ignore", "ignore", "inherit"],
    });
    run.on("exit", () => done(JSON.parse(readFileSync(report, "utf8"))));
  });
}

for (const path of ["/r/lighthouse", "/rooms"]) {
  for (const preset of [undefined, "desktop"]) {
    const report = await look(path, preset);
    const scores = categories.map((category) => `${category} ${Math.round(report.categories[category].score * 100)}`);
    console.log(`${path} on a ${preset ?? "phone"}: ${scores.join(", ")}`);
    good &&= categories.every((category) => report.categories[category].score >= 0.98);
    const audits = categories.flatMap((category) => report.categories[category].auditRefs.filter(({ weight }) => weight > 0));
    for (const { id } of audits) {
      const { score, title, displayValue } = report.audits[id];
      if (score !== null && score < 1) console.log(`  missing: ${title} (${Math.round(score * 100)}) ${displayValue ?? ""}`);
    }
  }
}
server.kill();
process.exit(good ? 0 : 1);
