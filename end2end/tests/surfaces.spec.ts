import { type Locator } from "@playwright/test";
import { OwnServer } from "../hubbub";
import { animationsEnd, expect, isAccessible, lightness, phone, postMessages, test } from "../people";

/** More rooms than fit on the screen. */
const ROOMS = 25;

for (const [name, options] of [["on a desktop", {}], ["on a phone", phone]] as const) {
  test(`with more rooms than fit, the settings button has its own surface ${name}`, async ({ newUser, request }) => {
    const server = await OwnServer.start("--post-rate", "0");
    const ann = await newUser({ ...options, baseURL: server.url });
    for (let n = 1; n <= ROOMS; n++) await request.post(`${server.url}/api/rooms/room-${n}/messages`, { data: { text: "hello" } });
    for (let n = 1; n <= ROOMS; n++) await ann.page.request.post(`${server.url}/api/rooms/room-${n}/messages`, { data: { text: "mine" } });
    await ann.joinRoom("room-1");
    if (name === "on a phone") await ann.page.getByRole("button", { name: "Rooms" }).tap();
    const settings = ann.rooms.getByRole("button", { name: "Settings" });
    await expect(settings).toBeInViewport();
    const [box, list] = [await settings.boundingBox(), await ann.rooms.boundingBox()];
    // The button reaches the edge of the window, so that no room is visible below it.
    expect(Math.round(box!.y + box!.height)).toBe(Math.round(list!.y + list!.height));
    const surface = (place: Locator) => place.evaluate((element) => getComputedStyle(element).backgroundColor);
    expect(await surface(settings)).toBe(await surface(ann.rooms));
    for (const y of [box!.y + 3, box!.y + box!.height / 2, box!.y + box!.height - 3]) {
      const hit = await ann.page.evaluate(([x, y]) => document.elementFromPoint(x!, y!)?.closest("button, a")?.textContent?.trim(), [box!.x + 40, y]);
      expect(hit).toBe("Settings");
    }
    await isAccessible(ann);
    await ann.page.close();
    await server.remove();
  });
}

test("with forced colors every button has a border", async ({ newUser, room }) => {
  const ann = await newUser({ forcedColors: "active" });
  await ann.page.goto("/rooms");
  const boxes = () =>
    ann.page.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>("button:not(.icon-button)")]
        .filter((button) => button.offsetParent)
        .filter((button) => {
          const style = getComputedStyle(button);
          return style.borderTopStyle !== "solid" || parseFloat(style.borderTopWidth) < 1 || style.borderTopColor === "rgba(0, 0, 0, 0)";
        })
        .map((button) => button.textContent || button.getAttribute("aria-label")),
    );
  expect(await boxes()).toEqual([]);
  await ann.joinRoom(room);
  await ann.send("mine");
  await ann.seesMessage("mine");
  await ann.openMenu("mine");
  await expect(ann.editor).toBeVisible();
  await ann.profile.click();
  expect(await boxes(), "the room").toEqual([]);
  await ann.openDialog("about");
  expect(await boxes(), "the dialog").toEqual([]);
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`the border of every field and the dot of presence have a contrast of 3:1 in ${colorScheme}`, async ({ newUser, room }) => {
    const ann = await newUser({ colorScheme });
    await ann.joinRoom(room);
    await ann.send("mine");
    await ann.seesMessage("mine");
    const contrasts = () =>
      ann.page.evaluate(() => {
        const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true })!;
        const light = (color: string) => {
          context.fillStyle = color;
          context.fillRect(0, 0, 1, 1);
          const [r, g, b] = [...context.getImageData(0, 0, 1, 1).data].slice(0, 3).map((part) => {
            const value = part / 255;
            return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
          }) as [number, number, number];
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const ratio = (one: number, other: number) => (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
        const behind = (element: Element | null): string => {
          const color = element ? getComputedStyle(element).backgroundColor : "white";
          return color === "rgba(0, 0, 0, 0)" ? behind(element!.parentElement) : color;
        };
        // The dot of a user who is present, of which the surface and the ring around have one color.
        const dots = [...document.querySelectorAll("#members .face")].map((face) => {
          const { borderTopColor, boxShadow } = getComputedStyle(face, "::after");
          const [ring] = boxShadow.match(/^[a-z]+\([^)]*\)/)!;
          const surface = behind(face.parentElement);
          return { id: "present", contrast: light(ring) === light(surface) ? ratio(light(borderTopColor), light(surface)) : 0 };
        });
        const fields = document.querySelectorAll("input:not([type=hidden], [type=checkbox], [type=button]), select, textarea");
        const edges = [...fields].map((field) => {
          const edged = field.id === "text" ? field.closest("form")! : field;
          const edge = light(getComputedStyle(edged).borderTopColor);
          return { id: field.id, contrast: Math.min(ratio(edge, light(behind(edged))), ratio(edge, light(behind(edged.parentElement)))) };
        });
        return [...edges, ...dots];
      });
    // The composer has another border while it has the focus.
    await ann.page.evaluate(() => (document.activeElement as HTMLElement).blur());
    await animationsEnd(ann.page);
    const found = await contrasts();
    await ann.page.goto("/rooms");
    found.push(...(await contrasts()));
    expect(found.map((field) => field.id)).toEqual(expect.arrayContaining(["text", "name", "notify", "present", "share", "title", "topic"]));
    for (const field of found) expect(field.contrast, field.id).toBeGreaterThanOrEqual(3);
  });
}

test("no field makes a phone zoom", async ({ newUser, room }) => {
  const ann = await newUser(phone);
  const small = () =>
    ann.page.evaluate(() =>
      [...document.querySelectorAll("input, textarea, select")]
        .filter((field) => !(field instanceof HTMLInputElement && ["hidden", "checkbox", "radio"].includes(field.type)))
        .map((field) => [field.id, parseFloat(getComputedStyle(field).fontSize)] as const)
        .filter(([, size]) => size < 16),
    );
  await ann.joinRoom(room);
  await ann.send("mine");
  await ann.seesMessage("mine");
  expect(await small(), "the room").toEqual([]);
  await ann.page.goto("/rooms");
  expect(await small(), "the rooms").toEqual([]);
  // The error page of a rejected edit has a field.
  ann.allowConsoleError(/400/);
  await ann.page.evaluate((room) => {
    const form = Object.assign(document.createElement("form"), { method: "post", action: `/r/${room}/1/edit` });
    form.append(Object.assign(document.createElement("input"), { name: "text", value: " " }));
    document.body.append(form);
    form.submit();
  }, room);
  await expect(ann.page.locator("textarea")).toHaveCount(1);
  await expect(ann.page.getByRole("alert")).toBeVisible();
  expect(await small(), "the error page").toEqual([]);
});

for (const options of [{ javaScriptEnabled: true }, { javaScriptEnabled: false }, { colorScheme: "dark" }] as const) {
  test(`a printed page has the title and all messages and no controls: ${JSON.stringify(options)}`, async ({ newUser, room, request }) => {
    await postMessages(request, room, 60);
    const ann = await newUser(options);
    await ann.page.goto(`/r/${room}`);
    if (!("javaScriptEnabled" in options) || options.javaScriptEnabled) await ann.waitUntilLive();
    await ann.composer.fill("a message of her own");
    if ("javaScriptEnabled" in options && !options.javaScriptEnabled) await ann.page.getByRole("button", { name: "Send" }).click();
    else await ann.send("a message of her own");
    await expect(ann.line("a message of her own")).toBeVisible();
    await ann.page.emulateMedia({ media: "print" });
    await expect(ann.page.getByRole("heading", { level: 1 })).toBeVisible();
    const shown = await ann.messages.filter({ visible: true }).count();
    expect(shown).toBe(await ann.messages.count());
    expect(shown).toBeGreaterThanOrEqual(50);
    await expect(ann.page.locator("button:visible, input:visible, textarea:visible, select:visible, summary:visible, nav:visible")).toHaveCount(0);
    const paper = await ann.page.evaluate(() => {
      const first = document.querySelector(".line")!.getBoundingClientRect();
      const last = [...document.querySelectorAll(".line")].at(-1)!.getBoundingClientRect();
      const cut = [...document.querySelectorAll<HTMLElement>("html, body, .room, .page, .scroller, .column")].filter((box) => box.scrollHeight > box.clientHeight + 1);
      return {
        inOrder: first.top < last.top,
        whole: document.documentElement.scrollHeight >= last.bottom + scrollY && first.top + scrollY >= 0,
        cut: cut.filter((box) => getComputedStyle(box).overflowY !== "visible").map((box) => box.className),
        ink: getComputedStyle(document.querySelector(".text")!).color,
      };
    });
    expect(paper).toMatchObject({ inOrder: true, whole: true, cut: [] });
    expect(await lightness(ann.page, paper.ink), `color of printed text: ${paper.ink}`).toBeLessThan(0.5);
  });
}

test("stacked combining characters stay within their row", async ({ ann, room }) => {
  await ann.joinRoom(room);
  const stacked = [..."zalgo"].map((letter) => letter + "\u0301\u0300\u0342\u0304\u0323\u0316\u0331\u0353".repeat(12)).join("");
  await ann.send(stacked);
  await ann.send("to be edited");
  await ann.seesMessage("to be edited");
  await ann.edit("to be edited", `${stacked} edited`);
  await expect(ann.page.locator(".line.was-edited")).toHaveCount(1);
  const loose = await ann.page.evaluate(() => {
    const clips = (element: Element | null): boolean =>
      element !== null && element.matches(".line *") && (["clip", "hidden"].includes(getComputedStyle(element).overflowY) && getComputedStyle(element).display !== "inline" || clips(element.parentElement));
    return [...document.querySelectorAll(".line .text, .line .author b")].filter((text) => !clips(text) && !text.closest(".visually-hidden")).map((text) => text.className);
  });
  expect(loose).toEqual([]);
});
