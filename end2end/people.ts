import AxeBuilder from "@axe-core/playwright";
import { test as base, expect, type APIRequestContext, type Browser, type BrowserContextOptions, type Locator, type Page } from "@playwright/test";

/** Somebody with a browser of their own. */
export class Person {
  /** What their console said that it should not say. */
  readonly complaints: string[] = [];

  // Playwright says so itself, where a scene has no need of one.
  private readonly expected: RegExp[] = [/Service Worker registration blocked by Playwright/];

  constructor(readonly page: Page) {
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) this.complains(message.text());
    });
    page.on("pageerror", (error) => this.complains(String(error)));
  }

  /** The browser itself will say this, and that is right. */
  expects(complaint: RegExp): void {
    this.expected.push(complaint);
  }

  private complains(text: string): void {
    if (!this.expected.some((expected) => expected.test(text))) this.complaints.push(text);
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

  /** Who is here. */
  get people(): Locator {
    return this.page.locator("#people li");
  }

  /** The sheet about the room, the settings, or the shortcuts. */
  async opens(sheet: "about" | "settings" | "keys"): Promise<Locator> {
    if (sheet === "settings") await this.page.locator(".me summary").click();
    if (sheet === "keys") await this.page.keyboard.press("Control+/");
    else await this.page.locator(`[popovertarget=${sheet}]:visible`).first().click();
    const opened = this.page.locator(`#${sheet}`);
    await expect(opened).toBeVisible();
    return opened;
  }

  line(text: string): Locator {
    return this.page.locator(".line").filter({ has: this.page.getByText(text, { exact: true }) });
  }

  /** Opens a room and waits until it is live. */
  async enters(room: string): Promise<void> {
    await this.page.goto(`/r/${room}`);
    await this.isLive();
  }

  async isLive(): Promise<void> {
    await expect(this.page.locator("[data-connection=open]")).toBeAttached();
  }

  async says(text: string): Promise<void> {
    await this.composer.fill(text);
    await this.sends();
  }

  /** With Enter, or with the button where Enter begins a line. */
  async sends(): Promise<void> {
    if (await this.page.evaluate(() => matchMedia("(pointer: fine)").matches)) await this.composer.press("Enter");
    else await this.page.getByRole("button", { name: /^(Send|发送)$/ }).tap();
  }

  async sees(text: string): Promise<void> {
    await expect(this.line(text)).toHaveAttribute("data-standing", "confirmed");
    await expect(this.line(text)).toHaveCount(1);
  }

  /** Opens the menu of a message of their own. */
  async menu(text: string): Promise<void> {
    await this.line(text).hover();
    await this.line(text).locator(".menu summary").click();
  }

  /** Where a message is edited. */
  get editor(): Locator {
    return this.page.locator(".menu[open] textarea");
  }

  async changes(text: string, to: string): Promise<void> {
    await this.menu(text);
    await this.editor.fill(to);
    await this.editor.press("Enter");
  }

  /** Deletes a message of their own; it can be undone for some seconds. */
  async deletes(text: string): Promise<void> {
    await this.menu(text);
    await this.page.locator(".menu[open]").getByRole("button", { name: "Delete" }).click();
  }

  async seesAll(texts: string[]): Promise<void> {
    await expect(this.messages).toHaveText(texts);
  }

  async calls(name: string): Promise<void> {
    await this.page.locator(".me summary").click();
    await this.page.getByLabel("Your name").fill(name);
    await this.page.getByRole("button", { name: "Save" }).click();
    await expect(this.name).toHaveText(name);
  }
}

/** axe finds nothing. */
export async function isAccessible(person: Person): Promise<void> {
  // What is still fading in has the contrast of a moment.
  await expect
    .poll(() => person.page.evaluate(() => document.getAnimations().every((motion) => motion.playState !== "running")))
    .toBe(true);
  const { violations } = await new AxeBuilder({ page: person.page }).analyze();
  expect(violations.map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.html).join(" ")}`)).toEqual([]);
}

/** The tab is looked at no longer, or again. */
export async function hides(person: Person, hidden: boolean): Promise<void> {
  await person.page.evaluate((hidden) => {
    Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);
}

/** A phone, as a browser's options. */
export const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true } as const;

/** Somebody who talks over HTTP has said `message 1` and so on. */
export async function said(request: APIRequestContext, room: string, to: number, from = 1): Promise<void> {
  for (let n = from; n <= to; n++) {
    const post = () => request.post(`/api/rooms/${room}/messages`, { data: { text: `message ${n}` } });
    // So many at once are too fast for one person.
    while ((await post()).status() !== 201) await new Promise((later) => setTimeout(later, 100));
  }
}

type Cast = {
  /** A room that nobody else is in. */
  room: string;
  ann: Person;
  bob: Person;
  /** Brings somebody else, as `options` describe their browser. */
  somebody: (options?: BrowserContextOptions) => Promise<Person>;
};

let rooms = 0;

export const test = base.extend<Cast>({
  room: async ({}, use) => {
    await use(`t-${process.pid}-${Date.now()}-${rooms++}`);
  },
  somebody: async ({ browser, contextOptions }, use) => {
    const people: Person[] = [];
    await use(async (options) => {
      const person = await arrives(browser, { ...contextOptions, ...options });
      people.push(person);
      return person;
    });
    for (const person of people) {
      expect(person.complaints, "no console error or warning").toEqual([]);
      await person.page.context().close();
    }
  },
  ann: async ({ somebody }, use) => use(await somebody()),
  bob: async ({ somebody }, use) => use(await somebody()),
});

async function arrives(browser: Browser, options: BrowserContextOptions): Promise<Person> {
  const context = await browser.newContext(options);
  return new Person(await context.newPage());
}

export { expect };
