//! One page each.

mod room;
mod sorry;

pub use room::{Place, Room, RoomPage};
pub use sorry::Sorry;
