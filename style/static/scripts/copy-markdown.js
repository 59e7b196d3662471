// This script writes messages of the page as Markdown. Each stands under its author and time, and its text is in a quote that
// nothing in it ends. Its files follow as links. Markup stays the same markup; every other character that means something is
// escaped.

const isCopyable = (row) => /^m\d+$/.test(row.id) && !row.matches(".deleted, .blocked, [hidden], [data-editing]");
// A message of files alone has no text.
const getText = (row) => row.querySelector(".text");
const getFiles = (row) => row.querySelector(".files");

// Returns the rows of the selection if it has several and `row` is one of them, else `row` alone.
export function getSelectedRows(row) {
  const selection = getSelection();
  if (selection.isCollapsed) return [row];
  const rows = [...row.parentElement.children].filter((other) => isCopyable(other) && selection.containsNode(getText(other) ?? getFiles(other), true));
  return rows.length > 1 && rows.includes(row) ? rows : [row];
}

const escapeText = (text) => text.replace(/[\\`*_~[\]<>&|]/g, "\\$&");

// A fence has more backticks than any run of them in the code.
const createFence = (text, least) => "`".repeat(Math.max(least, ...(text.match(/`+/g) ?? [""]).map((run) => run.length + 1)));

function formatCode(text) {
  const [mark, space] = [createFence(text, 1), /^`|`$/.test(text) ? " " : ""];
  return mark + space + text.replaceAll("\n", " ") + space + mark;
}

function formatLink({ className, textContent, title }) {
  if (className === "room-link") return escapeText(textContent);
  if (title === textContent && !/[<>\\&\s]/.test(title)) return `<${title}>`;
  return `[${escapeText(textContent)}](<${title.replace(/[<>\\&]/g, "\\$&")}>)`;
}

function formatInline(parent) {
  return [...parent.childNodes].map((node) => {
    if (node.nodeType === Node.TEXT_NODE) return escapeText(node.data);
    if (node.matches(".marker, .edited")) return "";
    const { classList } = node;
    const marks = [["bold", "**"], ["italic", "*"], ["struck", "~~"]].filter(([name]) => classList.contains(name)).map(([, mark]) => mark);
    const isCode = node.tagName === "CODE" || classList.contains("code");
    const shown = node.tagName === "A" ? formatLink(node) : isCode ? formatCode(node.textContent) : formatInline(node);
    return marks.join("") + shown + marks.reverse().join("");
  }).join("");
}

// Returns a line that begins no heading, no list, no underline of a heading and no indented code.
const escapeLineStart = (line) =>
  line.replace(/^[ \t]+/, (indent) => "\u{a0}".repeat(indent.length)).replace(/^(\u{a0}*)([#+\-=:])/u, "$1\\$2").replace(/^(\u{a0}*\d+)([.)])/u, "$1\\$2");

function formatParagraph(element) {
  const lines = formatInline(element).split("\n");
  const isBlank = (line) => line === undefined || line.trim() === "";
  return lines.map((line, at) => (isBlank(line) ? "" : escapeLineStart(line) + (isBlank(lines[at + 1]) ? "" : "\\")));
}

function formatItem(element) {
  const depth = Number(/depth-(\d)/.exec(element.className)?.[1] ?? 0);
  const marker = element.querySelector(".marker").textContent.trim().replace("•", "-");
  return `${"    ".repeat(depth)}${marker} ${escapeLineStart(formatInline(element).replaceAll("\n", " "))}`;
}

function formatBlock(element) {
  if (element.matches("blockquote")) {
    const mark = element.matches(".nested") ? "> > " : "> ";
    return formatBlocks(element).map((line) => mark + line);
  }
  if (element.matches("ul")) return [...element.children].map(formatItem);
  if (!element.matches(".code-block")) return formatParagraph(element);
  const text = element.querySelector("code").textContent;
  const fence = createFence(text, 3);
  return [fence + element.querySelector(".language").textContent, ...text.split("\n"), fence];
}

function formatBlocks(parent) {
  return [...parent.children].flatMap((element, at) => (at ? ["", ...formatBlock(element)] : formatBlock(element)));
}

function formatText(text) {
  const lines = text.tagName === "P" ? formatParagraph(text) : formatBlocks(text);
  return lines.map((line) => `> ${line}`.trimEnd()).join("\n");
}

// A picture shows itself; a link has the name of another file.
function formatFile(element) {
  const [image, link] = [element.querySelector("img"), element.querySelector("a") ?? element];
  const label = escapeText((image?.alt ?? link.querySelector(".name").textContent).replaceAll("\n", " "));
  return `- ${image ? "!" : ""}[${label}](<${link.href}>)`;
}

function formatMessage(row) {
  const [text, files] = [getText(row), getFiles(row)];
  const at = new Date(row.querySelector("time").dateTime);
  const padNumber = (number) => String(number).padStart(2, "0");
  const day = `${at.getFullYear()}-${padNumber(at.getMonth() + 1)}-${padNumber(at.getDate())}`;
  const author = escapeText(row.querySelector(".author").textContent.trim());
  const parts = [`**${author}** ${day} ${padNumber(at.getHours())}:${padNumber(at.getMinutes())}`];
  if (text) parts.push(formatText(text));
  if (files) parts.push([...files.children].map(formatFile).join("\n"));
  return `${parts.join("\n\n")}\n`;
}

export const formatMarkdown = (rows) => rows.map(formatMessage).join("\n");
