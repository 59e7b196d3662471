//! Styles, code and links within a paragraph.
//!
//! Pairs of delimiters are found as in CommonMark 0.31, section 6.2: a stack of those that may open, and each that may close
//! takes the nearest of its kind. Differences: `*` within a word is text, as `_` is; a run of more than three is text; pairs
//! reach neither beyond a blank line nor into brackets.

use super::{
    Span, Style, is_word,
    link::{self, Link},
};
use std::{borrow::Cow, ops::Range};

/// Delimiters side by side that mean something, at most.
const MAX_RUN: usize = 3;

/// Characters that a backslash makes text. Before others it is text itself, as in the paths of Windows.
const ESCAPABLE: &str = "*_~`[]<>";

/// Parses a paragraph, which begins and ends with a line that is not blank.
pub(super) fn parse(text: &str) -> Vec<Span> {
    let (mut spans, mut rest) = (Vec::new(), text);
    while let Some(blank_lines) = blank_lines(rest) {
        Parser::new(&rest[..blank_lines.start]).parse(&mut spans);
        push(&mut spans, &rest[blank_lines.clone()], Style::default(), None);
        rest = &rest[blank_lines.end..];
    }
    Parser::new(rest).parse(&mut spans);
    spans
}

/// Returns the first blank lines, from the line feed before them to the one after them.
fn blank_lines(text: &str) -> Option<Range<usize>> {
    let is_blank =
        |at: &usize| text[at + 1..].split_once('\n').is_some_and(|(line, _)| line.trim().is_empty());
    let start = text.match_indices('\n').map(|(at, _)| at).find(is_blank)?;
    let next = text[start..].find(|c: char| !c.is_whitespace()).map_or(text.len(), |at| start + at);
    Some(start..text[..next].rfind('\n')? + 1)
}

/// Adds a text. Texts that look alike become one span.
fn push(spans: &mut Vec<Span>, text: &str, style: Style, href: Option<&str>) {
    match spans.last_mut() {
        _ if text.is_empty() => {}
        Some(last) if last.style == style && last.href.as_deref() == href => last.text.push_str(text),
        _ => spans.push(Span { text: text.into(), style, href: href.map(Into::into) }),
    }
}

/// A piece of the result. Delimiters are texts until their pair is found.
#[derive(Default)]
struct Piece<'a> {
    text: &'a str,
    is_code: bool,
    href: Option<Cow<'a, str>>,
}

/// A run of delimiters that may begin a pair.
struct Opener {
    piece: usize,
    mark: Mark,
    left: usize,
}

/// A kind of delimiter.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Asterisk,
    Underscore,
    Tilde,
}

/// The pieces between the delimiters of a pair.
struct Pair {
    pieces: Range<usize>,
    emphasis: Emphasis,
}

/// The emphasis that a pair gives.
#[derive(Clone, Copy)]
enum Emphasis {
    Bold,
    Italic,
    Strike,
}

/// An opening bracket.
struct Bracket {
    piece: usize,
    /// The number of openers before it, in all and of each mark.
    openers: usize,
    open: [usize; 3],
}

#[derive(Default)]
struct Parser<'a> {
    text: &'a str,
    /// The start of the text that is not in a piece yet.
    start: usize,
    at: usize,
    pieces: Vec<Piece<'a>>,
    openers: Vec<Opener>,
    /// The number of openers of each mark.
    open: [usize; 3],
    brackets: Vec<Bracket>,
    pairs: Vec<Pair>,
    /// Lengths of runs of backticks without another run of the same length after them.
    unpaired: Vec<usize>,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, ..Self::default() }
    }

    fn parse(mut self, spans: &mut Vec<Span>) {
        while let Some(byte) = self.text.as_bytes().get(self.at) {
            self.at += match byte {
                b'\\' => self.escape(),
                b'`' => self.code(),
                b'*' => self.delimiters(Mark::Asterisk),
                b'_' => self.delimiters(Mark::Underscore),
                b'~' => self.delimiters(Mark::Tilde),
                b'[' => self.open_bracket(),
                b']' => self.close_bracket(),
                b'<' => self.link(link::angled(self.rest()).ok_or(1)),
                b'h' | b'H' | b'm' | b'M' | b'w' | b'W' if !self.before().is_some_and(is_word) => {
                    self.link(link::bare(self.rest()))
                }
                _ => 1,
            };
        }
        self.flush();
        self.into_spans(spans);
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn before(&self) -> Option<char> {
        self.text[..self.at].chars().next_back()
    }

    /// Makes a piece of the text before the current position.
    fn flush(&mut self) {
        if self.start < self.at {
            self.pieces.push(Piece { text: &self.text[self.start..self.at], ..Piece::default() });
            self.start = self.at;
        }
    }

    /// Adds a piece for the next `len` bytes. Returns `len`.
    fn put(&mut self, piece: Piece<'a>, len: usize) -> usize {
        self.flush();
        self.pieces.push(piece);
        self.start = self.at + len;
        len
    }

    // Each of the following handles what begins at the current position, and returns the bytes that it takes.

    fn escape(&mut self) -> usize {
        if !self.rest()[1..].starts_with(|c| ESCAPABLE.contains(c)) {
            return 1;
        }
        // The arm of a shrug is no escape.
        if self.before() != Some('¯') {
            self.flush();
            self.start = self.at + 1;
        }
        2
    }

    fn code(&mut self) -> usize {
        let length = run(self.rest(), '`');
        if self.unpaired.contains(&length) {
            return length;
        }
        let mut at = length;
        while let Some(next) = self.rest()[at..].find('`') {
            let end = at + next;
            let found = run(&self.rest()[end..], '`');
            if found == length {
                let code = &self.rest()[length..end];
                let padded = code.strip_prefix(' ').and_then(|code| code.strip_suffix(' '));
                let code = padded.filter(|code| !code.trim().is_empty()).unwrap_or(code);
                return self.put(Piece { text: code, is_code: true, href: None }, end + length);
            }
            at = end + found;
        }
        self.unpaired.push(length);
        length
    }

    fn delimiters(&mut self, mark: Mark) -> usize {
        let length = run(self.rest(), mark.as_char());
        let (before, after) = (self.before(), self.rest()[length..].chars().next());
        let touches = |c: Option<char>| c.is_some_and(|c| !c.is_whitespace());
        let is_valid = if mark == Mark::Tilde { length == 2 } else { length <= MAX_RUN };
        let can_open = is_valid && touches(after) && !before.is_some_and(is_word);
        let can_close = is_valid && touches(before) && !after.is_some_and(is_word);
        if !can_open && !can_close {
            return length;
        }
        self.flush();
        let left = if can_close { self.close(mark, length) } else { length };
        if left > 0 {
            if can_open {
                self.openers.push(Opener { piece: self.pieces.len(), mark, left });
                self.open[mark as usize] += 1;
            }
            self.pieces.push(Piece { text: &self.rest()[..left], ..Piece::default() });
        }
        self.start = self.at + length;
        length
    }

    /// Pairs `left` delimiters with openers. Returns how many are left.
    fn close(&mut self, mark: Mark, mut left: usize) -> usize {
        let bracket = self.brackets.last();
        let (first, outside) = bracket.map_or((0, 0), |it| (it.openers, it.open[mark as usize]));
        while left > 0
            && self.open[mark as usize] > outside
            && let Some(at) = self.openers[first..].iter().rposition(|opener| opener.mark == mark)
        {
            self.drop_openers(first + at + 1);
            let opener = &mut self.openers[first + at];
            let used = opener.left.min(left).min(2);
            self.pairs
                .push(Pair { pieces: opener.piece + 1..self.pieces.len(), emphasis: mark.emphasis(used) });
            let text = &mut self.pieces[opener.piece].text;
            *text = &text[used..];
            opener.left -= used;
            left -= used;
            if opener.left == 0 {
                self.drop_openers(first + at);
            }
        }
        left
    }

    fn drop_openers(&mut self, from: usize) {
        for opener in self.openers.drain(from..) {
            self.open[opener.mark as usize] -= 1;
        }
    }

    fn open_bracket(&mut self) -> usize {
        self.flush();
        let (piece, openers) = (self.pieces.len(), self.openers.len());
        self.brackets.push(Bracket { piece, openers, open: self.open });
        self.put(Piece { text: "[", ..Piece::default() }, 1)
    }

    fn close_bracket(&mut self) -> usize {
        let Some(bracket) = self.brackets.pop() else { return 1 };
        let Some(Link { len, href, .. }) = link::in_parentheses(&self.rest()[1..]) else { return 1 };
        self.flush();
        let named = &mut self.pieces[bracket.piece + 1..];
        let has_link = named.iter().any(|piece| piece.href.is_some());
        let name: String = named.iter().map(|piece| piece.text).collect();
        // A name that looks like an address could lead elsewhere.
        if has_link || name.trim().is_empty() || link::looks_like_address(&name) {
            return 1;
        }
        for piece in named {
            piece.href = Some(href.clone());
        }
        self.pieces[bracket.piece].text = "";
        self.drop_openers(bracket.openers);
        // No link stands in another one.
        self.brackets.clear();
        self.start = self.at + 1 + len;
        1 + len
    }

    /// Adds a link, or leaves the bytes that are none as text.
    fn link(&mut self, found: Result<Link<'a>, usize>) -> usize {
        match found {
            Ok(Link { len, text, href }) => self.put(Piece { text, is_code: false, href: Some(href) }, len),
            Err(len) => len,
        }
    }

    fn into_spans(self, spans: &mut Vec<Span>) {
        // The number of pairs that begin before each piece, less the number of those that end there.
        let mut changes = vec![[0_i32; 3]; self.pieces.len() + 1];
        for Pair { pieces, emphasis } in &self.pairs {
            changes[pieces.start][*emphasis as usize] += 1;
            changes[pieces.end][*emphasis as usize] -= 1;
        }
        let mut open = [0; 3];
        for (Piece { text, is_code, href }, change) in self.pieces.into_iter().zip(changes) {
            open.iter_mut().zip(change).for_each(|(open, change)| *open += change);
            let [bold, italic, struck] = open.map(|pairs| pairs > 0);
            push(spans, text, Style { bold, italic, struck, code: is_code }, href.as_deref());
        }
    }
}

impl Mark {
    fn as_char(self) -> char {
        match self {
            Self::Asterisk => '*',
            Self::Underscore => '_',
            Self::Tilde => '~',
        }
    }

    /// Returns what a pair of `count` delimiters on each side does.
    fn emphasis(self, count: usize) -> Emphasis {
        match (self, count) {
            (Self::Tilde, _) => Emphasis::Strike,
            (_, 1) => Emphasis::Italic,
            _ => Emphasis::Bold,
        }
    }
}

/// Returns how often `c` stands at the beginning of `text`.
fn run(text: &str, c: char) -> usize {
    text.len() - text.trim_start_matches(c).len()
}
