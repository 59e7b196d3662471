//! One page each. The room is alive in the browser; the others are the server's alone, plain HTML that
//! works as it is.

#[cfg(feature = "ssr")]
mod device;
mod room;
#[cfg(feature = "ssr")]
mod rooms;
#[cfg(feature = "ssr")]
mod sorry;

#[cfg(feature = "ssr")]
pub use device::{Device, DevicePage};
pub use room::{NameTrouble, Place, Refused, Room, RoomEntry, RoomPage};
#[cfg(feature = "ssr")]
pub use rooms::{AllRooms, NewRoom, RoomsPage};
#[cfg(feature = "ssr")]
pub use sorry::{Sorry, Unsaved};
