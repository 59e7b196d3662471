//! What one browser keeps of a room, and the socket that drives it.
//!
//! [`Feed`], [`Outbox`], [`Reconnect`], [`TransportChoice`], [`Reading`] and [`Pulse`], [`Attention`] are plain data and know nothing of a
//! browser; [`Live`] puts them on the screen; `socket` (browser only) connects them to the server.

mod aloud;
mod attention;
#[cfg(feature = "hydrate")]
mod carrier;
mod commands;
#[cfg(feature = "hydrate")]
mod deletions;
mod feed;
#[cfg(feature = "hydrate")]
mod files;
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
#[cfg(feature = "hydrate")]
mod returning;
mod room;
#[cfg(feature = "hydrate")]
mod socket;
#[cfg(feature = "hydrate")]
mod start;
#[cfg(feature = "hydrate")]
mod storage;
#[cfg(any(feature = "hydrate", test))]
mod tabs;
mod transport;
mod unread;
mod window;

pub use aloud::Aloud;
pub use attention::{Attention, Change};
pub use feed::{Feed, Heard, MAX_ROWS, Row, Shown, Standing};
pub use others::{FOLLOWED, OTHERS, UNREAD_MOST};
pub use outbox::{Command, Deed, Outbox};
pub use people::{TYPING_MS, Typist, told_apart};
pub use pulse::{Beat, Pulse};
pub use reading::Reading;
pub use reconnect::Reconnect;
pub use room::{Live, Status};
#[cfg(feature = "hydrate")]
use start::start;
pub use transport::{Ended, Transport, TransportChoice};
pub use unread::Counted;
pub use window::Window;
