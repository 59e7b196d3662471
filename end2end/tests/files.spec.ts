import { Hubbub } from "../hubbub";
import { expect, test } from "../people";

test("the files of the page are small, compressed, named by a content hash and immutable", async ({ request }) => {
  const page = await (await request.get("/")).text();
  const files = [...new Set(page.match(/\/pkg\/hubbub\.[0-9a-f]{16}\.(?:js|wasm|css)/g))];
  expect(files).toHaveLength(3);
  const types = { js: "text/javascript; charset=utf-8", wasm: "application/wasm", css: "text/css; charset=utf-8" };
  let weight = 0;
  for (const file of files) {
    const answer = await request.get(file, { headers: { "accept-encoding": "br" } });
    expect(answer.status()).toBe(200);
    const headers = answer.headers();
    expect(headers["content-type"]).toBe(types[file.split(".").pop() as keyof typeof types]);
    expect(headers["content-encoding"]).toBe("br");
    expect(headers["cache-control"]).toContain("immutable");
    weight += Number(headers["content-length"]);
    const gzip = await request.get(file, { headers: { "accept-encoding": "gzip" } });
    expect(gzip.headers()["content-encoding"]).toBe("gzip");
    const again = await request.get(file, { headers: { "accept-encoding": "br", "if-none-match": headers.etag } });
    expect(again.status()).toBe(304);
    const plain = await request.get(file, { headers: { "accept-encoding": "identity" } });
    expect(plain.headers()["content-encoding"]).toBeUndefined();
    expect(await plain.body()).toEqual(await answer.body());
  }
  // A server that runs already may have the site of cargo-leptos, which does not shorten the names of imports.
  const limit = Hubbub.isRunning ? 190 : 177;
  expect(Math.round(weight / 1_000), `KB of wasm, script and style (${weight} bytes)`).toBeLessThanOrEqual(limit);
});

test("files answer GET and HEAD and no other method", async ({ request }) => {
  expect((await request.get("/robots.txt")).status()).toBe(200);
  const head = await request.head("/favicon.svg");
  expect([head.status(), head.headers()["content-type"]]).toEqual([200, "image/svg+xml"]);
  const post = await request.post("/favicon.svg");
  expect([post.status(), post.headers().allow]).toEqual([405, "GET,HEAD"]);
  expect((await request.get("/pkg/hubbub.js")).status(), "only the name with the hash is served").toBe(404);
  expect((await request.get("/../Cargo.toml")).status()).toBe(404);
});
