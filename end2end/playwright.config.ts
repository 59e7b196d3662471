import { defineConfig } from "@playwright/test";
import { existsSync } from "node:fs";
import { Hubbub } from "./hubbub";

// An installed Chromium, or else Playwright's own.
const chromium = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(
  (path) => path && existsSync(path),
);

export default defineConfig({
  testDir: "tests",
  outputDir: "test-results",
  fullyParallel: true,
  workers: 2,
  forbidOnly: Boolean(process.env.CI),
  // A test that fails and then passes is a fault of the test or of the app. A local run reports it as failed; CI reports
  // it as flaky and continues.
  retries: process.env.CI ? 1 : 0,
  // Each step has its own limit below. The limit of a whole test only ends one that hangs: a test of twenty steps with
  // two browsers takes over 30 s while the machine compiles something else.
  timeout: 120_000,
  expect: { timeout: 20_000 },
  reporter: [["list"]],
  use: {
    baseURL: Hubbub.url,
    viewport: { width: 1280, height: 800 },
    // Tests of being offline allow them. In other tests they would be between the test and the server.
    serviceWorkers: "block",
    locale: "en-GB",
    timezoneId: "Europe/Berlin",
    // A trace of every test would cost time. The option --trace on records one.
    trace: "on-first-retry",
    launchOptions: {
      executablePath: chromium,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
  webServer: Hubbub.isRunning
    ? undefined
    : {
        command: `${Hubbub.binary} --ephemeral --addr ${Hubbub.address}`,
        url: `${Hubbub.url}/readyz`,
        env: { RUST_LOG: "warn" },
        reuseExistingServer: false,
        gracefulShutdown: { signal: "SIGTERM", timeout: 5_000 },
      },
});
