import { expect, postMessages, test } from "../people";
import { scrollBackUntil } from "../scrolling";

/** The elements whose style the browser computes again for one new message, at most. */
const MAX_RESTYLED = 20;
const MESSAGES = 10;

test.use({ trace: "off" });

type TraceEvent = { name: string; pid: number; ts: number; args: { elementCount?: number } };

for (const full of [false, true]) {
  test(`a new message restyles few elements, ${full ? "with the most rows that a page renders" : "with a page of rows"}`, { tag: full ? "@long" : [] }, async ({ ann, room, browser, request }) => {
    test.slow();
    await postMessages(request, room, full ? 310 : 60);
    await ann.joinRoom(room);
    if (full) {
      await scrollBackUntil(ann, async () => (await ann.messages.count()) >= 300);
      await ann.page.keyboard.press("Alt+End");
      await expect(ann.line("message 310")).toBeInViewport();
    }
    await expect(ann.messages.last()).toHaveText(`message ${full ? 310 : 60}`);
    await ann.page.mouse.move(5, 5);
    const restyled: number[] = [];
    for (let n = 1; n <= MESSAGES; n++) {
      await browser.startTracing(ann.page, { categories: ["blink.user_timing", "devtools.timeline"] });
      await ann.page.evaluate(() => performance.mark("begin"));
      await postMessages(request, room, 1_000 + n, 1_000 + n);
      await expect(ann.messages.last()).toHaveText(`message ${1_000 + n}`);
      await ann.page.evaluate(() => new Promise((shown) => requestAnimationFrame(() => requestAnimationFrame(shown))));
      await ann.page.evaluate(() => performance.mark("end"));
      const trace = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
      const mark = (name: string) => trace.traceEvents.find((event) => event.name === name);
      const [begin, end] = [mark("begin"), mark("end")];
      if (!begin || !end) throw new Error("the trace has no marks");
      const updates = trace.traceEvents.filter(({ name, pid, ts }) => name === "UpdateLayoutTree" && pid === begin.pid && ts > begin.ts && ts < end.ts);
      expect(updates.length, "style updates in the trace").toBeGreaterThan(0);
      restyled.push(updates.reduce((sum, update) => sum + (update.args.elementCount ?? 0), 0));
    }
    // A separator or the connection status may change together with one of the messages, so the median is compared.
    const median = restyled.sort((one, other) => one - other)[MESSAGES / 2]!;
    expect(median, `restyled: ${restyled}`).toBeLessThanOrEqual(MAX_RESTYLED);
    expect(median, "the new row itself").toBeGreaterThan(3);
  });
}
