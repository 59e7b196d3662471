//! The markup of a message: a safe subset of Markdown.
//!
//! The text stays as it was written, on the wire and in the store; the page parses it to a small tree where it shows it. The
//! tree has no HTML, and the views escape every text in it. The rules follow CommonMark 0.31 where they can. Plain text is
//! the common case, so what people write without thinking of markup stays as it is: a backslash, `snake_case`, `2*3*4`,
//! blank lines and indentation.
//!
//! - [`blocks`]: code blocks, quotes, lists and paragraphs, line by line.
//! - [`inline`]: styles, code and links within a paragraph.
//! - [`link`]: which addresses are links.
//! - [`emoji`]: texts of emoji alone.
//! - [`plain`]: a text without its markup, in one line.
//! - [`references`]: users and rooms that a text refers to.

mod blocks;
mod emoji;
mod inline;
mod link;
mod plain;
mod references;

#[cfg(test)]
mod tests;

pub use emoji::is_emoji_only;
pub use link::shortened;
pub use plain::{excerpt, plain_text};
pub use references::{MAX_ROOM_LINKS, MentionPlace, Part, References, is_plain, mention_places};

/// Quotes within quotes, at most. A deeper `>` is text.
pub const MAX_QUOTE_DEPTH: u8 = 3;

/// Lists within lists, at most. A deeper item stands at this depth.
pub const MAX_LIST_DEPTH: u8 = 3;

/// A part of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The quotes around it: 0 to [`MAX_QUOTE_DEPTH`].
    pub quote_depth: u8,
    /// The paragraph, the code or the list.
    pub content: Content,
}

/// The content of a [`Block`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Text with its line breaks and blank lines.
    Paragraph(Vec<Span>),
    /// Lines of code.
    Code {
        /// The language, as the author named it; empty if there is none. Letters, digits and `+#.-_` only.
        language: String,
        /// The lines, without the last line feed.
        text: String,
    },
    /// Items in order.
    List(Vec<Item>),
}

/// An item of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The lists around it: 0 to [`MAX_LIST_DEPTH`].
    pub depth: u8,
    /// The number that the author gave it, with its full stop; `None` for an item without order.
    pub number: Option<String>,
    /// Its text.
    pub spans: Vec<Span>,
}

/// A text of one style.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Span {
    /// The text; never empty.
    pub text: String,
    /// The style of the text.
    pub style: Style,
    /// The address that it leads to: `http`, `https` or `mailto`.
    pub href: Option<String>,
}

/// A set of styles.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Style {
    /// `**bold**` or `__bold__`.
    pub bold: bool,
    /// `*italic*` or `_italic_`.
    pub italic: bool,
    /// `~~struck~~`.
    pub struck: bool,
    /// `` `code` ``.
    pub code: bool,
}

/// Parses the text of a message, whose line ends are LF. Takes time linear in the length of the text.
pub fn parse(text: &str) -> Vec<Block> {
    blocks::parse(text)
}

/// Returns `true` for characters of words in scripts that put spaces between words. In others, such as Chinese, a mark may
/// stand anywhere.
fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || matches!(c, '\u{aa}'..='\u{1fff}' | '\u{2c00}'..='\u{2dff}' | '\u{a640}'..='\u{abff}')
            && !matches!(c, '\u{ab}' | '\u{af}' | '\u{b7}' | '\u{bb}' | '\u{bf}' | '\u{e00}'..='\u{eff}')
}
