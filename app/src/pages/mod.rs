//! The pages. The browser hydrates the room; the server alone renders the others as plain HTML that works without
//! script.

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
