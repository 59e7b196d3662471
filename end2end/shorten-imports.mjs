// Shortens the names by which the wasm imports the functions of wasm-bindgen's glue script, in both files:
// `node shorten-imports.mjs hubbub_bg.wasm hubbub.js`, in place, once, between wasm-bindgen and wasm-opt.
//
// wasm-bindgen gives each of some 200 imports a name with a hash, `__wbg_getItem_49556a3e59cfb688`, which no
// compression makes small. wasm-opt could shorten them too, but would rename what the wasm exports as well.
import { readFileSync, writeFileSync } from "node:fs";

const [wasmFile, glueFile] = process.argv.slice(2);
const wasm = readFileSync(wasmFile);
const glue = readFileSync(glueFile, "utf8");
const LONG = "./hubbub_bg.js";
const SHORT = "a";
const IMPORTS = 2;
/** Skips the descriptor of an import, by its kind: function, table, memory, global or exception. */
const SKIP = [leb, (at) => limits(at + 1), limits, (at) => [0, at + 2], (at) => leb(at + 1)];

/** Returns the unsigned LEB128 number at an offset of the wasm, and the offset after it. */
function leb(at) {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = wasm[at++];
    value += (byte & 127) * 2 ** shift;
    if (byte < 128) return [value, at];
  }
}

function limits(at) {
  const [flags, minimum] = leb(at);
  const [, end] = leb(minimum);
  return flags & 1 ? leb(end) : [0, end];
}

function number(value) {
  return value < 128 ? [value] : [(value & 127) | 128, ...number(value >>> 7)];
}

function text(at) {
  const [length, start] = leb(at);
  return [wasm.toString("utf8", start, start + length), start + length];
}

function named(name) {
  return [...number(Buffer.byteLength(name)), ...Buffer.from(name)];
}

/** Returns the names a, b, … z, ba, bb, … */
function letters(n) {
  const last = String.fromCharCode(97 + (n % 26));
  return n < 26 ? last : letters(Math.floor(n / 26)) + last;
}

const short = new Map();

/** Returns the import section from `at` on, with the short names. */
function imports(at) {
  let [count, next] = leb(at);
  const body = number(count);
  while (count-- > 0) {
    let [module, afterModule] = text(next);
    let [name, kind] = text(afterModule);
    [, next] = SKIP[wasm[kind]](kind + 1);
    if (module === LONG) {
      if (!short.has(name)) short.set(name, letters(short.size));
      [module, name] = [SHORT, short.get(name)];
    }
    body.push(...named(module), ...named(name), ...wasm.subarray(kind, next));
  }
  return Buffer.from([IMPORTS, ...number(body.length), ...body]);
}

const sections = [wasm.subarray(0, 8)];
for (let at = 8; at < wasm.length; ) {
  const [length, start] = leb(at + 1);
  sections.push(wasm[at] === IMPORTS ? imports(start) : wasm.subarray(at, start + length));
  at = start + length;
}

const found = new Set();
const renamed = glue
  .replace(/^(\s+)(__wb\w+)(?=: )/gm, (key, space, name) => {
    if (!short.has(name)) return key;
    found.add(name);
    return space + short.get(name);
  })
  .replace(`"${LONG}": `, `"${SHORT}": `);
const missing = [...short.keys()].filter((name) => !found.has(name));
if (short.size === 0 || missing.length > 0 || renamed.includes(`"${LONG}"`)) {
  throw new Error(`the glue is not as wasm-bindgen wrote it: ${short.size} imports, not found: ${missing.join(", ")}`);
}
writeFileSync(wasmFile, Buffer.concat(sections));
writeFileSync(glueFile, renamed);
