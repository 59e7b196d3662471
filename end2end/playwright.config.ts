import { defineConfig } from "@playwright/test";
import { existsSync } from "node:fs";
import { Hubbub } from "./hubbub";

const { CHROMIUM } = process.env;
const installed = (...names: string[]) => names.map((name) => `/usr/bin/${name}`).find((path) => existsSync(path));
// An installed Chromium, or else Playwright's own.
const chromium = CHROMIUM || installed("chromium", "chromium-browser", "google-chrome");
// The same engine without windows: tests take half the time in it.
const headlessShell = CHROMIUM || installed("chromium-headless-shell") || chromium;
const launchOptions = {
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
};
/** The headless shell shows no notifications. */
const withNotifications = /(pwa|unread)\.spec\.ts$/;
/** `make screenshots` takes them; they test nothing that other tests do not. */
const screenshots = /screens\.spec\.ts$/;

export default defineConfig({
  testDir: "tests",
  outputDir: "test-results",
  fullyParallel: true,
  // A test waits for a third of its time.
  workers: 3,
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
  },
  projects: [
    { name: "shell", testIgnore: [withNotifications, screenshots], use: { launchOptions: { ...launchOptions, executablePath: headlessShell } } },
    { name: "screenshots", testMatch: screenshots, use: { launchOptions: { ...launchOptions, executablePath: headlessShell } } },
    { name: "chromium", testMatch: withNotifications, use: { launchOptions: { ...launchOptions, executablePath: chromium } } },
  ],
  webServer: Hubbub.isRunning
    ? undefined
    : {
        // All users of the tests are of one network.
        command: `${Hubbub.binary} --ephemeral --addr ${Hubbub.address} --per-network 1000`,
        url: `${Hubbub.url}/readyz`,
        env: { RUST_LOG: "warn" },
        reuseExistingServer: false,
        gracefulShutdown: { signal: "SIGTERM", timeout: 5_000 },
      },
});
