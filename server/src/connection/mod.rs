//! One open socket and its task.
//!
//! - [`upgrade`]: who may have one, and in which mode.
//! - [`progress`]: whether the other end takes anything.
//! - [`socket`]: what every mode needs of it: pings, silence, the write wait, closing well.
//! - [`lines`]: bare text, as the Go demo's page speaks it.
//! - [`v1`]: `hubbub.v1`, the browser app's protocol.

mod lines;
mod progress;
mod socket;
mod upgrade;
mod v1;

pub use progress::{Counted, Progress};
pub use socket::{Received, Socket};
pub use upgrade::{hand_over, same_origin, upgrade};

use crate::{identity::Identity, link::Link, reader::Reader, state::AppState};
use app::wire::RoomName;
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// Posts of one connection that may wait for their commit; at this many it is read no further.
const OUTSTANDING: usize = 64;

/// How long a connection of a stopping server waits for the last words of the others.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How a client talks.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Mode {
    /// Bare text in one room.
    Lines(RoomName),
    /// JSON frames in any room.
    V1,
}

/// What both modes work with.
struct Desk {
    state: AppState,
    reader: Reader,
    link: Arc<Link>,
    /// Held as long as this connection may post.
    posting: Option<TaskTrackerToken>,
}

impl Desk {
    async fn new(state: AppState, identity: Identity) -> Self {
        let link = Link::new(identity.id, state.name_of(identity.id).await);
        let reader = Reader::new(state.hub.clone(), state.log.clone(), link.clone());
        let posting = Some(state.posting.token());
        Self { state, reader, link, posting }
    }

    /// Says that this connection posts no more, and waits until nobody does.
    async fn until_the_last_post(&mut self) {
        self.posting = None;
        // Who does not wait for the others only hears less.
        let _ = timeout(LAST_WORDS, self.state.posting.wait()).await;
    }

    /// Whether there is, or will soon be, something to deliver before the end.
    async fn has_last_words(&self) -> bool {
        !self.reader.has_everything() && timeout(LAST_WORDS, self.reader.ready()).await.is_ok()
    }
}
