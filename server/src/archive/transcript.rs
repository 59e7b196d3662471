//! The messages of a room as Markdown, to be read by people.
//!
//! A text stands in a quote, and each of its lines begins with the mark of that quote, so that nothing in it ends the quote.
//! The markup of its author is written as the same markup again; every other character that means something in Markdown or
//! HTML is escaped.

use super::{CONTENT_FOLDER, RoomHeader};
use crate::{hexadecimal, store::ContentHash};
use app::{
    markup::{Content, Span, parse},
    wire::{Event, EventBody, FileId, FileInfo, Millis},
};
use std::{collections::BTreeMap, fmt::Write};
use time::OffsetDateTime;

/// Characters that mean something in Markdown or HTML wherever they stand.
const SPECIAL: &[char] = &['\\', '`', '*', '_', '~', '[', ']', '<', '>', '&', '|'];

/// A transcript that is being written.
pub(super) struct Transcript {
    title: String,
    topic: String,
    exported_at: Millis,
    /// The day of the last message, as in its heading.
    day: String,
}

impl Transcript {
    pub(super) fn new(title: &str, header: &RoomHeader) -> Self {
        let (title, topic) = (title.to_owned(), header.topic.to_string());
        Self { title, topic, exported_at: header.exported_at, day: String::new() }
    }

    /// Returns what stands above the messages.
    pub(super) fn heading(&self) -> String {
        let (day, time) = day_and_time(self.exported_at);
        let mut heading = format!("# {}\n\n", escaped(&self.title));
        if !self.topic.is_empty() {
            let _ = write!(heading, "{}\n\n", at_start(&escaped(&self.topic)));
        }
        let _ = writeln!(heading, "{day} {time} UTC");
        heading
    }

    /// Adds an event, if it is a message. Its files are links to their contents, or struck through without one.
    pub(super) fn push(
        &mut self,
        markdown: &mut String,
        event: &Event,
        contents: &BTreeMap<FileId, ContentHash>,
    ) {
        let EventBody::Message { text, reply_to, files, .. } = &event.body else { return };
        let (day, time) = day_and_time(event.at);
        if day != self.day {
            let _ = write!(markdown, "\n## {day}\n");
            self.day = day;
        }
        let _ = write!(markdown, "\n**{}** {time} #{}", escaped(&event.author.disambiguated()), event.seq);
        if let Some(reply_to) = reply_to {
            let _ = write!(markdown, " ↩ #{reply_to}");
        }
        markdown.push_str("\n\n");
        // A message without a text of its own has the names of its files.
        if files.is_empty() || **text != *files.names() {
            let quote = quoted(text);
            // An empty quote stands for a message that was deleted.
            markdown.push_str(if quote.is_empty() { ">\n" } else { &quote });
            if !files.is_empty() {
                markdown.push('\n');
            }
        }
        for file in files {
            let _ = writeln!(markdown, "- {}", linked(file, contents.get(&file.id)));
        }
    }
}

/// Returns the day and the time in UTC. A time that no calendar has counts as 1970.
fn day_and_time(at: Millis) -> (String, String) {
    let seconds = i64::try_from(at / 1_000).unwrap_or(0);
    let at = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let day = format!("{:04}-{:02}-{:02}", at.year(), u8::from(at.month()), at.day());
    (day, format!("{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second()))
}

/// Returns a link to the content of a file, which shows a picture.
fn linked(file: &FileInfo, content: Option<&ContentHash>) -> String {
    let (name, alt) = (escaped(&file.name), escaped(&file.alt));
    let Some(content) = content else { return format!("~~{name}~~") };
    let path = format!("{CONTENT_FOLDER}{}", hexadecimal::encode(content));
    match (file.pixels(), alt.is_empty()) {
        (Some(_), true) => format!("![{name}]({path})"),
        (Some(_), false) => format!("![{alt}]({path})"),
        (None, true) => format!("[{name}]({path})"),
        (None, false) => format!("[{name}]({path}) {alt}"),
    }
}

/// Returns the text of a message as a quote.
fn quoted(text: &str) -> String {
    let mut quote = String::new();
    for (n, block) in parse(text).into_iter().enumerate() {
        let mark = "> ".repeat(usize::from(block.quote_depth) + 1);
        if n > 0 {
            quote.push_str(">\n");
        }
        match block.content {
            Content::Paragraph(spans) => push_lines(&mut quote, &mark, &inline(&spans)),
            Content::Code { language, text } => {
                let fence = "`".repeat(longest_run(&text).max(2) + 1);
                let _ = writeln!(quote, "{mark}{fence}{language}");
                for line in text.split('\n') {
                    let _ = writeln!(quote, "{mark}{line}");
                }
                let _ = writeln!(quote, "{mark}{fence}");
            }
            Content::List(items) => {
                for item in items {
                    let indent = "    ".repeat(usize::from(item.depth));
                    let bullet = item.number.unwrap_or_else(|| "-".into());
                    let text = at_start(&inline(&item.spans).replace('\n', " "));
                    let _ = writeln!(quote, "{mark}{indent}{bullet} {text}");
                }
            }
        }
    }
    quote
}

/// Adds the lines of a paragraph; a backslash keeps its line breaks.
fn push_lines(quote: &mut String, mark: &str, paragraph: &str) {
    let mut lines = paragraph.split('\n').peekable();
    while let Some(line) = lines.next() {
        let is_blank = line.trim().is_empty();
        let goes_on = !is_blank && lines.peek().is_some_and(|next| !next.trim().is_empty());
        let line = if is_blank { String::new() } else { at_start(line) };
        let _ = writeln!(quote, "{}", format!("{mark}{line}{}", if goes_on { "\\" } else { "" }).trim_end());
    }
}

fn inline(spans: &[Span]) -> String {
    let mut text = String::new();
    for Span { text: written, style, href } in spans {
        let shown = if style.code { code(written) } else { escaped(written) };
        let marks: String = [(style.bold, "**"), (style.italic, "*"), (style.struck, "~~")]
            .iter()
            .filter_map(|(is_on, mark)| is_on.then_some(*mark))
            .collect();
        let closing: String = [(style.struck, "~~"), (style.italic, "*"), (style.bold, "**")]
            .iter()
            .filter_map(|(is_on, mark)| is_on.then_some(*mark))
            .collect();
        let shown = match href {
            Some(href) if href == written && is_autolink(href) => format!("<{href}>"),
            Some(href) => format!("[{shown}](<{}>)", escaped_address(href)),
            None => shown,
        };
        let _ = write!(text, "{marks}{shown}{closing}");
    }
    text
}

/// Returns code within a line: the marks around it are longer than any in it.
fn code(text: &str) -> String {
    let marks = "`".repeat(longest_run(text) + 1);
    let text = text.replace('\n', " ");
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{marks}{space}{text}{space}{marks}")
}

/// Returns how many backticks stand in a row, at most.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// Returns `true` if the address may stand between `<` and `>` as it is.
fn is_autolink(href: &str) -> bool {
    !href.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '\\' | '&'))
}

fn escaped_address(href: &str) -> String {
    let mut address = String::new();
    for c in href.chars().filter(|c| !c.is_control()) {
        if matches!(c, '<' | '>' | '\\' | '&') {
            address.push('\\');
        }
        address.push(c);
    }
    address
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if SPECIAL.contains(&c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// Returns a line whose beginning means nothing: no heading, no list, no line under a heading, no indented code.
fn at_start(line: &str) -> String {
    let rest = line.trim_start_matches([' ', '\t']);
    let indent = "\u{a0}".repeat(line.len() - rest.len());
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, after) = rest.split_at(digits);
    let needs_escape = match after.chars().next() {
        Some('#' | '+' | '-' | '=' | ':') if digits == 0 => true,
        Some('.' | ')') => digits > 0,
        _ => false,
    };
    format!("{indent}{number}{}{after}", if needs_escape { "\\" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use app::wire::{User, UserId};
    use proptest::prelude::*;
    use std::sync::Arc;
    use uuid::Uuid;

    fn message(seq: u64, text: &str) -> Event {
        let author = User::new(UserId(1), "A*n* <b>".parse().unwrap());
        let body = EventBody::Message {
            text: Arc::from(text),
            reply_to: (seq > 1).then_some(1),
            mentions: [].into_iter().collect(),
            files: [].into_iter().collect(),
        };
        Event { seq, at: 1_795_651_200_000, id: Uuid::nil(), author, body }
    }

    fn transcript() -> Transcript {
        Transcript { title: "Tea".into(), topic: "- pots".into(), exported_at: 0, day: String::new() }
    }

    #[test]
    fn messages_stand_below_their_days_under_their_authors() {
        let (mut transcript, mut markdown) = (transcript(), String::new());
        markdown.push_str(&transcript.heading());
        for event in [message(1, "**hi** <b>\nthere"), message(2, ""), message(3, "- a\n- b")] {
            transcript.push(&mut markdown, &event, &BTreeMap::new());
        }
        assert_eq!(
            markdown,
            "# Tea\n\n\\- pots\n\n1970-01-01 00:00:00 UTC\n\n## 2026-11-26\n\n\
             **A\\*n\\* \\<b\\>** 00:00:00 #1\n\n> **hi** \\<b\\>\\\n> there\n\n\
             **A\\*n\\* \\<b\\>** 00:00:00 #2 ↩ #1\n\n>\n\n\
             **A\\*n\\* \\<b\\>** 00:00:00 #3 ↩ #1\n\n> - a\n> - b\n"
        );
    }

    #[test]
    fn files_are_links_that_no_name_ends() {
        let file = |n: u128, name: &str, alt: &str, width| FileInfo {
            id: Uuid::from_u128(n),
            name: name.into(),
            media_type: "image/png".into(),
            size: 1,
            width,
            height: width,
            alt: alt.into(),
            animated: false,
        };
        let shown = |text: &str, files: &[FileInfo]| {
            let body = EventBody::Message {
                text: Arc::from(text),
                reply_to: None,
                mentions: [].into_iter().collect(),
                files: files.iter().cloned().collect(),
            };
            let contents = (1..4).map(|n| (Uuid::from_u128(n), [0xab; 32])).collect();
            let mut markdown = String::new();
            transcript().push(&mut markdown, &Event { body, ..message(1, "") }, &contents);
            markdown.split_once("#1\n\n").unwrap().1.replace(&"ab".repeat(32), "HASH")
        };
        let files =
            [file(1, "a](x)", "", None), file(2, "b.png", "<i>", Some(3)), file(4, "[lost](y)", "", None)];
        assert_eq!(
            shown("see", &files),
            "> see\n\n- [a\\](x)](files/HASH)\n- ![\\<i\\>](files/HASH)\n- ~~\\[lost\\](y)~~\n"
        );
        let named = [file(3, "c_d.png", "", Some(3))];
        assert_eq!(shown("c_d.png", &named), "- ![c\\_d.png](files/HASH)\n");
        assert_eq!(shown("see", &[file(1, "e", "f", None)]), "> see\n\n- [e](files/HASH) f\n");
    }

    #[test]
    fn what_is_no_markup_of_messages_is_none_here() {
        for (text, expected) in [
            ("# no heading\n===", "> \\# no heading\\\n> \\===\n"),
            ("[x]: https://a.example", "> \\[x\\]: <https://a.example>\n"),
            ("![x](https://a.example/x)", "> ![x](<https://a.example/x>)\n"),
            ("a\n    four", "> a\\\n> \u{a0}\u{a0}\u{a0}\u{a0}four\n"),
            ("```\na\n````\nb", "> ```\n> a\n> ```\n>\n> b\n"),
            ("&lt;", "> \\&lt;\n"),
            ("`a<b`", "> `a<b`\n"),
        ] {
            assert_eq!(quoted(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_ends_its_quote(text in "([a#>`~=<&\\[\\]\\\\ *_:\n-]|```|\n\n){0,60}") {
            let quote = quoted(&text);
            prop_assert!(quote.lines().all(|line| line.starts_with('>')), "{quote}");
            prop_assert!(quote.is_empty() || quote.ends_with('\n'));
        }
    }
}
