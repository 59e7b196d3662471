//! The protocol `hubbub.v1`: what clients and the server say to each other.
//!
//! Every frame is one JSON object with a `type`. Unknown fields are ignored, unknown types survive
//! parsing as `Unknown`, so that an old client can talk to a new server.

mod decode;
mod event;
mod frame;
mod http;
pub mod limits;
mod room_name;
mod room_title;
mod size;
mod text;
mod user;
mod visible_line;

pub use event::{Event, EventBody, Message};
pub use frame::{ClientFrame, ErrorCode, Limits, Malformed, ServerFrame};
pub use http::{Events, Messages, RoomHead, Rooms};
pub use room_name::{InvalidRoomName, LOBBY, RoomName};
pub use room_title::{RoomTitle, Topic};
pub use size::{PageBudget, json_bytes};
pub use text::{InvalidText, mentions, sanitize_for_display, to_single_line, trim_message, trim_single_line};
pub use user::{DisplayName, User, UserId};
pub use visible_line::InvalidName;

/// The name offered in `Sec-WebSocket-Protocol`.
pub const PROTOCOL: &str = "hubbub.v1";

/// The version in `welcome`.
pub const PROTOCOL_VERSION: u32 = 1;

/// A place in a room's order: 1, 2, 3 … without holes; 0 stands before the first.
pub type Seq = u64;

/// Milliseconds since 1970 UTC.
pub type Millis = u64;

/// The id that its author's client gave to a command; a repeat of it is harmless.
pub type CommandId = uuid::Uuid;
