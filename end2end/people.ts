import AxeBuilder from "@axe-core/playwright";
import { test as base, expect, type APIRequestContext, type Browser, type BrowserContextOptions, type Locator, type Page, type Worker } from "@playwright/test";
import { OwnServer } from "./hubbub";

/** A user with their own browser context. */
export class User {
  /** Unexpected errors and warnings of the console. */
  readonly consoleErrors: string[] = [];

  // Playwright itself logs this if a test blocks service workers.
  private readonly expected: RegExp[] = [/Service Worker registration blocked by Playwright/];

  constructor(readonly page: Page) {
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) this.record(`${message.text()} ${message.location().url}`);
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
    if ([...OwnServer.removed].some((address) => text.includes(address))) return;
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

  /** The part of the profile card that opens and closes it. */
  get profile(): Locator {
    return this.page.locator(".me summary");
  }

  /** Opens the dialog with the room details, the settings or the shortcuts. */
  async openDialog(id: "about" | "settings" | "shortcuts"): Promise<Locator> {
    if (id === "settings") await this.profile.click();
    if (id === "shortcuts") await this.page.keyboard.press("Control+/");
    else await this.page.locator(`[popovertarget=${id}]:visible`).first().click();
    const dialog = this.page.locator(`#${id}`);
    await expect(dialog).toBeVisible();
    return dialog;
  }

  /** The row of a message. */
  line(text: string): Locator {
    const inText = this.page.getByText(text, { exact: true }).and(this.page.locator(":not(.quote *)"));
    return this.page.locator(".line").filter({ has: inText });
  }

  /** Opens a room, of the server at `url` if there is one, and waits until it is live. */
  async joinRoom(room: string, url = ""): Promise<void> {
    await this.page.goto(`${url}/r/${room}`);
    await this.waitUntilLive();
  }

  async waitUntilLive(): Promise<void> {
    await isLive(this.page);
  }

  /** Lets seconds pass on the page's clock, which is installed, and gives the server time to answer the heartbeats. */
  async passSeconds(seconds: number): Promise<void> {
    // An answer that takes longer than the clock gives it costs a connection.
    this.allowConsoleError(/WebSocket is closed before/);
    for (let second = 0; second < seconds; second++) {
      await this.page.clock.runFor(1_000);
      await this.waitUntilLive();
    }
  }

  /** Waits until the script has taken over the page. A page of older messages never becomes live. */
  async waitUntilHydrated(): Promise<void> {
    await expect(this.page.locator("html")).toHaveAttribute("data-alive", "");
  }

  /** Creates a room with the form and waits for its page. */
  async createRoom(title: string, topic = "", isPrivate = false): Promise<void> {
    await this.page.goto("/rooms");
    await this.page.getByLabel("Room name").fill(title);
    await this.page.getByLabel("Topic (optional)").fill(topic);
    if (isPrivate) await this.page.getByLabel("Private").check();
    await this.page.getByRole("button", { name: "Create room" }).click();
    await this.waitUntilLive();
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

  /** The menu with all actions of a message. */
  get actions(): Locator {
    return this.page.getByRole("menu", { name: /^(Message actions|消息操作)$/ });
  }

  /** Chooses an action of a message, after a long press on a phone. */
  async longPress(text: string, action: string): Promise<void> {
    const touch = { pointerType: "touch", bubbles: true };
    await this.line(text).dispatchEvent("pointerdown", touch);
    await expect(this.actions).toBeVisible();
    await this.line(text).dispatchEvent("pointerup", touch);
    // The menu receives touches when the browser can no longer synthesize a click.
    await expect(this.page.locator(".message-menu.pressed")).toHaveCount(0);
    await this.actions.getByRole("menuitem", { name: action }).tap();
  }

  /** Chooses an action of the bar that appears on a message. A message that comes meanwhile moves rows under the pointer. */
  async act(text: string, action: string): Promise<void> {
    const bar = this.line(text).getByRole("toolbar");
    await expect(async () => {
      await this.line(text).hover();
      await expect(bar).toBeVisible({ timeout: 1_000 });
    }).toPass();
    await bar.getByRole("button", { name: action, exact: true }).click();
  }

  /** The line above a reply. */
  quote(text: string): Locator {
    return this.line(text).locator(".quote");
  }

  /** The menu that is open. */
  get menu(): Locator {
    return this.page.locator(".menu[open]");
  }

  /** The field that edits a message. */
  get editor(): Locator {
    return this.menu.locator("textarea");
  }

  async edit(text: string, to: string): Promise<void> {
    await this.openMenu(text);
    await this.editor.fill(to);
    await this.editor.press("Enter");
  }

  /** Deletes the user's own message. The deletion can be undone for some seconds. */
  async delete(text: string): Promise<void> {
    await this.openMenu(text);
    await this.menu.getByRole("button", { name: "Delete" }).click();
  }

  async seesMessages(texts: string[]): Promise<void> {
    await expect(this.messages).toHaveText(texts);
  }

  async rename(name: string): Promise<void> {
    await this.profile.click();
    await this.page.getByLabel("Your name").fill(name);
    await this.page.getByRole("button", { name: "Save" }).click();
    await expect(this.name).toHaveText(name);
  }
}

/** Waits until a room's page is connected. */
export async function isLive(page: Page): Promise<void> {
  await expect(page.locator("[data-connection=open]")).toBeAttached();
}

/** Waits until no animation runs. */
export async function animationsEnd(page: Page): Promise<void> {
  await expect
    .poll(() => page.evaluate(() => document.getAnimations().every((animation) => animation.playState !== "running")))
    .toBe(true);
}

/** Returns how light a color of the page is, from 0 to 1. Browsers and builds write colors in several notations. */
export async function lightness(page: Page, color: string): Promise<number> {
  return page.evaluate((color) => {
    const context = document.createElement("canvas").getContext("2d")!;
    context.fillStyle = color;
    context.fillRect(0, 0, 1, 1);
    const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
    return (red! + green! + blue!) / (3 * 255);
  }, color);
}

/** Expects that axe finds no accessibility violation: of all its rules, or of some. */
export async function isAccessible(user: User, rules?: string[]): Promise<void> {
  // Elements that fade in have a lower contrast until the animation ends.
  await animationsEnd(user.page);
  // The mode without a second page takes half the time. It leaves out frames of other origins, and pages have none.
  const axe = new AxeBuilder({ page: user.page }).setLegacyMode().options({ resultTypes: ["violations"] });
  if (rules) axe.withRules(rules);
  const { violations } = await axe.analyze();
  expect(violations.map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.html).join(" ")}`)).toEqual([]);
}

/** The rules of axe that depend on colors. */
const colorRules = ["color-contrast", "link-in-text-block"];

/** Expects that axe finds no accessibility violation, neither in light nor in dark. */
export async function isAccessibleInLightAndDark(user: User): Promise<void> {
  await user.page.emulateMedia({ colorScheme: "light" });
  await isAccessible(user);
  await user.page.emulateMedia({ colorScheme: "dark" });
  await isAccessible(user, colorRules);
}

/**
 * Stops the timers of some milliseconds on every later page until `endTimers`, since a busy machine takes seconds for a
 * step. Playwright's own clock cannot do that: its numbers of timers do not fit into the 32 bits in which the app
 * stores them, so that the app cannot clear a timer.
 */
export async function stopTimers(user: User, times: number[]): Promise<void> {
  await user.page.addInitScript((times) => {
    const [set, clear] = [window.setTimeout.bind(window), window.clearTimeout.bind(window)];
    const stopped = new Map<number, TimerHandler>();
    let last = 1_000_000;
    Object.assign(window, {
      setTimeout: (handler: TimerHandler, ms?: number) => {
        if (!times.includes(ms ?? 0)) return set(handler, ms);
        stopped.set(++last, handler);
        return last;
      },
      clearTimeout: (id?: number) => stopped.delete(id ?? 0) || clear(id),
      endTimers: () => {
        const handlers = [...stopped.values()];
        stopped.clear();
        for (const handler of handlers) if (typeof handler === "function") handler();
      },
    });
  }, times);
}

/** Ends the timers that `stopTimers` has stopped. */
export async function endTimers(user: User): Promise<void> {
  await user.page.evaluate(() => (window as unknown as { endTimers: () => void }).endTimers());
}

/** Hides or shows the tab, as the page visibility API reports it. */
export async function setTabHidden(user: User, hidden: boolean): Promise<void> {
  await user.page.evaluate((hidden) => {
    Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);
}

/** Sets or removes the focus of the window. */
export async function setWindowFocused(user: User, focused: boolean): Promise<void> {
  await user.page.evaluate((focused) => {
    document.hasFocus = () => focused;
    window.dispatchEvent(new Event(focused ? "focus" : "blur"));
  }, focused);
}

/** Waits until the service worker controls the page. */
export async function hasWorker(user: User): Promise<void> {
  await user.page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    while (!navigator.serviceWorker.controller) await new Promise((done) => setTimeout(done, 20));
  });
}

/** Waits until the service worker has stored a copy of a page that contains `text`. */
export async function hasCopy(user: User, path: string, text = ""): Promise<void> {
  const contains = () =>
    user.page.evaluate(
      async ([path, text]) => {
        const copy = await caches.match(path);
        return copy ? (await copy.text()).includes(text) : false;
      },
      [path, text] as const,
    );
  await expect.poll(contains).toBe(true);
}

/** Returns the service worker of a page that it controls. */
export function workerOf(user: User): Worker {
  return user.page.context().serviceWorkers()[0] as Worker;
}

/** Returns the texts of the notifications that are shown. */
export async function notifications(user: User): Promise<(string | undefined)[]> {
  return workerOf(user).evaluate(async () => {
    const { listNotifications } = self as unknown as { listNotifications: () => Promise<Notification[]> };
    return (await listNotifications()).map((notification) => notification.body);
  });
}

/** Delays the wasm of every page until the returned function is called. */
export async function holdWasm(user: User): Promise<() => void> {
  let release = () => {};
  const held = new Promise<void>((done) => (release = done));
  await user.page.route(/\.wasm$/, async (route) => {
    await held;
    // The page that requested the file may be closed.
    await route.continue().catch(() => {});
  });
  return release;
}

/** The browser options of a phone. */
export const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true } as const;

/** Returns a display name of the user that no other test takes. */
export function uniqueName(name: string, room: string): string {
  return `${name} ${room}`.slice(0, 30);
}

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
      const user = await createUser(browser, { ...contextOptions, ...options });
      users.push(user);
      return user;
    });
    for (const user of users) {
      expect(user.consoleErrors, "no console error or warning").toEqual([]);
      await user.page.context().close();
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
