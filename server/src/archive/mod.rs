//! A room in one file, a ZIP archive: what `GET /r/{room}/export` and `hubbub export` write, and `hubbub import` reads.
//!
//! - `room.json`: a [`RoomHeader`].
//! - `events.jsonl`: one event in each line, as the API gives them.
//! - `messages.md`: the messages, to be read by people.
//! - `files/HASH`: the bytes of the files of messages, each content once under its SHA-256. The lines of the messages name them.
//!
//! Other entries are ignored, so that later versions may add some.

mod contents;
mod line;
mod reader;
mod transcript;
mod writer;
mod zip_stream;

pub use contents::ContentReader;
pub use line::{Line, MAX_LINE_BYTES, parse_line};
pub use reader::{ArchiveError, ArchiveReader, Events};
pub use writer::{ArchiveWriter, Piece};

use app::wire::{Millis, Retention, RoomName, RoomTitle, Seq, Topic, User};
use serde::{Deserialize, Serialize};

/// The format that this version writes. A change that an earlier version would misread increases it.
pub const FORMAT: u32 = 1;

/// The entry with the description of the room.
pub(crate) const HEADER_ENTRY: &str = "room.json";

/// The entry with the events.
pub(crate) const EVENTS_ENTRY: &str = "events.jsonl";

/// The entry with the messages for people.
pub(crate) const TRANSCRIPT_ENTRY: &str = "messages.md";

/// The prefix of the hash of a content in the name of its entry.
pub(crate) const CONTENT_FOLDER: &str = "files/";

/// Files of messages in an archive, at most. The bytes of further ones are left out, as if they were lost: the list of entries of
/// a ZIP archive is in memory.
pub const MAX_ARCHIVED_FILES: usize = 50_000;

/// The description of the room in an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomHeader {
    /// The format of the archive, [`FORMAT`].
    pub format: u32,
    /// The name of the room.
    pub room: RoomName,
    /// The title that its owner chose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<RoomTitle>,
    /// Its topic; may be empty.
    #[serde(default)]
    pub topic: Topic,
    /// The user who owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<User>,
    /// No list shows the room.
    #[serde(default)]
    pub unlisted: bool,
    /// Only members may enter the room.
    #[serde(default)]
    pub members_only: bool,
    /// The time for which it keeps messages, in hours; 0 without limit, `None` as long as its server does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_hours: Option<Retention>,
    /// The identity of the event log that the events come from.
    pub log: String,
    /// The number of events.
    pub head: Seq,
    /// When the archive was written, in milliseconds since 1970.
    pub exported_at: Millis,
}
