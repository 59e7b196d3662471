//! The content of a page, as signals: a small struct for each concern.
//!
//! The page of a room provides its [`RoomState`] as a context. A component asks for the parts that it needs with
//! [`use_state`]. Copies are handles on the same state.

mod connection;
mod members;
mod profile;
mod room;
mod room_info;
mod rooms;
mod timeline;

pub use connection::{ConnectionState, Status};
pub use members::MembersState;
pub use profile::{ProfileState, rename_error};
pub use room::{RoomState, use_state};
pub use room_info::RoomInfoState;
pub use rooms::RoomListState;
pub use timeline::{AT_END_PX, EntrySignal, TimelineState};
