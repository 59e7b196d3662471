//! What one browser keeps of a room, and the socket that drives it.
//!
//! [`Feed`], [`Outbox`], [`Reconnect`] and [`Pulse`] are plain data and know nothing of a browser;
//! [`Live`] puts them on the screen; `socket` (browser only) connects them to the server.

mod feed;
#[cfg(feature = "hydrate")]
mod frames;
#[cfg(feature = "hydrate")]
mod older;
mod outbox;
mod pulse;
mod reconnect;
mod room;
#[cfg(feature = "hydrate")]
mod socket;
#[cfg(feature = "hydrate")]
mod storage;
mod window;

pub use feed::{Feed, Heard, Row, Shown, Standing};
pub use outbox::{Command, Deed, Outbox};
pub use pulse::{Beat, Pulse};
pub use reconnect::Reconnect;
pub use room::{Live, Status};
pub use window::Window;
