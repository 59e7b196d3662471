//! The references of a text: users by `@` and a name, and rooms by `#` and a name. Neither stands in code or in a link.

use super::{Block, Content, Span};
use crate::wire::{
    Mention, Mentions, RoomName, continues_word,
    limits::{MAX_MENTIONS, MAX_NAME_CHARS},
};

/// Links to rooms in a message, at most. Further ones are text.
pub const MAX_ROOM_LINKS: usize = 20;

/// The marks of a mention. The wide one is that of East Asian keyboards.
const MENTION_MARKS: [char; 2] = ['@', '＠'];

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part<'a> {
    /// Text that refers to nothing.
    Text(&'a str),
    /// A mark and a name that mean a user.
    Mention(&'a Mention),
    /// A mark and the name of a room.
    Room(&'a str, RoomName),
}

/// Finds the references in the spans of one message, in their order.
#[derive(Debug, Clone)]
pub struct References<'a> {
    mentions: &'a Mentions,
    mentions_left: usize,
    rooms_left: usize,
}

impl<'a> References<'a> {
    /// Begins a message, whose names mean `mentions`.
    pub fn new(mentions: &'a Mentions) -> Self {
        Self { mentions, mentions_left: MAX_MENTIONS, rooms_left: MAX_ROOM_LINKS }
    }

    /// Returns the parts of the span at `at`, which is neither code nor a link.
    pub fn parts<'t: 'a>(&mut self, spans: &'t [Span], at: usize) -> Vec<Part<'a>> {
        let (text, after) = (&*spans[at].text, first_char(spans, at + 1));
        let (mut parts, mut start, mut from) = (Vec::new(), 0, 0);
        while let Some(found) = text[from..].find(['@', '＠', '#']) {
            let mark = from + found;
            let before = text[..mark].chars().next_back().or_else(|| last_char(spans, at));
            let name = &text[mark..][text[mark..].chars().next().map_or(0, char::len_utf8)..];
            let name_start = text.len() - name.len();
            from = name_start;
            let reference = if text[mark..].starts_with('#') {
                self.room(before, name, after)
                    .map(|room| (room.as_str().len(), Part::Room(&name[..room.as_str().len()], room)))
            } else {
                self.mention(before, name, after).map(|mention| (mention.name.len(), Part::Mention(mention)))
            };
            if let Some((len, part)) = reference {
                if start < mark {
                    parts.push(Part::Text(&text[start..mark]));
                }
                parts.push(part);
                start = name_start + len;
                from = start;
            }
        }
        if start < text.len() {
            parts.push(Part::Text(&text[start..]));
        }
        parts
    }

    /// Returns the mention with the longest name that stands at the beginning of `text`.
    fn mention(&mut self, before: Option<char>, text: &str, after: Option<char>) -> Option<&'a Mention> {
        let left = self.mentions_left.checked_sub(1)?;
        if self.mentions.is_empty() || before.is_some_and(continues_word) {
            return None;
        }
        let stands = |name: &str| {
            let rest = text.strip_prefix(name).filter(|_| !name.is_empty());
            rest.is_some_and(|rest| !rest.chars().next().or(after).is_some_and(continues_word))
        };
        let found = self.mentions.iter().filter(|mention| stands(&mention.name));
        let longest = found.max_by_key(|mention| mention.name.len())?;
        self.mentions_left = left;
        Some(longest)
    }

    /// Returns the room whose name stands at the beginning of `text`. It begins with a letter, since `#1` is no room.
    fn room(&mut self, before: Option<char>, text: &str, after: Option<char>) -> Option<RoomName> {
        let left = self.rooms_left.checked_sub(1)?;
        let is_free = before.is_none_or(|c| c.is_whitespace() || matches!(c, '(' | '（'));
        if !is_free || !text.starts_with(|c: char| c.is_ascii_lowercase()) {
            return None;
        }
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let end = text.find(|c| !is_name(c)).unwrap_or(text.len());
        let name = text[..end].trim_end_matches('-');
        let next = text[name.len()..].chars().next().or(after);
        if next.is_some_and(|c| continues_word(c) || c == '_') {
            return None;
        }
        let room = name.parse().ok()?;
        self.rooms_left = left;
        Some(room)
    }
}

/// A place in a text where a name may stand after `@`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MentionPlace {
    /// The text after the mark, as far as a name may reach.
    text: String,
    /// The byte offsets at which a name may end, from the shortest name to the longest.
    ends: Vec<usize>,
}

impl MentionPlace {
    /// Returns what the name may be, from the shortest to the longest.
    pub fn candidates(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.ends.iter().map(|end| &self.text[..*end])
    }
}

/// Returns the first [`MAX_MENTIONS`] places of a text, each once, where a name may stand.
pub fn mention_places(text: &str) -> Vec<MentionPlace> {
    let mut places = Vec::new();
    // One at a time, which is faster: nearly no text has one.
    if !MENTION_MARKS.iter().any(|mark| text.contains(*mark)) {
        return places;
    }
    for Block { content, .. } in super::parse(text) {
        match content {
            Content::Paragraph(spans) => add_places(&spans, &mut places),
            Content::List(items) => items.iter().for_each(|item| add_places(&item.spans, &mut places)),
            Content::Code { .. } => {}
        }
    }
    places
}

fn add_places(spans: &[Span], places: &mut Vec<MentionPlace>) {
    for (at, Span { text, .. }) in spans.iter().enumerate().filter(|(_, span)| is_plain(span)) {
        for (mark, found) in text.match_indices(MENTION_MARKS) {
            if places.len() == MAX_MENTIONS {
                return;
            }
            let before = text[..mark].chars().next_back().or_else(|| last_char(spans, at));
            let place = place(&text[mark + found.len()..], first_char(spans, at + 1));
            if !before.is_some_and(continues_word) && !place.ends.is_empty() && !places.contains(&place) {
                places.push(place);
            }
        }
    }
}

fn place(text: &str, after: Option<char>) -> MentionPlace {
    let is_over = |c: char| c == '\n' || MENTION_MARKS.contains(&c);
    let mut ends = Vec::new();
    if !text.starts_with(char::is_whitespace) {
        for (at, c) in text.char_indices().take(MAX_NAME_CHARS).take_while(|(_, c)| !is_over(*c)) {
            let end = at + c.len_utf8();
            let next = text[end..].chars().next().or(after);
            if !c.is_whitespace() && !next.is_some_and(continues_word) {
                ends.push(end);
            }
        }
    }
    MentionPlace { text: text[..ends.last().copied().unwrap_or(0)].into(), ends }
}

/// Returns `true` if references may stand in the span.
pub fn is_plain(span: &Span) -> bool {
    !span.style.code && span.href.is_none()
}

/// Returns the last character before the span at `at`.
fn last_char(spans: &[Span], at: usize) -> Option<char> {
    spans[..at].last().and_then(|span| span.text.chars().next_back())
}

fn first_char(spans: &[Span], at: usize) -> Option<char> {
    spans.get(at).and_then(|span| span.text.chars().next())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        markup::parse,
        wire::{User, UserId},
    };

    /// Writes the parts of a text: mentions as `[id]`, rooms as `{name}`.
    fn written(text: &str, names: &[&str]) -> String {
        let mention = |(id, name): (u64, &&str)| Mention {
            name: (*name).into(),
            user: User::new(UserId(id), "Ann".parse().unwrap()),
        };
        let mentions: Mentions = (0..).zip(names).map(mention).collect();
        let blocks = parse(text);
        let mut references = References::new(&mentions);
        let mut written = String::new();
        for block in &blocks {
            let Content::Paragraph(spans) = &block.content else { continue };
            for (at, span) in spans.iter().enumerate() {
                if !is_plain(span) {
                    written.push_str(&span.text);
                    continue;
                }
                for part in references.parts(spans, at) {
                    match part {
                        Part::Text(text) => written.push_str(text),
                        Part::Mention(mention) => written.push_str(&format!("[{}]", mention.user.id.0)),
                        Part::Room(shown, room) => {
                            assert_eq!(shown, room.as_str());
                            written.push_str(&format!("{{{room}}}"));
                        }
                    }
                }
            }
        }
        written
    }

    #[test]
    fn mention_needs_the_whole_name_and_the_longest_wins() {
        for (text, names, expected) in [
            ("@Ann?", &["Ann"][..], "[0]?"),
            ("hi @Ann Lee and @Ann", &["Ann", "Ann Lee"], "hi [1] and [0]"),
            ("(@Ann)", &["Ann"], "([0])"),
            ("嘿@Ann你好", &["Ann"], "嘿[0]你好"),
            ("@小明在吗", &["小明"], "[0]在吗"),
            ("＠Ann", &["Ann"], "[0]"),
            ("@민수가", &["민수"], "[0]가"),
            ("@Ann\u{2019}s", &["Ann"], "[0]\u{2019}s"),
            ("@Anna", &["Ann"], "@Anna"),
            ("me@Ann", &["Ann"], "me@Ann"),
            ("@ Ann @", &["Ann", ""], "@ Ann @"),
            ("@Zoe\u{308}", &["Zoe"], "@Zoe\u{308}"),
            ("@Ann7", &["Ann"], "@Ann7"),
            ("@नमन", &["नम"], "@नमन"),
            ("**@Ann** `@Ann`", &["Ann"], "[0] @Ann"),
            ("https://example.org/@Ann @Ann", &["Ann"], "https://example.org/@Ann [0]"),
            ("**x**@Ann @Ann**x**", &["Ann"], "x@Ann [0]**x**"),
        ] {
            assert_eq!(written(text, names), expected, "{text}");
        }
        let many = written(&"@A ".repeat(MAX_MENTIONS + 2), &["A"]);
        assert_eq!(many.matches("@A").count(), 2, "{many}");
    }

    #[test]
    fn room_is_a_whole_word_of_a_rooms_name() {
        for (text, expected) in [
            ("#tea", "{tea}"),
            ("go to #team-tea, please", "go to {team-tea}, please"),
            ("(#tea)\n#jam-", "({tea})\n{jam}-"),
            ("#tea看看", "{tea}看看"),
            ("a#tea #1 #Tea #teA #-a #tea_x ##tea", "a#tea #1 #Tea #teA #-a #tea_x ##tea"),
            ("`#tea` https://example.org/#tea", "#tea https://example.org/#tea"),
        ] {
            assert_eq!(written(text, &[]), expected, "{text}");
        }
    }

    #[test]
    fn places_are_bounded_and_their_candidates_end_with_a_word() {
        let candidates = |text: &str| -> Vec<Vec<String>> {
            let places = mention_places(text);
            places.iter().map(|place| place.candidates().map(Into::into).collect()).collect()
        };
        assert_eq!(
            candidates("hi @Ann Lee, me@x `@code`"),
            [["Ann", "Ann Lee", "Ann Lee,"].map(String::from).to_vec(),].map(|mut first| {
                first.push("Ann Lee, me".into());
                first
            })
        );
        assert_eq!(candidates("@小明 @ @\n"), [["小", "小明"]]);
        assert_eq!(candidates(&"@a ".repeat(30)).len(), 1, "each place once");
        let many: String = (0..30).map(|n| format!("@u{n} ")).collect();
        assert_eq!(candidates(&many).len(), MAX_MENTIONS);
        let long = mention_places(&format!("@{}", "字".repeat(100)));
        assert_eq!(long[0].candidates().count(), MAX_NAME_CHARS);
    }
}
