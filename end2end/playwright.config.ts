import { defineConfig } from "@playwright/test";
import { existsSync } from "node:fs";
import { Hubbub } from "./hubbub";

// A Chromium that is already here, Debian's, or else Playwright's own.
const chromium = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(
  (path) => path && existsSync(path),
);

export default defineConfig({
  testDir: "tests",
  outputDir: "test-results",
  fullyParallel: true,
  workers: 2,
  forbidOnly: Boolean(process.env.CI),
  // A test that fails and then passes is a fault of the test or of the app. A run by hand shows it as failed; CI names
  // it as flaky and goes on.
  retries: process.env.CI ? 1 : 0,
  // Each step has its own limit below. The limit of a whole scene only ends what hangs: a scene of twenty steps with
  // two browsers takes over 30 s where the machine compiles something beside.
  timeout: 120_000,
  expect: { timeout: 20_000 },
  reporter: [["list"]],
  use: {
    baseURL: Hubbub.url,
    viewport: { width: 1280, height: 800 },
    // Scenes about being offline allow them; elsewhere they would stand between the tests and the server.
    serviceWorkers: "block",
    locale: "en-GB",
    timezoneId: "Europe/Berlin",
    // A trace of every test would cost time: run one with --trace on to get it.
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
