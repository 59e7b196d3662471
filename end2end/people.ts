import AxeBuilder from "@axe-core/playwright";
import { test as base, expect, type APIRequestContext, type Browser, type BrowserContextOptions, type Locator, type Page } from "@playwright/test";

/** A user with their own browser context. */
export class User {
  /** Unexpected errors and warnings of the console. */
  readonly consoleErrors: string[] = [];

  // Playwright itself logs this if a test blocks service workers.
  private readonly expected: RegExp[] = [/Service Worker registration blocked by Playwright/];

  constructor(readonly page: Page) {
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) this.record(message.text());
    });
    page.on("pageerror", (error) => this.record(String(error)));
  }

  /** Allows a console error that the test causes. */
  allowConsoleError(message: RegExp): void {
    this.expected.push(message);
  }

  /** Ignores what the browser logs while the server is stopped. */
  allowServerLoss(): void {
    this.allowConsoleError(/ERR_CONNECTION_REFUSED|WebSocket/);
  }

  private record(text: string): void {
    if (!this.expected.some((expected) => expected.test(text))) this.consoleErrors.push(text);
  }

  get messages(): Locator {
    return this.page.locator(".line .text");
  }

  get composer(): Locator {
    return this.page.getByRole("textbox", { name: /^Message to/ });
  }

  get name(): Locator {
    return this.page.locator(".me strong");
  }

  /** The list of rooms. */
  get rooms(): Locator {
    return this.page.getByRole("navigation", { name: /^(Rooms|房间)$/ });
  }

  /** A room of the list, by its title. */
  room(title: string): Locator {
    return this.rooms.getByRole("link").filter({ has: this.page.getByText(title, { exact: true }) });
  }

  /** The users present. */
  get members(): Locator {
    return this.page.locator("#members li");
  }

  /** Opens the dialog with the room details, the settings or the shortcuts. */
  async openDialog(sheet: "about" | "settings" | "shortcuts"): Promise<Locator> {
    if (sheet === "settings") await this.page.locator(".me summary").click();
    if (sheet === "shortcuts") await this.page.keyboard.press("Control+/");
    else await this.page.locator(`[popovertarget=${sheet}]:visible`).first().click();
    const opened = this.page.locator(`#${sheet}`);
    await expect(opened).toBeVisible();
    return opened;
  }

  /** The row of a message. */
  line(text: string): Locator {
    return this.page.locator(".line").filter({ has: this.page.getByText(text, { exact: true }) });
  }

  /** Opens a room and waits until it is live. */
  async joinRoom(room: string): Promise<void> {
    await this.page.goto(`/r/${room}`);
    await this.waitUntilLive();
  }

  async waitUntilLive(): Promise<void> {
    await expect(this.page.locator("[data-connection=open]")).toBeAttached();
  }

  async send(text: string): Promise<void> {
    await this.composer.fill(text);
    await this.submit();
  }

  /** Submits the message with Enter, or with the button if Enter inserts a line break. */
  async submit(): Promise<void> {
    if (await this.page.evaluate(() => matchMedia("(pointer: fine)").matches)) await this.composer.press("Enter");
    else await this.page.getByRole("button", { name: /^(Send|发送)$/ }).tap();
  }

  async seesMessage(text: string): Promise<void> {
    await expect(this.line(text)).toHaveAttribute("data-standing", "confirmed");
    await expect(this.line(text)).toHaveCount(1);
  }

  /** Opens the menu of the user's own message. */
  async openMenu(text: string): Promise<void> {
    await this.line(text).hover();
    await this.line(text).locator(".menu summary").click();
  }

  /** The field that edits a message. */
  get editor(): Locator {
    return this.page.locator(".menu[open] textarea");
  }

  async edit(text: string, to: string): Promise<void> {
    await this.openMenu(text);
    await this.editor.fill(to);
    await this.editor.press("Enter");
  }

  /** Deletes the user's own message. The deletion can be undone for some seconds. */
  async delete(text: string): Promise<void> {
    await this.openMenu(text);
    await this.page.locator(".menu[open]").getByRole("button", { name: "Delete" }).click();
  }

  async seesMessages(texts: string[]): Promise<void> {
    await expect(this.messages).toHaveText(texts);
  }

  async rename(name: string): Promise<void> {
    await this.page.locator(".me summary").click();
    await this.page.getByLabel("Your name").fill(name);
    await this.page.getByRole("button", { name: "Save" }).click();
    await expect(this.name).toHaveText(name);
  }
}

/** Expects that axe finds no accessibility violation. */
export async function isAccessible(person: User): Promise<void> {
  // Elements that fade in have a lower contrast until the animation ends.
  await expect
    .poll(() => person.page.evaluate(() => document.getAnimations().every((motion) => motion.playState !== "running")))
    .toBe(true);
  const { violations } = await new AxeBuilder({ page: person.page }).analyze();
  expect(violations.map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.html).join(" ")}`)).toEqual([]);
}

/** Hides or shows the tab, as the page visibility API reports it. */
export async function setTabHidden(person: User, hidden: boolean): Promise<void> {
  await person.page.evaluate((hidden) => {
    Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);
}

/** The browser options of a phone. */
export const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true } as const;

/** Posts `message 1` and so on through the HTTP API. */
export async function postMessages(request: APIRequestContext, room: string, to: number, from = 1): Promise<void> {
  for (let n = from; n <= to; n++) {
    const post = () => request.post(`/api/rooms/${room}/messages`, { data: { text: `message ${n}` } });
    // The rate limit rejects some of them.
    while ((await post()).status() !== 201) await new Promise((later) => setTimeout(later, 100));
  }
}

/** Creates a user with a browser of their own. */
export type NewUser = (options?: BrowserContextOptions) => Promise<User>;

type Fixtures = {
  /** A room that no other test uses. */
  room: string;
  ann: User;
  bob: User;
  /** Creates another user whose browser has these `options`. */
  newUser: NewUser;
};

let rooms = 0;

export const test = base.extend<Fixtures>({
  room: async ({}, use) => {
    await use(`t-${process.pid}-${Date.now()}-${rooms++}`);
  },
  newUser: async ({ browser, contextOptions }, use) => {
    const users: User[] = [];
    await use(async (options) => {
      const person = await createUser(browser, { ...contextOptions, ...options });
      users.push(person);
      return person;
    });
    for (const person of users) {
      expect(person.consoleErrors, "no console error or warning").toEqual([]);
      await person.page.context().close();
    }
  },
  ann: async ({ newUser }, use) => use(await newUser()),
  bob: async ({ newUser }, use) => use(await newUser()),
});

async function createUser(browser: Browser, options: BrowserContextOptions): Promise<User> {
  const context = await browser.newContext(options);
  return new User(await context.newPage());
}

export { expect };
