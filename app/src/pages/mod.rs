//! One page each.

mod room;
mod sorry;

pub use room::{Place, Refused, Room, RoomPage};
pub use sorry::Sorry;
