//! Estimates the bytes of a room's page: its HTML, and the JSON from which the browser hydrates. The page ends at
//! [`MAX_PAGE_BYTES`](app::wire::limits::MAX_PAGE_BYTES), as responses of the API do.
//!
//! The constants are measured and rounded up; a test renders pages of hostile texts and compares.

use crate::origin::MAX_PREFIX_BYTES;
use app::{
    i18n::Strings,
    markup::MAX_ROOM_LINKS,
    page_data::RoomSummary,
    ui::{file_bytes, formatted_bytes, reaction_bytes},
    wire::{Mention, Mentions, Message, PageBudget, Seq, User, UserId},
};
use std::collections::BTreeMap;

/// Bytes of the head, the header, the composer, the dialogs and the scripts.
const SHELL_BYTES: usize = 28 * 1_024;

/// Bytes of a message in HTML and in JSON, without its text and its author's name.
const MESSAGE_OVERHEAD_BYTES: usize = 630;

/// Bytes of the id of an author whose name is ambiguous, and of their tag.
const AMBIGUOUS_BYTES: usize = 120;

/// Bytes of the line above a reply, in the JSON of the message that it replies to too.
const QUOTE_BYTES: usize = 1_400;

/// Bytes of the menu of a message, without the text in it.
const MENU_OVERHEAD_BYTES: usize = 1_600;

/// Bytes of a mention in JSON, without its names.
const MENTION_OVERHEAD_BYTES: usize = 160;

/// Bytes of a user in the list of members, without the name.
const MEMBER_OVERHEAD_BYTES: usize = 390;

/// Bytes of a room in the list, without its name and title.
const ROOM_OVERHEAD_BYTES: usize = 640;

/// The user of a page, who decides which messages have a menu.
pub struct Viewer<'a> {
    /// The user.
    pub you: &'a User,
    /// The user owns the room, so every message has a menu.
    pub moderates: bool,
    /// The texts of the page's language.
    pub strings: &'static Strings,
}

impl Viewer<'_> {
    /// Returns an upper bound of the bytes of a message on the page.
    fn bytes(&self, message: &Message) -> usize {
        let (text, name) = (&message.text, message.author.name.as_str());
        let menu = if self.moderates || message.author.id == self.you.id {
            MENU_OVERHEAD_BYTES + html(text)
        } else {
            0
        };
        let quote = if message.reply_to.is_some() { QUOTE_BYTES } else { 0 };
        let ambiguous = if message.author.ambiguous { AMBIGUOUS_BYTES } else { 0 };
        MESSAGE_OVERHEAD_BYTES
            + quote
            + ambiguous
            + formatted_bytes(text, &message.mentions, self.you.id, self.strings)
            + room_link_bytes(text)
            + mention_bytes(&message.mentions)
            + file_bytes(&message.files)
            + 2 * message.files.json_bytes()
            + json(text)
            + html(name)
            + json(name)
            + menu
            + reaction_bytes(&message.reactions, self.you.id, self.strings)
    }
}

/// The bytes of messages on a page, each computed once: its text is parsed for that.
pub struct MessageSizes<'a> {
    viewer: Viewer<'a>,
    /// In the order of their `seq`.
    bytes: BTreeMap<Seq, usize>,
}

impl<'a> MessageSizes<'a> {
    /// Creates the sizes of messages that `viewer` sees.
    pub fn new(viewer: Viewer<'a>) -> Self {
        Self { viewer, bytes: BTreeMap::new() }
    }

    /// Computes the bytes of those `messages` that are new. Returns those of the longest one.
    pub fn measure(&mut self, messages: &[Message]) -> usize {
        let Self { viewer, bytes } = self;
        let measured =
            messages.iter().map(|message| *bytes.entry(message.seq).or_insert_with(|| viewer.bytes(message)));
        measured.max().unwrap_or(0)
    }

    /// Returns the bytes of a message that was measured.
    pub fn of(&self, message: &Message) -> usize {
        self.bytes.get(&message.seq).copied().unwrap_or_else(|| self.viewer.bytes(message))
    }
}

/// Returns the bytes of the path prefix in the links to rooms.
fn room_link_bytes(text: &str) -> usize {
    text.matches('#').count().min(MAX_ROOM_LINKS) * MAX_PREFIX_BYTES
}

/// Returns the bytes of the mentions of a message in JSON.
fn mention_bytes(mentions: &Mentions) -> usize {
    let mention =
        |mention: &Mention| MENTION_OVERHEAD_BYTES + json(&mention.name) + json(mention.user.name.as_str());
    mentions.iter().map(mention).sum()
}

/// Returns the bytes that remain for messages on a page with these members and rooms.
pub fn budget(members: &[User], rooms: &[RoomSummary]) -> PageBudget {
    PageBudget::besides(SHELL_BYTES + members.iter().map(member_bytes).sum::<usize>() + rooms_bytes(rooms))
}

/// Removes the last members that do not fit on a page with these rooms and a message of `message` bytes. `you` is never
/// removed.
pub fn fit_members(members: &mut Vec<User>, you: UserId, rooms: &[RoomSummary], message: usize) {
    let yours = members.iter().find(|member| member.id == you).map_or(0, member_bytes);
    let mut budget = PageBudget::besides(SHELL_BYTES + rooms_bytes(rooms) + message + yours);
    members.retain(|member| member.id == you || budget.take(member_bytes(member)));
}

fn member_bytes(member: &User) -> usize {
    MEMBER_OVERHEAD_BYTES + html(member.name.as_str()) + json(member.name.as_str())
}

fn rooms_bytes(rooms: &[RoomSummary]) -> usize {
    let room = |room: &RoomSummary| {
        ROOM_OVERHEAD_BYTES + 2 * html(&room.title) + json(&room.title) + 4 * room.room.as_str().len()
    };
    rooms.iter().map(room).sum()
}

/// Returns the bytes of a text in HTML.
fn html(text: &str) -> usize {
    let escaped = |c| match c {
        '&' => 5,
        '<' | '>' => 4,
        _ => char::len_utf8(c),
    };
    text.chars().map(escaped).sum()
}

/// Returns the bytes of a text in a JSON string inside a script's string literal.
fn json(text: &str) -> usize {
    let escaped = |c: char| match c {
        '"' | '\\' => 4,
        '\n' | '\t' => 3,
        '<' => 7,
        _ => c.escape_debug().map(char::len_utf8).sum(),
    };
    text.chars().map(escaped).sum()
}
