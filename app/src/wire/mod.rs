//! The protocol `hubbub.v1` between clients and the server.
//!
//! Every frame is a JSON object with a `type`. Unknown fields are ignored and unknown types become `Unknown`, so that
//! an old client works with a new server.

mod decode;
mod event;
mod file;
mod frame;
mod http;
pub(crate) mod json;
pub mod limits;
mod mention;
mod operation;
mod posting;
mod reaction;
mod retention;
mod room_name;
mod room_title;
mod size;
mod text;
mod user;
mod visible_line;

pub use decode::InvalidFrame;
pub use event::{Event, EventBody, Message};
pub use file::{FileInfo, Files};
pub use frame::{ClientFrame, ErrorCode, Limits, Malformed, ServerFrame};
pub use http::{Events, Messages, RoomHead, Rooms};
pub use mention::{Mention, MentionHint, Mentions};
pub use operation::Operation;
pub use posting::PostingRules;
pub use reaction::{MAX_EMOJI_BYTES, MAX_LISTED_REACTORS, MAX_REACTIONS, Reaction, Reactions};
pub use retention::{InvalidRetention, MAX_RETENTION_HOURS, Retention};
pub use room_name::{InvalidRoomName, LOBBY, RoomName};
pub use room_title::{RoomTitle, Topic};
pub use size::{PageBudget, json_bytes};
pub(crate) use text::continues_word;
pub use text::{InvalidText, sanitize_for_display, to_single_line, trim_message, trim_single_line};
pub use user::{DisplayName, User, UserId};
pub use visible_line::InvalidName;

/// The name of the subprotocol in `Sec-WebSocket-Protocol`.
pub const PROTOCOL: &str = "hubbub.v1";

/// The protocol version in `welcome`.
pub const PROTOCOL_VERSION: u32 = 1;

/// The sequence number of an event in its room: 1, 2, 3 … without gaps; 0 is before the first event.
pub type Seq = u64;

/// Milliseconds since the Unix epoch.
pub type Millis = u64;

/// The id that a client generates for a command. The server executes a command once, however often it is repeated.
pub type CommandId = uuid::Uuid;

/// The id of an uploaded file, which the server chooses.
pub type FileId = uuid::Uuid;
