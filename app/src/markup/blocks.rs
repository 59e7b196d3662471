//! Blocks: what the beginning of each line decides.

use super::{Block, Content, Item, MAX_LIST_DEPTH, MAX_QUOTE_DEPTH, Span, inline};

/// Backticks that begin a code block, at least.
const FENCE: usize = 3;

/// Bytes of a language, at most.
const MAX_LANGUAGE_BYTES: usize = 24;

/// Digits of a number before an item, at most: a year with a full stop begins no list.
const MAX_NUMBER_DIGITS: usize = 3;

/// Code blocks of a text, at most, since each has buttons of its own. The marks of others are text.
const MAX_CODE_BLOCKS: usize = 40;

/// Spaces before an item for each list around it.
const INDENTATION: usize = 2;

pub(super) fn parse(text: &str) -> Vec<Block> {
    let lines: Vec<&str> = text.split('\n').collect();
    let mut blocks = Vec::new();
    let mut code_blocks_left = MAX_CODE_BLOCKS;
    parse_lines(&lines, 0, &mut code_blocks_left, &mut blocks);
    if blocks.is_empty() && !text.is_empty() {
        // Marks without a text are shown as they are.
        let span = Span { text: text.into(), ..Span::default() };
        blocks.push(Block { quote_depth: 0, content: Content::Paragraph(vec![span]) });
    }
    blocks
}

fn parse_lines(lines: &[&str], quote_depth: u8, code_blocks_left: &mut usize, blocks: &mut Vec<Block>) {
    let (mut paragraph, mut at) = (0, 0);
    while let Some(line) = lines.get(at) {
        let (begin, mut found) = (at, Vec::new());
        let mut push = |content| found.push(Block { quote_depth, content });
        if let Some(fence) = Fence::open(line).filter(|_| *code_blocks_left > 0) {
            *code_blocks_left -= 1;
            let (content, taken) = fence.take(&lines[at + 1..]);
            push(content);
            at += 1 + taken;
        } else if Marker::parse(line).is_some() {
            let (items, taken) = take_items(&lines[at..]);
            push(Content::List(items));
            at += taken;
        } else {
            let quoted: Vec<&str> =
                lines[at..].iter().map_while(|line| unquoted(line, quote_depth)).collect();
            parse_lines(&quoted, quote_depth + 1, code_blocks_left, &mut found);
            at += quoted.len().max(1);
            if found.is_empty() {
                continue;
            }
        }
        push_paragraph(&lines[paragraph..begin], quote_depth, blocks);
        blocks.append(&mut found);
        paragraph = at;
    }
    push_paragraph(&lines[paragraph..], quote_depth, blocks);
}

/// Adds a paragraph without the blank lines at its ends, unless nothing is left of it.
fn push_paragraph(lines: &[&str], quote_depth: u8, blocks: &mut Vec<Block>) {
    let is_text = |line: &&str| !line.trim().is_empty();
    let Some(first) = lines.iter().position(is_text) else { return };
    let last = lines.iter().rposition(is_text).unwrap_or(first);
    let spans = inline::parse(&lines[first..=last].join("\n"));
    blocks.push(Block { quote_depth, content: Content::Paragraph(spans) });
}

/// Returns a quoted line without its mark.
fn unquoted(line: &str, depth: u8) -> Option<&str> {
    let rest = line.strip_prefix('>').filter(|_| depth < MAX_QUOTE_DEPTH)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix(' ') }
}

/// The line that begins a code block.
struct Fence<'a> {
    backticks: usize,
    language: &'a str,
    /// Code on the same line.
    first: Option<&'a str>,
}

impl<'a> Fence<'a> {
    fn open(line: &'a str) -> Option<Self> {
        let line = line.trim_start();
        let info = line.trim_start_matches('`');
        let backticks = line.len() - info.len();
        if backticks < FENCE || info.contains('`') {
            return None;
        }
        let is_language = info.trim().len() <= MAX_LANGUAGE_BYTES
            && info.trim().bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+#.-_".contains(&byte));
        Some(match is_language {
            true => Self { backticks, language: info.trim(), first: None },
            false => Self { backticks, language: "", first: Some(info) },
        })
    }

    /// Takes the lines up to the one that ends the block; all, if none does. Returns their number, too.
    fn take(self, lines: &[&'a str]) -> (Content, usize) {
        let (mut code, mut taken) = (Vec::from_iter(self.first), 0);
        for line in lines {
            taken += 1;
            let line_end = line.trim_end();
            let before = line_end.trim_end_matches('`');
            if line_end.len() - before.len() >= self.backticks {
                // The last line of code may stand before the fence.
                code.extend(Some(before).filter(|before| !before.trim().is_empty()));
                break;
            }
            code.push(line);
        }
        (Content::Code { language: self.language.into(), text: code.join("\n") }, taken)
    }
}

/// The beginning of an item.
struct Marker<'a> {
    depth: u8,
    number: Option<&'a str>,
    text: &'a str,
}

impl<'a> Marker<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let marked = line.trim_start_matches(' ');
        let depth = u8::try_from((line.len() - marked.len()) / INDENTATION).unwrap_or(u8::MAX);
        let digits = marked.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = match digits {
            0 => (None, marked.strip_prefix(['-', '*', '+'])?),
            1..=MAX_NUMBER_DIGITS => (Some(&marked[..digits]), marked[digits..].strip_prefix(['.', ')'])?),
            _ => return None,
        };
        let text = rest.strip_prefix(' ')?.trim_start_matches(' ');
        (!text.is_empty()).then(|| Self { depth: depth.min(MAX_LIST_DEPTH), number, text })
    }
}

/// Takes the items at the beginning of `lines`, each with the indented lines that follow it. Returns the number of lines, too.
fn take_items(lines: &[&str]) -> (Vec<Item>, usize) {
    let (mut items, mut at) = (Vec::new(), 0);
    while let Some(marker) = lines.get(at).and_then(|line| Marker::parse(line)) {
        let mut text = marker.text.to_owned();
        at += 1;
        while let Some(line) = lines.get(at).filter(|line| continues_item(line)) {
            text.push('\n');
            text.push_str(line.trim_start());
            at += 1;
        }
        let number = marker.number.map(|number| format!("{number}."));
        items.push(Item { depth: marker.depth, number, spans: inline::parse(&text) });
    }
    (items, at)
}

fn continues_item(line: &str) -> bool {
    line.starts_with("  ")
        && !line.trim().is_empty()
        && Marker::parse(line).is_none()
        && Fence::open(line).is_none()
}
