import { OwnServer } from "../hubbub";
import { expect, test, type User } from "../people";
import { openIdlePage, postRange } from "../posting";

/** Counts how often an animation `name`, or a transition of a property `name`, begins in an element that matches `selector`. */
async function watch(user: User, selector: string, name: string): Promise<() => Promise<number>> {
  const count = await user.page.evaluateHandle(
    ([selector, name]) => {
      const counted = { value: 0 };
      const count = (target: EventTarget | null, begun: string) => {
        if (begun === name && (target as Element).matches(selector)) counted.value++;
      };
      document.addEventListener("animationstart", ({ target, animationName }) => count(target, animationName));
      document.addEventListener("transitionrun", ({ target, propertyName }) => count(target, propertyName));
      return counted;
    },
    [selector, name] as const,
  );
  return () => count.evaluate(({ value }) => value);
}

test("a message that arrives at the end rises, and a flood does not move", async ({ ann, bob, room }) => {
  const server = await OwnServer.start("--post-rate", "0");
  await openIdlePage(bob, server);
  await ann.joinRoom(room, server.url);
  const rises = await watch(ann, ".line", "rise");
  await postRange(bob, room, 1, 1);
  await ann.seesMessage("message 1");
  await expect.poll(rises).toBe(1);
  await postRange(bob, room, 2, 101, 2_000);
  await ann.seesMessage("message 101");
  expect(await rises(), "the first ones rise, until it is a flood").toBeLessThan(10);
  await server.remove();
});

test("with reduced motion no message rises, no badge pops and no dot blinks", async ({ newUser, bob, room }) => {
  const ann = await newUser({ reducedMotion: "reduce" });
  await bob.joinRoom(room);
  await ann.joinRoom(room);
  const rises = await watch(ann, ".line", "rise");
  await bob.composer.pressSequentially("hello");
  await expect(ann.page.locator(".typing .dots i")).toHaveCount(3);
  expect(await ann.page.evaluate(() => document.getAnimations().length)).toBe(0);
  await bob.composer.press("Enter");
  await ann.seesMessage("hello");
  expect(await rises()).toBe(0);
});

test("a badge that appears pops, and one of the loaded page does not", async ({ ann, bob, room }) => {
  await ann.createRoom(`Here ${room}`);
  await bob.createRoom(`There ${room}`);
  await ann.joinRoom(`there-${room}`);
  await ann.send("hello");
  await bob.seesMessage("hello");
  await ann.joinRoom(`here-${room}`);
  const pops = await watch(ann, ".badge", "scale");
  await bob.send("one");
  await expect(ann.room(`There ${room}`)).toContainText("1 unread");
  await expect.poll(pops).toBe(1);
  await bob.send("two");
  await expect(ann.room(`There ${room}`)).toContainText("2 unread");
  expect(await pops(), "a badge that changes").toBe(1);
  await ann.page.reload();
  await expect(ann.room(`There ${room}`)).toContainText("2 unread");
  await ann.waitUntilLive();
  const badge = ann.page.locator(".badge");
  expect(await badge.evaluate((badge) => badge.getAnimations().length)).toBe(0);
});

test("three dots and a face show who is typing", async ({ ann, bob, room }) => {
  await ann.joinRoom(room);
  await bob.joinRoom(room);
  await bob.rename("Bob");
  await bob.composer.pressSequentially("hm");
  const typing = ann.page.locator(".typing");
  await expect(typing.locator(".face")).toHaveAttribute("data-initials", "B");
  const blinking = () => typing.evaluate((line) => line.getAnimations({ subtree: true }).length);
  await expect.poll(blinking).toBe(3);
  await bob.composer.press("Enter");
  await expect(typing.locator(".face")).toHaveCount(0);
});

test("a finger pulls a dialog away on a phone", async ({ newUser, room }) => {
  const ann = await newUser({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await ann.joinRoom(room);
  const dialog = await ann.openDialog("about");
  const finger = await ann.page.context().newCDPSession(ann.page);
  const pull = async (by: number) => {
    const box = (await dialog.boundingBox())!;
    const touch = (type: "touchStart" | "touchMove" | "touchEnd", y?: number) =>
      finger.send("Input.dispatchTouchEvent", { type, touchPoints: y === undefined ? [] : [{ x: 100, y }] });
    await touch("touchStart", box.y + 20);
    for (const part of [0.25, 0.5, 0.75, 1]) await touch("touchMove", box.y + 20 + by * part);
    await touch("touchEnd");
  };
  await pull(50);
  await expect(dialog).toBeVisible();
  await expect(dialog).toHaveCSS("translate", "none");
  await pull(200);
  await expect(dialog).toBeHidden();
});
