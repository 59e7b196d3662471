//! Hints about what has changed, for the hubs of all processes that share the store.

use app::wire::{Event, RoomName, Seq, User, UserId};
use futures_util::stream::{self, BoxStream, StreamExt};
use std::sync::Arc;
use tokio::sync::broadcast::{self, error::RecvError};

/// Notifications that wait for a subscriber. One that falls further behind gets [`Notification::Missed`].
const CAPACITY: usize = 1_024;

/// A hint that something has changed, sent after the commit by whatever process. It may be late, repeated or lost, and it
/// may lack what it is about: a subscriber reads that from the store.
#[derive(Debug, Clone)]
pub enum Notification {
    /// Events were appended to a room.
    Appended {
        /// The room.
        room: RoomName,
        /// The latest `seq` of the room after the commit.
        head: Seq,
        /// The events of the commit, in order and never empty, if this process committed them.
        events: Option<Arc<[Arc<Event>]>>,
    },
    /// The names, tags or marks of these users have changed.
    UsersChanged(Vec<UserId>),
    /// The title or topic of a room has changed.
    RoomChanged(RoomName),
    /// A read marker has moved forward.
    ReadMarkerMoved {
        /// The user of the marker.
        user: UserId,
        /// The room.
        room: RoomName,
        /// The new position.
        seq: Seq,
    },
    /// A user has marked messages as unread: their read marker may have moved back.
    MarkedUnread {
        /// The user of the marker.
        user: UserId,
        /// The room.
        room: RoomName,
    },
    /// The rights of users have changed: see [`AccessStore::access_changes`](super::AccessStore::access_changes).
    AccessChanged,
    /// Devices of a user were signed out.
    SignedOut(UserId),
    /// The users present in a room on another process have changed.
    PresenceChanged(RoomName),
    /// The store does not know which users are present on other processes. [`Missed`](Self::Missed) follows when it knows
    /// them again.
    PresenceUnknown,
    /// Something happened that is not stored.
    Ephemeral(EphemeralEvent),
    /// Notifications were lost: anything may have changed.
    Missed,
}

/// An event that is delivered to each process at most once, and never stored.
#[derive(Debug, Clone)]
pub enum EphemeralEvent {
    /// A user is typing in a room.
    Typing {
        /// The room.
        room: RoomName,
        /// The user.
        user: User,
    },
}

/// Sends notifications to the subscribers of this process. Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct Notifier(broadcast::Sender<Notification>);

impl Default for Notifier {
    fn default() -> Self {
        Self(broadcast::Sender::new(CAPACITY))
    }
}

impl Notifier {
    /// Sends a notification to all subscribers. Never waits.
    pub fn send(&self, notification: Notification) {
        // Without subscribers there is nothing to do.
        let _ = self.0.send(notification);
    }

    /// Returns the notifications from now on. The stream ends when the last notifier is dropped.
    pub fn subscribe(&self) -> BoxStream<'static, Notification> {
        let next = |mut receiver: broadcast::Receiver<Notification>| async move {
            match receiver.recv().await {
                Ok(notification) => Some((notification, receiver)),
                Err(RecvError::Lagged(_)) => Some((Notification::Missed, receiver)),
                Err(RecvError::Closed) => None,
            }
        };
        stream::unfold(self.0.subscribe(), next).boxed()
    }
}
