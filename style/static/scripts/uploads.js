// This script uploads files in parts, and continues after a cut connection or a reload. `files.js` loads it and shows the
// result.

const MIN_PART_BYTES = 64 * 1024;
const MAX_PART_BYTES = 1024 * 1024;
const MAX_RETRIES = 8;
// A part that takes longer is cut off and sent again in smaller ones.
const PART_TIMEOUT_MS = 14_000;

// The longer side of a preview that stands still: it has no need of every pixel.
const MAX_STILL_PX = 320;

const reducedMotionQuery = matchMedia("(prefers-reduced-motion: reduce)");

const JSON_TYPE = { "content-type": "application/json" };

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// The browser knows when the network returns.
const waitUntilOnline = () => (navigator.onLine ? Promise.resolve() : new Promise((resolve) => addEventListener("online", resolve, { once: true })));

class RefusedError extends Error {}

// Returns true if the server has the user's present description of a file.
export const isDescribed = ({ file, alt }) => (file.alt ?? "") === alt;

// Returns a number of bytes as a user reads it.
export function formatSize(bytes) {
  const units = ["B", "KB", "MB", "GB"];
  let at = 0;
  let size = bytes;
  while (size >= 1024 && at < 3) ((size /= 1024), at++);
  return `${at && size < 10 ? (Math.floor(size * 10) / 10).toFixed(1) : Math.floor(size)} ${units[at]}`;
}

// Returns the address of a preview of a picture. A browser moves an animated picture, so for users who prefer reduced motion
// the preview is a copy of its first frame. The promise rejects if the browser cannot read the picture then.
export async function createPreviewUrl(source) {
  if (!reducedMotionQuery.matches) return URL.createObjectURL(source);
  const frame = await createImageBitmap(source);
  const scale = Math.min(1, MAX_STILL_PX / Math.max(frame.width, frame.height));
  const [width, height] = [frame.width, frame.height].map((side) => Math.max(1, Math.round(side * scale)));
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  canvas.getContext("2d").drawImage(frame, 0, 0, width, height);
  frame.close();
  return URL.createObjectURL(await new Promise((resolve) => canvas.toBlob(resolve)));
}

// Returns functions that upload the files of a tray. An item has `name`, `size`, `alt`, an abort controller in `stop`, and the
// bytes in `source` unless they are lost. The functions add an `id`, the `offset`, and at the end a `file` or an `error`.
// `tray` has the address and the texts, and `page` has these functions: `saveFields` stores fields, `renderItem` shows an
// item, `recheckUpload` uploads an item again as far as necessary, `removeSent` removes an item that a message has, and
// `showWaiting` says whether the uploads wait for the network.
export function createUploader({ uploads, room, tooLarge, full, damaged, refused, failed, lost }, page) {
  const getReason = (code) => ({ 413: tooLarge, 507: full, 422: damaged, 403: refused })[code] ?? failed;

  async function sendRequest(item, method, path, options = {}) {
    const answer = await fetch(path, { method, signal: item.stop.signal, ...options });
    if (answer.ok || answer.status === 409) return answer;
    // The server is busy, restarts, or asks for patience.
    if ([408, 429, 500, 502, 503, 504].includes(answer.status)) {
      await sleep(1000 * Math.min(30, Number(answer.headers.get("retry-after")) || 1));
      throw new TypeError(`status ${answer.status}`);
    }
    throw Object.assign(new RefusedError(getReason(answer.status)), { code: answer.status });
  }

  async function createUpload(item) {
    const { name, size, alt } = item;
    const body = JSON.stringify({ name: name || "file", size, alt });
    const answer = await sendRequest(item, "POST", `${uploads}?room=${room}`, { body, headers: JSON_TYPE });
    ({ id: item.id } = await answer.json());
    Object.assign(item, { offset: 0, isUnsure: false });
    page.saveFields(item, { id: item.id });
  }

  // Asks what the server has of a file that an earlier page has uploaded, or this page some time ago.
  async function checkUpload(item) {
    const answer = await sendRequest(item, "GET", `${uploads}/${item.id}`);
    const { received, file, claimed } = await answer.json();
    if (claimed) return page.removeSent(item);
    Object.assign(item, { isUnsure: false, checkedAt: Date.now(), offset: received, file });
  }

  // Sends the next part. When the server has all parts, the request is empty and asks for the result.
  async function sendPart(item) {
    // Without its bytes an item can only ask for the result.
    const part = item.source?.slice(item.offset, item.offset + item.part) ?? new Blob();
    const began = performance.now();
    const timer = AbortSignal.timeout(PART_TIMEOUT_MS);
    const signal = AbortSignal.any ? AbortSignal.any([item.stop.signal, timer]) : item.stop.signal;
    const answer = await sendRequest(item, "PATCH", `${uploads}/${item.id}`, { body: part, headers: { "upload-offset": String(item.offset) }, signal });
    item.offset = Number(answer.headers.get("upload-offset"));
    if (answer.status === 409) return;
    const took = performance.now() - began;
    if (took < 1000) item.part = Math.min(MAX_PART_BYTES, item.part * 2);
    ({ file: item.file } = await answer.json());
  }

  async function continueUpload(item) {
    if (item.isUnsure && item.id) return checkUpload(item);
    const isComplete = item.id && item.offset === item.size;
    if (!item.source && !isComplete) throw Object.assign(new RefusedError(lost), { isLost: true });
    if (!item.id) await createUpload(item);
    return sendPart(item);
  }

  async function uploadFile(item) {
    let failures = 0;
    item.part = MIN_PART_BYTES * 4;
    while (!item.file) {
      try {
        await continueUpload(item);
        failures = 0;
        if (item.stop.signal.aborted) return;
        page.renderItem(item);
      } catch (error) {
        if (item.stop.signal.aborted) return;
        // The server has forgotten the upload meanwhile, so the upload begins again.
        if (error.code === 404 && !item.isRestarted) {
          item.isRestarted = true;
          item.id = undefined;
          continue;
        }
        if (error instanceof RefusedError || ++failures > MAX_RETRIES) {
          // The server keeps nothing of a picture that it refuses as damaged.
          if (error.code === 422) item.id = undefined;
          item.error = error instanceof RefusedError ? error.message : failed;
          item.isLost = error.isLost;
          return page.renderItem(item);
        }
        item.part = Math.max(MIN_PART_BYTES, item.part / 2);
        page.showWaiting(true);
        const isStopped = new Promise((resolve) => item.stop.signal.addEventListener("abort", resolve));
        await Promise.race([waitUntilOnline().then(() => sleep(Math.min(10_000, 500 * 2 ** failures))), isStopped]);
        if (item.stop.signal.aborted) return;
        // A part may have arrived whose answer was lost.
        item.isUnsure = true;
        page.showWaiting(false);
      }
    }
    await sendDescription(item);
  }

  // Tells the server the user's description of a picture.
  async function sendDescription(item) {
    while (item.file && !isDescribed(item) && !item.stop.signal.aborted) {
      const { alt } = item;
      try {
        await sendRequest(item, "PUT", `${uploads}/${item.id}`, { body: JSON.stringify({ alt }), headers: JSON_TYPE });
        item.file.alt = alt;
      } catch (error) {
        // Either the server has forgotten the file, or a message of another window has it; a check finds out which.
        if (error.code === 404) return page.recheckUpload(item);
        if (error instanceof RefusedError) item.file.alt = alt;
        else await waitUntilOnline().then(() => sleep(1000));
      }
    }
  }

  // Lets the server forget a file that the user has removed.
  function cancelUpload({ id }) {
    if (id) fetch(`${uploads}/${id}`, { method: "DELETE", keepalive: true }).catch(() => {});
  }

  return { cancelUpload, sendDescription, uploadFile };
}
