//! What one browser keeps of a room, and the socket that drives it.
//!
//! [`Feed`], [`Outbox`], [`Reconnect`], [`Reading`] and [`Pulse`] are plain data and know nothing of a
//! browser; [`Live`] puts them on the screen; `socket` (browser only) connects them to the server.

mod aloud;
mod commands;
mod feed;
#[cfg(feature = "hydrate")]
mod frames;
#[cfg(feature = "hydrate")]
mod keys;
#[cfg(feature = "hydrate")]
mod notice;
#[cfg(feature = "hydrate")]
mod older;
mod others;
mod outbox;
mod people;
mod pulse;
mod reading;
mod reconnect;
mod room;
#[cfg(feature = "hydrate")]
mod socket;
#[cfg(feature = "hydrate")]
mod start;
#[cfg(feature = "hydrate")]
mod storage;
mod window;

pub use aloud::Aloud;
pub use feed::{Feed, Heard, Row, Shown, Standing};
pub use others::{FOLLOWED, OTHERS, UNREAD_MOST};
pub use outbox::{Command, Deed, Outbox};
pub use people::{TYPING_MS, Typist, told_apart};
pub use pulse::{Beat, Pulse};
pub use reading::Reading;
pub use reconnect::Reconnect;
pub use room::{Live, Status};
#[cfg(feature = "hydrate")]
use start::start;
pub use window::Window;
