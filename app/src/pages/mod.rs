//! One page each. The room is alive in the browser; the others are the server's alone, plain HTML that
//! works as it is.

#[cfg(feature = "ssr")]
mod device_link;
#[cfg(feature = "ssr")]
mod error;
mod room;
#[cfg(feature = "ssr")]
mod rooms;

#[cfg(feature = "ssr")]
pub use device_link::{DeviceLink, DeviceLinkPage};
#[cfg(feature = "ssr")]
pub use error::{ErrorPage, RejectedForm};
pub use room::Room;
#[cfg(feature = "ssr")]
pub use rooms::{NewRoom, RoomDirectory, RoomsPage};
