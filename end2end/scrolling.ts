import { expect, type User } from "./people";

/** Scrolls the messages by some pixels: down if the number is positive. */
export async function scrollBy(user: User, pixels: number): Promise<void> {
  await user.page.locator(".scroller").evaluate((scroller, pixels) => scroller.scrollBy(0, pixels), pixels);
}

/** Scrolls to the oldest rendered row, repeatedly as more rows appear, until `isReached` holds. */
export async function scrollBackUntil(user: User, isReached: () => Promise<boolean>): Promise<void> {
  await expect(async () => {
    if (await isReached()) return;
    await scrollToEdge(user, -1);
    expect(await isReached()).toBe(true);
  }).toPass({ intervals: [50] });
}

/** Scrolls to the newest rendered row, repeatedly as more rows appear, until `isReached` holds, and then to the end. */
export async function scrollForwardUntil(user: User, isReached: () => Promise<boolean>): Promise<void> {
  await expect(async () => {
    await scrollToEdge(user, 1);
    expect(await isReached()).toBe(true);
  }).toPass({ intervals: [50] });
  await scrollToEdge(user, 1);
}

/** Scrolls to an edge of the rendered rows, and waits until the page has handled that. */
async function scrollToEdge(user: User, direction: 1 | -1): Promise<void> {
  await user.page.locator(".scroller").evaluate(async (scroller, direction) => {
    scroller.scrollBy(0, direction * scroller.scrollHeight);
    // The event of a scroll precedes the callbacks of the next frame.
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  }, direction);
}

/** Scrolls until the row of a message is rendered, puts it at the top, and waits until it is the first visible one. */
export async function scrollBackTo(user: User, text: string): Promise<void> {
  await scrollBackUntil(user, async () => (await user.line(text).count()) === 1);
  await user.line(text).evaluate((line) => line.scrollIntoView({ block: "start" }));
  await expect.poll(async () => (await firstVisible(user)).text).toBe(text);
}

/** Scrolls until a row is visible, and returns its vertical position before any other row is rendered. */
export async function scrollIntoView(user: User, text: string): Promise<number> {
  return user.line(text).evaluate((line) => {
    line.scrollIntoView({ block: "nearest" });
    return line.getBoundingClientRect().y;
  });
}

/** Returns the vertical position of a row in the window. */
export async function positionOf(user: User, text: string): Promise<number> {
  return user.line(text).evaluate((line) => line.getBoundingClientRect().y);
}

/** Returns the first message that is visible, and its distance from the upper edge of the messages. */
export async function firstVisible(user: User): Promise<{ text: string; top: number }> {
  return user.page.locator(".scroller").evaluate((scroller) => {
    const edge = scroller.getBoundingClientRect().top;
    const line = [...scroller.querySelectorAll(".line")].find((line) => line.getBoundingClientRect().bottom > edge + 8)!;
    return { text: line.querySelector(".text")!.textContent!, top: line.getBoundingClientRect().top - edge };
  });
}

/** Returns the numbers of the rendered messages, whose texts are `message 1` and so on. */
export async function renderedNumbers(user: User): Promise<number[]> {
  return (await user.messages.allTextContents()).map((text) => Number(text.split(" ")[1]));
}

/** Expects that the numbers of the rendered messages have no gap, and returns the first one. */
export async function isInOrder(user: User): Promise<number> {
  const numbers = await renderedNumbers(user);
  expect(numbers).toEqual(numbers.map((_, n) => numbers[0]! + n));
  return numbers[0]!;
}
