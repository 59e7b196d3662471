//! How many bytes the page of a room takes: its HTML, and the JSON in it that the browser begins with. The page ends
//! at [`MAX_PAGE_BYTES`](app::wire::limits::MAX_PAGE_BYTES), as answers of the API do.
//!
//! The numbers here are measured and rounded up; a test renders pages of hostile texts and compares.

use app::{
    page_data::RoomSummary,
    wire::{Message, PageBudget, User, UserId},
};

/// Bytes of the head, the bar, the composer, the sheets and the scripts.
const FRAME: usize = 28 * 1_024;

/// Bytes of a message in HTML and in JSON, without its text and its author's name.
const MESSAGE: usize = 620;

/// Bytes of the menu of a message, without the text in it.
const MENU: usize = 1_600;

/// Bytes of a user in the list of who is here, without the name.
const MEMBER: usize = 360;

/// Bytes of a room in the list, without its name and title.
const ROOM: usize = 640;

/// Who looks at a page: which messages have a menu depends on it.
pub struct Viewer<'a> {
    /// The user.
    pub you: &'a User,
    /// The user owns the room, and every message has a menu.
    pub owns: bool,
}

impl Viewer<'_> {
    /// Returns the bytes that a message takes on the page, at most.
    pub fn bytes(&self, message: &Message) -> usize {
        let (text, name) = (&message.text, message.author.name.as_str());
        let menu = if self.owns || message.author.id == self.you.id { MENU + html(text) } else { 0 };
        MESSAGE + html(text) + json(text) + html(name) + json(name) + menu
    }
}

/// Returns what is left of a page with these members and rooms for its messages.
pub fn budget(members: &[User], rooms: &[RoomSummary]) -> PageBudget {
    PageBudget::besides(FRAME + members.iter().map(member_bytes).sum::<usize>() + rooms_bytes(rooms))
}

/// Removes the last members, if they do not fit on a page beside these rooms and a message of so many bytes. `you`
/// stay.
pub fn fit_members(members: &mut Vec<User>, you: UserId, rooms: &[RoomSummary], message: usize) {
    let yours = members.iter().find(|member| member.id == you).map_or(0, member_bytes);
    let mut budget = PageBudget::besides(FRAME + rooms_bytes(rooms) + message + yours);
    members.retain(|member| member.id == you || budget.take(member_bytes(member)));
}

fn member_bytes(member: &User) -> usize {
    MEMBER + html(member.name.as_str()) + json(member.name.as_str())
}

fn rooms_bytes(rooms: &[RoomSummary]) -> usize {
    let room =
        |room: &RoomSummary| ROOM + 2 * html(&room.title) + json(&room.title) + 4 * room.room.as_str().len();
    rooms.iter().map(room).sum()
}

/// The bytes of a text in HTML.
fn html(text: &str) -> usize {
    let escaped = |c| match c {
        '&' => 5,
        '<' | '>' => 4,
        _ => char::len_utf8(c),
    };
    text.chars().map(escaped).sum()
}

/// The bytes of a text in a string of JSON that stands in a string of a script.
fn json(text: &str) -> usize {
    let escaped = |c: char| match c {
        '"' | '\\' => 4,
        '\n' | '\t' => 3,
        '<' => 7,
        _ => c.escape_debug().map(char::len_utf8).sum(),
    };
    text.chars().map(escaped).sum()
}
