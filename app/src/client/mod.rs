//! What one browser knows of a room: plain data without signals, without I/O and without a browser, tested natively.

mod announcer;
pub(crate) mod attention;
mod backoff;
mod entry;
mod heartbeat;
mod outbox;
mod read_marker;
#[cfg(any(feature = "hydrate", test))]
pub(crate) mod tabs;
mod timeline;
mod transport;
pub(crate) mod unread;
pub(crate) mod viewport;

pub use announcer::Aloud;
pub use attention::{Attention, Change};
pub use backoff::Reconnect;
pub use entry::{Row, Standing};
pub use heartbeat::{Beat, Pulse};
pub use outbox::{Command, Deed, Outbox};
pub use read_marker::Reading;
pub use timeline::{Feed, Heard, MAX_ROWS, Shown};
pub use transport::{Ended, Transport, TransportChoice};
pub use unread::Counted;
pub use viewport::Window;
