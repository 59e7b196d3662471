//! Durable state: the event log of each room, rooms, users and read markers.
//!
//! Every subscriber asks one question: which events came after `seq`? The hub depends on [`Store`] alone, a trait for
//! each concern: [`EventStore`], [`RoomStore`], [`UserStore`] and [`ReadMarkerStore`]. Every read is bounded and
//! answered from an index, so that the state may be in a database that several servers share. [`SqliteStore`] keeps it
//! in a file.

mod error;
mod events;
mod page;
mod position;
mod read_markers;
mod rooms;
mod rules;
mod skeleton;
mod sqlite;
mod users;

pub use error::{StoreError, StoreResult};
pub use events::{Appended, EventStore, MAX_HEADS_PER_READ, NewEvent, Wake};
pub use page::{MessagePage, read_around};
pub use position::StreamPosition;
pub use read_markers::{MAX_READ_MARKERS, MarkerUpdate, ReadMarkerStore, UNREAD_SCAN_EVENTS};
pub use rooms::{MAX_ROOMS_PER_READ, RoomInfo, RoomOrder, RoomQuery, RoomRecord, RoomStore};
pub use skeleton::choose_name;
pub use sqlite::{OpenError, Options, SqliteStore, Summary, Synchronous, back_up, check, restore};
pub use users::UserStore;

use app::wire::Millis;
use async_trait::async_trait;
use futures_util::future::BoxFuture;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::sync::broadcast;

/// Notifications that wait for a subscriber. A subscriber that falls further behind gets `Lagged` and asks for the
/// heads.
const NOTIFICATION_CAPACITY: usize = 1_024;

/// A write that was queued when the method was called, not when the future is first polled: writes of one caller are
/// carried out in the order of the calls. Resolves once the write is durable; if it is dropped, the write is carried
/// out all the same.
pub type PendingCommit<T> = BoxFuture<'static, StoreResult<T>>;

/// The durable state of one installation.
#[async_trait]
pub trait Store: EventStore + RoomStore + UserStore + ReadMarkerStore {
    /// Returns the identity of the event log. It changes when a backup is restored, or when the file may have been
    /// replaced by an older copy.
    fn log_id(&self) -> &str;

    /// Subscribes to hints about new events. Each hint is sent after its commit.
    fn subscribe(&self) -> broadcast::Receiver<Wake>;

    /// Resolves if the last commit succeeded, or if a probe succeeds now. Probes at most once a second.
    ///
    /// # Errors
    /// [`StoreError::Backend`] if nothing can be stored.
    async fn ready(&self) -> StoreResult<()>;

    /// Commits what is queued, then rejects further writes.
    async fn close(&self);
}

/// Returns the time for the next commit.
fn now() -> Millis {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as Millis)
}
