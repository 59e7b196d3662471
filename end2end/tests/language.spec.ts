import { expect, test } from "../people";

const chinese = { locale: "zh-CN" };

for (const javaScriptEnabled of [true, false]) {
  test(`the server renders Chinese for a Chinese browser, script ${javaScriptEnabled ? "on" : "off"}`, async ({ newUser, room }) => {
    const ming = await newUser({ ...chinese, javaScriptEnabled });
    await ming.page.goto(`/r/${room}`);
    await expect(ming.page.locator("html")).toHaveAttribute("lang", "zh-Hans");
    await expect(ming.page.getByText("还没有这个房间。")).toBeVisible();
    await ming.page.locator("#text").fill("大家好");
    await ming.page.getByRole("button", { name: "发送" }).click();
    await ming.seesMessages(["大家好"]);
    const latin = await ming.page.evaluate(() => document.body.innerText.match(/\b(the|you|room|lobby|message|Settings|Send)\b/gi));
    expect(latin).toBeNull();
    const untranslated = await ming.page.evaluate(() =>
      [...document.querySelectorAll("[aria-label], [title], [placeholder], [data-copied]")]
        .flatMap((element) => ["aria-label", "title", "placeholder", "data-copied", "data-failed"].map((name) => element.getAttribute(name) ?? ""))
        .filter((label) => /[a-z]{3}/i.test(label.replace(/Hubbub|T \d+.*/g, ""))),
    );
    expect(untranslated).toEqual([]);
  });
}

test("the selected language is stored and used by the server", async ({ ann, room }) => {
  await ann.joinRoom(room);
  await ann.openDialog("settings");
  await ann.page.getByRole("button", { name: "简体中文" }).click();
  await expect(ann.page.locator("html")).toHaveAttribute("lang", "zh-Hans");
  await expect(ann.page).toHaveURL(`/r/${room}`);
  await ann.page.goto("/rooms");
  await expect(ann.page.getByRole("heading", { level: 1 })).toHaveText("新建房间");
  const html = await (await ann.page.request.get("/r/No_Such")).text();
  expect(html).toContain('lang="en"'.replace("en", "zh-Hans"));
});

test("errors of the page and of the server are in Chinese", async ({ newUser, room }) => {
  const ming = await newUser(chinese);
  await ming.page.goto(`/r/${room}`);
  await ming.waitUntilLive();
  await ming.page.locator("#text").fill("字".repeat(3000));
  await ming.page.locator("#text").press("Enter");
  await expect(ming.page.getByRole("alert").filter({ hasText: "这条多了 808 字节" })).toBeVisible();
  await ming.profile.click();
  await ming.page.getByLabel("你的名字").fill("\u202e小明");
  await ming.page.getByRole("button", { name: "保存" }).first().click();
  await expect(ming.page.getByRole("alert").filter({ hasText: "隐藏字符、换行或方向控制符" })).toBeVisible();
  ming.allowConsoleError(/404|410/);
  await ming.page.goto("/r/No_Such_Room");
  await expect(ming.page.getByRole("heading")).toHaveText("页面不存在");
  await ming.page.goto("/device/AAAAAAAAAAAAAAAAAAAAAA");
  await expect(ming.page.getByRole("heading")).toHaveText("这个链接已过期");
});

test("a Chinese page shows Chinese days and times", async ({ newUser, room, request }) => {
  await request.post(`/api/rooms/${room}/messages`, { data: { text: "你好" } });
  const ming = await newUser(chinese);
  await ming.page.goto(`/r/${room}`);
  await expect(ming.page.getByRole("heading", { name: "今天" })).toBeVisible();
  const old = await newUser({ ...chinese, javaScriptEnabled: false });
  await old.page.goto(`/r/${room}`);
  await expect(old.page.locator(".day-separator")).toHaveText(/^20\d\d年\d+月\d+日$/);
  await expect(old.page.locator(".timestamp")).toHaveText(/^\d+月\d+日 \d\d:\d\d UTC$/);
});
