//! The state of a room as one browser knows it: plain data without signals, without I/O and without a browser, tested
//! natively.

mod announcer;
pub(crate) mod attention;
mod backoff;
mod entry;
mod heartbeat;
pub mod members;
mod outbox;
mod read_marker;
mod session;
#[cfg(any(feature = "hydrate", test))]
pub(crate) mod tabs;
mod timeline;
mod transport;
mod typing;
pub(crate) mod unread;
pub(crate) mod viewport;

pub use announcer::Announcer;
pub use attention::{Attention, AttentionChange};
pub use backoff::Backoff;
pub use entry::{DeliveryState, Entry, EntryView, Quote};
pub use heartbeat::{Heartbeat, HeartbeatAction};
pub use members::mark_duplicates;
pub use outbox::{Command, Outbox, OutboxOperation};
pub use read_marker::ReadMarker;
pub use session::{Effect, Input, PendingRename, Session};
pub use timeline::{ApplyResult, MAX_ENTRIES, Timeline};
pub use transport::{ConnectionEnd, Transport, TransportChoice};
pub use typing::{TYPING_TIMEOUT_MS, TypingAction, TypingNotifier, TypingUser};
pub use unread::UnreadCount;
pub use viewport::Viewport;
